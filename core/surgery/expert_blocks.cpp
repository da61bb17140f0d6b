// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/expert_cosines.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace core {
namespace {

/// "PREFIX experts.expert_3. PIECE" or "PREFIX experts.3. PIECE".
struct ExpertName {
    std::string prefix;
    std::size_t expert = 0;
    std::string piece;
};

constexpr std::size_t kMostExperts = 4096;

std::optional<std::size_t> takeNumber(std::string_view& text) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number >= kMostExperts) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

std::optional<ExpertName> parseExpert(std::string_view name) {
    constexpr std::string_view kExperts = "experts.";
    constexpr std::string_view kNamed = "expert_";
    const std::size_t at = name.find(kExperts);
    if (at == std::string_view::npos) return std::nullopt;
    std::string_view rest = name.substr(at + kExperts.size());
    if (rest.starts_with(kNamed)) rest.remove_prefix(kNamed.size());
    const std::optional<std::size_t> expert = takeNumber(rest);
    if (!expert || !rest.starts_with('.')) return std::nullopt;
    return ExpertName{std::string(name.substr(0, at)), *expert, std::string(rest.substr(1))};
}

/// "vit.encoder.layer.3.mlp." -> "encoder.3", "decoder.block.1.layer.2.mlp." -> "decoder.1",
/// "model.layers.7." -> "decoder.7".
std::string blockName(const std::string& prefix) {
    for (const std::string_view mark : {".block.", ".layer.", "layers."}) {
        const std::size_t at = prefix.find(mark);
        if (at == std::string::npos) continue;
        std::string_view rest = std::string_view(prefix).substr(at + mark.size());
        const std::optional<std::size_t> index = takeNumber(rest);
        if (!index) continue;
        const bool decoder = mark == "layers." || prefix.starts_with("decoder.");
        return (decoder ? "decoder." : "encoder.") + std::to_string(*index);
    }
    return prefix;
}

/// Where the dense MLP of `prefix` has `piece`, in the families' habits.
std::vector<std::string> denseNames(const std::string& prefix, const std::string& piece) {
    constexpr std::string_view kMlp = "mlp.";
    std::vector<std::string> names;
    std::vector<std::string> prefixes{prefix};
    if (prefix.ends_with(kMlp)) prefixes.push_back(prefix.substr(0, prefix.size() - kMlp.size()));
    for (const std::string& start : prefixes)
        for (const char* inner : {"", "DenseReluDense."}) names.push_back(start + inner + piece);
    const std::size_t plain = names.size();
    for (std::size_t i = 0; i < plain; ++i)  // ViTModel and ViTForImageClassification
        names.push_back(names[i].starts_with("vit.") ? names[i].substr(4) : "vit." + names[i]);
    return names;
}

const TensorInfo* findLike(const Checkpoint& a, const std::vector<std::string>& names,
                           const TensorInfo& like) {
    for (const std::string& name : names)
        if (const TensorInfo* found = a.find(name); found != nullptr && found->shape == like.shape)
            return found;
    return nullptr;
}

/// What piece of A the experts come from: the dense MLP's, else the experts of the same numbers.
std::vector<const TensorInfo*> before(const Checkpoint& a, const std::string& prefix,
                                      const std::string& piece,
                                      const std::vector<const TensorInfo*>& experts) {
    if (const TensorInfo* dense = findLike(a, denseNames(prefix, piece), *experts.front()))
        return {dense};
    std::vector<const TensorInfo*> same;
    for (const TensorInfo* expert : experts) {
        const TensorInfo* found = a.find(expert->name);
        if (found == nullptr || found->shape != expert->shape) return {};
        same.push_back(found);
    }
    return same;
}

bool isWhole(const std::vector<const TensorInfo*>& experts) {
    return experts.size() > 1 &&
           std::all_of(experts.begin(), experts.end(), [&](const TensorInfo* expert) {
               return expert != nullptr && expert->shape == experts.front()->shape;
           });
}

}  // namespace

std::vector<ExpertBlock> findExpertBlocks(const Checkpoint& a, const Checkpoint& b) {
    struct Found {
        std::string prefix;
        std::vector<std::string> order;
        std::map<std::string, std::vector<const TensorInfo*>> pieces;
    };
    std::vector<Found> found;
    std::map<std::string, std::size_t> places;
    for (const TensorInfo& tensor : b.tensors()) {
        const std::optional<ExpertName> name = parseExpert(tensor.name);
        if (!name) continue;
        const auto [place, isNew] = places.try_emplace(name->prefix, found.size());
        if (isNew) found.push_back({name->prefix, {}, {}});
        Found& block = found[place->second];
        std::vector<const TensorInfo*>& experts = block.pieces[name->piece];
        if (experts.empty()) block.order.push_back(name->piece);
        if (experts.size() <= name->expert) experts.resize(name->expert + 1);
        experts[name->expert] = &tensor;
    }
    std::vector<ExpertBlock> blocks;
    for (const Found& one : found) {
        ExpertBlock block;
        block.block = blockName(one.prefix);
        for (const std::string& piece : one.order) {
            const std::vector<const TensorInfo*>& experts = one.pieces.at(piece);
            if (!isWhole(experts) ||
                (!block.pieces.empty() && block.pieces[0].experts.size() != experts.size()))
                continue;
            block.pieces.push_back({experts, before(a, one.prefix, piece, experts)});
        }
        // One reference for the whole MLP, or none.
        const auto like = [&](const ExpertBlock::Piece& piece) {
            return piece.before.size() == block.pieces[0].before.size();
        };
        if (!std::all_of(block.pieces.begin(), block.pieces.end(), like))
            for (ExpertBlock::Piece& piece : block.pieces) piece.before.clear();
        for (const ExpertBlock::Piece& piece : block.pieces) {
            for (const TensorInfo* expert : piece.experts) block.bytes += expert->bytes;
            for (const TensorInfo* tensor : piece.before) block.bytes += tensor->bytes;
        }
        if (!block.pieces.empty()) blocks.push_back(std::move(block));
    }
    return blocks;
}

}  // namespace core
