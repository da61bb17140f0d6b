// SPDX-License-Identifier: Apache-2.0
#include "core/data/protobuf.h"

#include <bit>

namespace core {
namespace {

constexpr unsigned kBitsPerByte = 7;
constexpr unsigned kMaxShift = 63;

}  // namespace

std::optional<std::uint64_t> ProtoReader::varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift <= kMaxShift; shift += kBitsPerByte) {
        if (position_ == message_.size()) return std::nullopt;
        const auto byte = static_cast<unsigned char>(message_[position_++]);
        value |= std::uint64_t{byte & 0x7FU} << shift;
        if (byte < 0x80) return value;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> ProtoReader::fixed(std::size_t bytes) {
    if (message_.size() - position_ < bytes) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
        value |= std::uint64_t{static_cast<unsigned char>(message_[position_ + i])} << (8 * i);
    position_ += bytes;
    return value;
}

std::optional<ProtoField> ProtoReader::next() {
    if (!ok_ || position_ == message_.size()) return std::nullopt;
    ok_ = false;
    const auto key = varint();
    constexpr std::uint64_t kMaxKey = 0xFFFFFFFF;
    if (!key || *key > kMaxKey || *key < 8) return std::nullopt;
    ProtoField field;
    field.number = static_cast<std::uint32_t>(*key >> 3U);
    field.wire = static_cast<ProtoField::Wire>(*key & 7U);
    std::optional<std::uint64_t> value;
    switch (field.wire) {
        case ProtoField::Wire::Varint:
            value = varint();
            break;
        case ProtoField::Wire::Fixed64:
            value = fixed(8);
            break;
        case ProtoField::Wire::Fixed32:
            value = fixed(4);
            break;
        case ProtoField::Wire::Bytes:
            value = varint();
            if (!value || *value > message_.size() - position_) return std::nullopt;
            field.bytes = message_.substr(position_, *value);
            position_ += *value;
            break;
    }
    if (!value) return std::nullopt;
    field.value = *value;
    ok_ = true;
    return field;
}

void ProtoWriter::raw(std::uint64_t value) {
    while (value >= 0x80) {
        message_ += static_cast<char>((value & 0x7FU) | 0x80U);
        value >>= kBitsPerByte;
    }
    message_ += static_cast<char>(value);
}

void ProtoWriter::varint(std::uint32_t number, std::uint64_t value) {
    raw(std::uint64_t{number} << 3U);
    raw(value);
}

void ProtoWriter::number(std::uint32_t number, float value) {
    raw((std::uint64_t{number} << 3U) | 5U);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (unsigned i = 0; i < 4; ++i) message_ += static_cast<char>((bits >> (8 * i)) & 0xFFU);
}

void ProtoWriter::bytes(std::uint32_t number, std::string_view value) {
    raw((std::uint64_t{number} << 3U) | 2U);
    raw(value.size());
    message_ += value;
}

}  // namespace core
