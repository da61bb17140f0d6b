// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace core {

/// Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding), no more of it than
/// SentencePiece's models need.
struct ProtoField {
    enum class Wire : std::uint8_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };
    std::uint32_t number = 0;
    Wire wire = Wire::Varint;
    /// The value of Varint, Fixed64 and Fixed32.
    std::uint64_t value = 0;
    /// The value of Bytes: a view of the message.
    std::string_view bytes;
};

/// Reads the fields of one message in their order.
class ProtoReader {
  public:
    explicit ProtoReader(std::string_view message) : message_(message) {}

    /// The next field; empty at the end of the message, and where it is not well formed.
    std::optional<ProtoField> next();
    /// Whether the message was well formed as far as it has been read.
    bool ok() const noexcept { return ok_; }
    /// Bytes read so far; where the trouble is when not ok.
    std::size_t position() const noexcept { return position_; }

  private:
    std::optional<std::uint64_t> varint();
    std::optional<std::uint64_t> fixed(std::size_t bytes);
    std::string_view message_;
    std::size_t position_ = 0;
    bool ok_ = true;
};

/// Writes the fields of one message.
class ProtoWriter {
  public:
    void varint(std::uint32_t number, std::uint64_t value);
    void number(std::uint32_t number, float value);
    void bytes(std::uint32_t number, std::string_view value);
    const std::string& message() const noexcept { return message_; }

  private:
    void raw(std::uint64_t value);
    std::string message_;
};

}  // namespace core
