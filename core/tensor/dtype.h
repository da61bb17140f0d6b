// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace core {

/// Element types that checkpoints carry. We compute in F32 and BF16; the others are read, shown and
/// converted.
enum class DType : std::uint8_t {
    F64,
    F32,
    F16,
    BF16,
    F8E4M3,
    F8E5M2,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool
};

std::size_t dtypeBytes(DType dtype) noexcept;

/// The safetensors spelling: "F32", "BF16", "F8_E4M3", "I64", "BOOL" ...
std::string_view dtypeName(DType dtype) noexcept;
std::optional<DType> dtypeFromName(std::string_view name) noexcept;

/// The person's spelling in options and JSON: "f32", "bf16", "f16"; other types in lower case.
std::string_view dtypeOption(DType dtype) noexcept;
std::optional<DType> dtypeFromOption(std::string_view name) noexcept;

bool isFloating(DType dtype) noexcept;

}  // namespace core
