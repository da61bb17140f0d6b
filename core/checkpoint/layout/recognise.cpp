// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/layout/recognise.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/layout/layout_tables.h"
#include "core/checkpoint/layout/mapped_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

namespace core {
namespace {

struct Known {
    const char* layout;
    std::span<const NameRule> (*rules)();
    std::array<const char*, 2> always;    ///< one of these is in every such file
    std::array<const char*, 4> stranger;  ///< with one of these it is another network; "" is none
    const char* why;
};

constexpr std::array kKnown = std::to_array<Known>({
    {"google-vit",
     googleVitRules,
     {"Transformer/encoder_norm/scale", "Transformer/encoderblock_0/LayerNorm_0/scale"},
     {"conv_root/kernel", "Transformer/encoderblock/LayerNorm_0/scale", "MAPHead_0/probe", ""},
     "a Google ViT with a ResNet stem, a pooling head or all blocks stacked in one array, for "
     "which transformers' ViT has no place"},
    {"v-moe",
     vMoeRules,
     {"Encoder/encoder_norm/scale", "Encoder/encoderblock_0/LayerNorm_0/scale"},
     {"conv_root/kernel", "MapHead/probe", "Encoder/encoderblock/LayerNorm_0/scale",
      "Encoder/encoderblock_0/SelfAttention/query_ln/scale"},
     "a V-MoE with a pooling head, normalised queries or all blocks stacked in one array, for "
     "which transformers' ViT has no place"},
    {"t5x",
     t5xRules,
     {"encoder/encoder_norm/scale", "decoder/decoder_norm/scale"},
     {"encoder/encoder/attention/query/kernel", "encoder/layers/attention/query/kernel",
      "decoder/decoder/self_attention/query/kernel", "decoder/layers/self_attention/query/kernel"},
     "a T5X checkpoint with scanned layers, all of a stack in one array, which this program does "
     "not take apart: write it anew with scan_layers = False"},
});

/// What may stand before the parameters' tree: the fields of train states.
constexpr std::array<std::string_view, 7> kPrefixes{"",
                                                    "params/",
                                                    "target/",
                                                    "target/params/",
                                                    "opt/target/",
                                                    "optimizer/target/",
                                                    "params/params/"};

bool has(const Checkpoint& raw, std::string_view prefix, std::span<const char* const> names) {
    return std::any_of(names.begin(), names.end(), [&](const char* name) {
        return *name != '\0' && raw.find(std::string(prefix) + name) != nullptr;
    });
}

std::string whereOf(const Checkpoint& raw) {
    const std::vector<std::string> files = raw.files();
    return (files.size() == 1 ? raw.folder() / files.front() : raw.folder()).string();
}

std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t kShown = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i)
        text += (i == 0 ? "" : ", ") + printable(names[i]);
    if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
    return text;
}

/// Collects mapped tensors; each HF name once.
class Mapper {
  public:
    Mapper(const Checkpoint& raw, std::string layout, std::string_view prefix)
        : where_(whereOf(raw)), prefix_(prefix) {
        result_.layout = std::move(layout);
        result_.tensors.reserve(raw.tensors().size());
    }

    const std::string& where() const { return where_; }

    void add(const TensorInfo& stored, std::vector<TensorMap> maps) {
        if (maps.empty()) return keep(stored, unknown_);
        for (const TensorMap& map : maps)
            if (names_.contains(map.name)) return keep(stored, again_);
        for (TensorMap& map : maps) take(std::move(map));
    }

    void leaveAside(const TensorInfo& stored) { aside_.push_back(stored.name); }

    void setHeads(const TensorInfo& stored, std::int64_t heads) {
        if (!result_.heads) result_.heads = heads;
        if (*result_.heads != heads)
            throw Error(
                ErrorKind::BadInput,
                fmt::format("{}: tensor {} {} has {} attention heads, others have {}", where_,
                            printable(stored.name), toString(stored.shape), heads, *result_.heads),
                "the file is damaged, or its tensors only look like those of this layout");
    }

    void note(std::string text) { result_.notes.push_back(std::move(text)); }

    Recognised finish() {
        if (!unknown_.empty())
            note(fmt::format("{} have no place in the layout {} and keep their names",
                             listed(unknown_), result_.layout));
        if (!again_.empty())
            note(
                fmt::format("{} are a second time what another tensor is already, and keep their "
                            "names",
                            listed(again_)));
        if (!aside_.empty())
            note(fmt::format("{} stand outside the parameters (optimizer state) and are left aside",
                             listed(aside_)));
        return std::move(result_);
    }

