// SPDX-License-Identifier: Apache-2.0
#include "core/data/tokenizer_json.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace core {
namespace {

using Json = nlohmann::json;
using PieceType = SentencePieceModel::PieceType;

constexpr std::size_t kMaxId = 1U << 24U;
constexpr int kMaxDepth = 8;

[[noreturn]] void refuse(const Path& path, const std::string& what, const char* hint) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", path.string(), what), hint);
}

[[noreturn]] void damaged(const Path& path, const std::string& what) {
    refuse(path, what, "copy the file again from where the model came from");
}

[[noreturn]] void unsupported(const Path& path, const std::string& what) {
    refuse(path, what, "give the model's spiece.model instead");
}

/// A member, null where there is none.
const Json& member(const Json& object, const char* key) {
    static const Json kNone;
    if (!object.is_object()) return kNone;
    const auto found = object.find(key);
    return found == object.end() ? kNone : *found;
}

std::string word(const Json& object, const char* key) {
    const Json& value = member(object, key);
    return value.is_string() ? value.get<std::string>() : std::string();
}

bool flag(const Json& object, const char* key, bool otherwise) {
    const Json& value = member(object, key);
    return value.is_boolean() ? value.get<bool>() : otherwise;
}

std::string decodeBase64(const Path& path, std::string_view text) {
    constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char c : text) {
        const std::size_t value = kLetters.find(c);
        if (value == std::string_view::npos)
            damaged(path, "precompiled_charsmap is not in base 64");
        bits = ((bits << 6U) | static_cast<std::uint32_t>(value)) & 0xFFFFFFU;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes += static_cast<char>((bits >> held) & 0xFFU);
    }
    return bytes;
}

void readNormalizer(const Path& path, const Json& json, SentencePieceModel& model, int depth = 0) {
    if (json.is_null()) return;
    if (depth > kMaxDepth) damaged(path, "has a Sequence in a Sequence, many deep");
    const std::string type = word(json, "type");
    const Json& list = member(json, "normalizers");
    if (type == "Sequence" && list.is_array()) {
        for (const Json& item : list) readNormalizer(path, item, model, depth + 1);
    } else if (type == "Precompiled") {
        const Json& map = member(json, "precompiled_charsmap");
        if (map.is_string()) model.charsMap = decodeBase64(path, map.get<std::string>());
    } else if (type == "Strip" ||
               (type == "Replace" && word(member(json, "pattern"), "Regex") == " {2,}")) {
        model.removeExtraWhitespaces = true;
    } else {
        unsupported(path, fmt::format("has the normalizer {}, which SentencePiece does not know",
                                      printable(type)));
    }
}

void readMetaspace(const Path& path, const Json& json, SentencePieceModel& model) {
    using Prefix = SentencePieceModel::Prefix;
    std::string scheme = word(json, "prepend_scheme");
    if (scheme.empty()) scheme = flag(json, "add_prefix_space", true) ? "always" : "never";
    if (scheme != "always" && scheme != "first" && scheme != "never")
        damaged(path, fmt::format("has prepend_scheme {}, expected always, first or never",
                                  printable(scheme)));
    if (json.contains("replacement") && word(json, "replacement") != "\xe2\x96\x81")
        unsupported(path, fmt::format("has the Metaspace replacement {}, expected U+2581",
                                      printable(json["replacement"].dump())));
    model.addDummyPrefix = scheme == "always";
    if (scheme == "first") model.prefix = Prefix::JsonFirst;
    if (scheme == "never") model.prefix = Prefix::JsonNone;
}

