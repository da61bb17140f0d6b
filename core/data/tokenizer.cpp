// SPDX-License-Identifier: Apache-2.0
#include "core/data/tokenizer.h"

#include "core/base/error.h"
#include "core/data/sentencepiece_tokenizer.h"
#include "core/data/tokenizer_config.h"
#include "core/data/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace core {
namespace {

constexpr std::uint64_t kMaxFileBytes = 64ULL << 20;

std::vector<AddedToken> addedTokens(const SentencePieceModel& model, const TokenizerConfig& config,
                                    const Path& path) {
    using Type = SentencePieceModel::PieceType;
    std::vector<AddedToken> added;
    bool ownSentinels = false;
    for (std::size_t id = 0; id < model.pieces.size(); ++id) {
        const SentencePieceModel::Piece& piece = model.pieces[id];
        const bool special =
            piece.type == Type::Unknown || piece.text == "<pad>" || piece.text == "</s>";
        if (special) added.push_back({piece.text, static_cast<std::int32_t>(id), false, false});
        if (piece.text.find("<extra_id_0>") != std::string::npos) ownSentinels = true;
    }
    const std::int32_t count = config.extraIds.value_or(ownSentinels ? 0 : kUsualSentinels);
    if (ownSentinels && count > 0)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} has sentinels among its pieces, and tokenizer_config.json adds "
                                "{} more",
                                path.string(), count),
                    "set extra_ids to 0 in tokenizer_config.json");
    const auto pieces = static_cast<std::int32_t>(model.pieces.size());
    for (std::int32_t n = 0; n < count; ++n)
        added.push_back({fmt::format("<extra_id_{}>", n), pieces + count - 1 - n, true, true});
    for (const AddedToken& token : config.added) {
        const auto same = std::find_if(added.begin(), added.end(), [&](const AddedToken& other) {
            return other.id == token.id;
        });
        if (same == added.end())
            added.push_back(token);
        else
            *same = token;
    }
    return added;
}

std::shared_ptr<const Tokenizer> openModel(const Path& path) {
    const std::string bytes = readTextFile(path, kMaxFileBytes);
    SentencePieceModel model = parseSentencePieceModel(path, bytes);
    const TokenizerConfig config = readTokenizerConfig(path);
    model.prefix = config.prefix;
    return makeSentencePieceTokenizer(path, model, bytes, addedTokens(model, config, path));
}

}  // namespace

std::shared_ptr<const Tokenizer> Tokenizer::open(const Path& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        if (const auto found = findIn(path)) return open(*found);
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} holds no tokenizer: neither spiece.model, sentencepiece.model, "
                                "spm.model nor tokenizer.json",
                                path.string()),
                    "give a tokenizer's file, or the folder of a T5 that has one");
    }
    if (path.extension() != ".json") return openModel(path);
    const TokenizerJson parsed = parseTokenizerJson(path, readTextFile(path, kMaxFileBytes));
    return makeSentencePieceTokenizer(path, parsed.model, serializeSentencePieceModel(parsed.model),
                                      parsed.added);
}

std::optional<Path> Tokenizer::findIn(const Path& folder) {
    constexpr std::array kNames{"spiece.model", "sentencepiece.model", "spm.model",
                                "tokenizer.json"};
    std::error_code ignored;
    for (const char* name : kNames)
        if (std::filesystem::is_regular_file(folder / name, ignored)) return folder / name;
    return std::nullopt;
}

std::int32_t Tokenizer::sentinel(std::int32_t n) const {
    CORE_CHECK(n >= 0 && n < sentinels(), "a sentinel of the tokenizer");
    return firstSentinel_ - n;
}

}  // namespace core