  private:
    void keep(const TensorInfo& stored, std::vector<std::string>& list) {
        list.push_back(stored.name);
        TensorMap map = unmapped(stored);
        map.name.erase(0, prefix_.size());
        take(std::move(map));
    }

    void take(TensorMap map) {
        if (!names_.insert(map.name).second)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: tensors {} and another one are both {}", where_,
                                    printable(map.stored), printable(map.name)),
                        "the file mixes two layouts; take one of them out");
        result_.tensors.push_back(std::move(map));
    }

    std::string where_;
    std::string_view prefix_;  ///< before the parameters' tree
    Recognised result_;
    std::unordered_set<std::string> names_;
    std::vector<std::string> unknown_, again_, aside_;
};

Recognised mapByTable(const Checkpoint& raw, const Known& known, std::string_view prefix) {
    Mapper mapper(raw, known.layout, prefix);
    const std::span<const NameRule> rules = known.rules();
    bool experts = false;
    for (const TensorInfo& stored : raw.tensors()) {
        if (!stored.name.starts_with(prefix)) {
            mapper.leaveAside(stored);
            continue;
        }
        std::vector<TensorMap> maps = mapStored(rules, prefix, stored, mapper.where());
        experts = experts || (!maps.empty() && maps.front().slice);
        mapper.add(stored, std::move(maps));
        if (const auto heads = headsOf(rules, prefix, stored)) mapper.setHeads(stored, *heads);
    }
    if (raw.find(std::string(prefix) + "pre_logits/kernel") != nullptr)
        mapper.note(
            "pre_logits is a dense layer with tanh between encoder and head, which transformers' "
            "ViT for classification has not: it is kept and has no effect, so the head's outputs "
            "are not those of the original program");
    if (experts && raw.configText().empty())
        mapper.note(
            "how the routers choose experts is not in the file: Expert Choice with capacity 2 is "
            "taken; a config.json beside it can say otherwise");
    return mapper.finish();
}

bool isTensorflow(const Checkpoint& raw) {
    const auto tensors = raw.tensors();
    return std::any_of(tensors.begin(), tensors.end(), [](const TensorInfo& tensor) {
        return tensor.name.ends_with(":0") && tensor.name.find('/') != std::string::npos;
    });
}

Recognised mapTensorflowFile(const Checkpoint& raw) {
    Mapper mapper(raw, "tensorflow", {});
    for (const TensorInfo& stored : raw.tensors())
        mapper.add(stored, stored.name.ends_with(":0")
                               ? std::vector<TensorMap>{mapTensorflow(stored)}
                               : std::vector<TensorMap>());
    return mapper.finish();
}

Recognised unknownLayout(const Checkpoint& raw, std::vector<std::string> notes) {
    Recognised result{"unknown", {}, std::nullopt, std::move(notes)};
    for (const TensorInfo& stored : raw.tensors()) result.tensors.push_back(unmapped(stored));
    return result;
}

}  // namespace

Recognised recogniseLayout(const Checkpoint& raw) {
    const auto tensors = raw.tensors();
    const auto slash = [](const TensorInfo& tensor) {
        return tensor.name.find('/') != std::string::npos;
    };
    if (std::none_of(tensors.begin(), tensors.end(), slash)) {
        const auto usual = [](const TensorInfo& tensor) {
            return tensor.name.ends_with(".weight") || tensor.name.ends_with(".bias");
        };
        if (tensors.empty() || !raw.configText().empty() ||
            std::any_of(tensors.begin(), tensors.end(), usual))
            return {"hf", {}, std::nullopt, {}};
        return unknownLayout(raw, {});
    }
    for (const Known& known : kKnown)
        for (const std::string_view prefix : kPrefixes) {
            if (has(raw, prefix, known.stranger) &&
                (has(raw, prefix, known.always) || known.layout == std::string_view("t5x")))
                return unknownLayout(raw, {std::string("this is ") + known.why});
            if (has(raw, prefix, known.always)) return mapByTable(raw, known, prefix);
        }
    if (isTensorflow(raw)) return mapTensorflowFile(raw);
    const bool hf = std::any_of(tensors.begin(), tensors.end(), [](const TensorInfo& tensor) {
        return tensor.name.starts_with("vit.") || tensor.name.starts_with("encoder.") ||
               tensor.name.starts_with("decoder.") || tensor.name.starts_with("model.");
    });
    if (hf) return {"hf", {}, std::nullopt, {}};
    return unknownLayout(raw, {});
}

}  // namespace core
