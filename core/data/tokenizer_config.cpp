// SPDX-License-Identifier: Apache-2.0
#include "core/data/tokenizer_config.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>

namespace core {
namespace {

using Json = nlohmann::json;

constexpr std::int32_t kMaxSentinels = 100000;
constexpr std::int32_t kMaxId = 1 << 24;

[[noreturn]] void refuse(const Path& path, const std::string& what) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", path.string(), what),
                "copy tokenizer_config.json again from where the model came from");
}

AddedToken parseAdded(const Path& path, const std::string& key, const Json& value) {
    AddedToken token;
    const auto [end, code] = std::from_chars(key.data(), key.data() + key.size(), token.id);
    const bool number = code == std::errc() && end == key.data() + key.size();
    if (!number || token.id < 0 || token.id >= kMaxId || !value.is_object() ||
        !value.contains("content") || !value["content"].is_string())
        refuse(path, fmt::format("added_tokens_decoder.{} is not a token with an id below {} and a "
                                 "content",
                                 printable(key), formatExact(kMaxId)));
    token.text = value["content"].get<std::string>();
    const auto flag = [&](const char* name) {
        return value.contains(name) && value[name].is_boolean() && value[name].get<bool>();
    };
    token.stripLeft = flag("lstrip");
    token.stripRight = flag("rstrip");
    token.special = flag("special");
    return token;
}

/// true or false; null or none: `otherwise`.
bool choice(const Path& path, const Json& json, const char* key, bool otherwise) {
    if (!json.contains(key) || json[key].is_null()) return otherwise;
    if (!json[key].is_boolean())
        refuse(path,
               fmt::format("{} is {}, expected true or false", key, printable(json[key].dump())));
    return json[key].get<bool>();
}

SentencePieceModel::Prefix prefixOf(const Path& path, const Json& json) {
    using Prefix = SentencePieceModel::Prefix;
    const bool prefixSpace =
        choice(path, json, "add_prefix_space", !json.contains("add_prefix_space"));
    if (choice(path, json, "legacy", true)) return Prefix::Model;
    return prefixSpace ? Prefix::TextFirst : Prefix::TextNone;
}

}  // namespace

TokenizerConfig readTokenizerConfig(const Path& model) {
    const Path path = model.parent_path() / "tokenizer_config.json";
    TokenizerConfig config;
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return config;
    const Json json = Json::parse(readTextFile(path), nullptr, false);
    if (!json.is_object()) refuse(path, "is not a JSON object");
    if (json.contains("extra_ids")) {
        const Json& value = json["extra_ids"];
        if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMaxSentinels)
            refuse(path, fmt::format("extra_ids is {}, expected a whole number up to {}",
                                     printable(value.dump()), formatExact(kMaxSentinels)));
        config.extraIds = value.get<std::int32_t>();
    }
    config.prefix = prefixOf(path, json);
    if (json.contains("added_tokens_decoder")) {
        if (!json["added_tokens_decoder"].is_object())
            refuse(path, "added_tokens_decoder is not an object");
        for (const auto& [key, value] : json["added_tokens_decoder"].items())
            config.added.push_back(parseAdded(path, key, value));
    }
    return config;
}

}  // namespace core