void readPreTokenizer(const Path& path, const Json& json, SentencePieceModel& model,
                      int depth = 0) {
    if (depth > kMaxDepth) damaged(path, "has a Sequence in a Sequence, many deep");
    const std::string type = word(json, "type");
    const Json& list = member(json, "pretokenizers");
    if (type == "Sequence" && list.is_array()) {
        bool splits = false;
        for (const Json& item : list) {
            readPreTokenizer(path, item, model, depth + 1);
            splits = splits || word(item, "type") == "WhitespaceSplit";
        }
        if (splits && model.prefix != SentencePieceModel::Prefix::Model)
            unsupported(path,
                        "has WhitespaceSplit before a Metaspace whose prepend_scheme is not "
                        "always: words would lose the spaces before them");
    } else if (type == "WhitespaceSplit") {
        model.removeExtraWhitespaces = true;
    } else if (type == "Metaspace") {
        readMetaspace(path, json, model);
    } else {
        unsupported(path, fmt::format("has the pre-tokenizer {}, expected Metaspace",
                                      type.empty() ? "none" : printable(type)));
    }
}

void readVocabulary(const Path& path, const Json& json, SentencePieceModel& model) {
    const Json& vocabulary = member(json, "vocab");
    const Json& unknown = member(json, "unk_id");
    if (!vocabulary.is_array() || vocabulary.empty()) damaged(path, "has no model.vocab");
    if (!unknown.is_number_unsigned() || unknown.get<std::uint64_t>() >= vocabulary.size())
        damaged(path, "model.unk_id is not the number of a piece");
    model.byteFallback = flag(json, "byte_fallback", false);
    for (const Json& entry : vocabulary) {
        if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() ||
            !entry[1].is_number())
            damaged(path, fmt::format("model.vocab[{}] is not a piece and its score",
                                      model.pieces.size()));
        SentencePieceModel::Piece piece{entry[0].get<std::string>(), entry[1].get<float>(),
                                        PieceType::Normal};
        if (model.byteFallback && piece.text.size() == 6 && piece.text.starts_with("<0x"))
            piece.type = PieceType::Byte;
        if (model.pieces.size() == unknown.get<std::uint64_t>()) piece.type = PieceType::Unknown;
        model.pieces.push_back(std::move(piece));
    }
}

std::vector<AddedToken> readAdded(const Path& path, const Json& list, SentencePieceModel& model) {
    std::vector<AddedToken> added;
    if (!list.is_array()) return added;
    for (const Json& entry : list) {
        const Json& id = member(entry, "id");
        const std::string text = word(entry, "content");
        if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= kMaxId || text.empty())
            damaged(path, fmt::format("added_tokens[{}] is not a token with an id below {} and a "
                                      "content",
                                      added.size(), formatExact(kMaxId)));
        const auto index = id.get<std::size_t>();
        if (index < model.pieces.size()) {
            SentencePieceModel::Piece& piece = model.pieces[index];
            if (piece.text != text)
                damaged(path,
                        fmt::format("added_tokens[{}] is {}, but piece {} is {}", added.size(),
                                    printable(text), index, printable(piece.text)));
            if (piece.type == PieceType::Normal) piece.type = PieceType::Control;
        }
        added.push_back({text, static_cast<std::int32_t>(index), flag(entry, "lstrip", false),
                         flag(entry, "rstrip", false)});
    }
    return added;
}

}  // namespace

TokenizerJson parseTokenizerJson(const Path& path, std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) damaged(path, "is not a JSON object");
    const Json& model = member(json, "model");
    const std::string type = word(model, "type");
    if (type != "Unigram")
        refuse(path,
               fmt::format("has a model of type {}, expected Unigram",
                           type.empty() ? "none" : printable(type)),
               "T5's tokenizers are Unigram: give one of those, or a SentencePiece model");
    TokenizerJson parsed;
    parsed.model.removeExtraWhitespaces = false;
    readNormalizer(path, member(json, "normalizer"), parsed.model);
    readPreTokenizer(path, member(json, "pre_tokenizer"), parsed.model);
    readVocabulary(path, model, parsed.model);
    parsed.added = readAdded(path, member(json, "added_tokens"), parsed.model);
    checkSentencePieceModel(parsed.model, path);
    return parsed;
}

}  // namespace core
