// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace core {

/// Numbers and texts one after the other, for a pipe between two processes of one machine.
class MessageWriter {
  public:
    void number(std::uint64_t value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    void text(std::string_view value) {
        number(value.size());
        bytes_ += value;
    }
    std::string take() { return std::move(bytes_); }

  private:
    std::string bytes_;
};

/// The reverse; empty once the bytes do not hold what is asked for.
class MessageReader {
  public:
    explicit MessageReader(std::string_view bytes) : rest_(bytes) {}
    std::optional<std::uint64_t> number() {
        std::uint64_t value = 0;
        if (rest_.size() < sizeof(value)) return std::nullopt;
        std::memcpy(&value, rest_.data(), sizeof(value));
        rest_.remove_prefix(sizeof(value));
        return value;
    }
    std::optional<std::string> text() {
        const std::optional<std::uint64_t> size = number();
        if (!size || *size > rest_.size()) return std::nullopt;
        std::string value(rest_.substr(0, *size));
        rest_.remove_prefix(*size);
        return value;
    }

  private:
    std::string_view rest_;
};

}  // namespace core
