// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/types.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace core::config {

/// Key order is kept, so that a rewritten config.json differs only where it must.
using Json = nlohmann::ordered_json;

/// An object of bounded depth. Anything else is BadInput naming `where`.
Json parseObject(const std::string& text, const std::string& where);

/// Typed look at one JSON object of a file. A missing or null key gives `otherwise`; a wrong type
/// or a value out of range is BadInput naming file, key, what was found and what was expected.
class Reader {
  public:
    /// `where` is the file, with the path inside it ("config.json: upcycling.blocks.encoder.3").
    Reader(const Json& object, std::string where);

    const std::string& where() const noexcept { return where_; }
    bool has(const char* key) const;
    std::int64_t integer(const char* key, std::int64_t otherwise, std::int64_t least,
                         std::int64_t most) const;
    double number(const char* key, double otherwise) const;
    bool boolean(const char* key, bool otherwise) const;
    std::string text(const char* key, std::string_view otherwise) const;
    /// The value itself; nullptr when missing or null.
    const Json* find(const char* key) const;
    /// BadInput saying that `key` holds `found` and what was expected.
    [[noreturn]] void refuse(std::string_view key, const std::string& expected) const;

  private:
    const Json& object_;
    std::string where_;
};

/// transformers' names of activations (ACT2FN) and the one of them that is written.
std::optional<Activation> activationFromName(std::string_view name) noexcept;
std::string_view activationName(Activation activation) noexcept;

/// A number of float precision as people write it (1e-06, not 9.999999974752427e-07).
double shortNumber(float value);

/// A value as a message shows it: short, printable, with its type when it is not a number.
std::string shown(const Json& value);

}  // namespace core::config
