// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/dtype.h"

#include <array>

namespace core {
namespace {

struct Entry {
    DType dtype;
    std::size_t bytes;
    std::string_view name;
    std::string_view option;
};

constexpr std::array<Entry, 15> kEntries{{
    {DType::F64, 8, "F64", "f64"},
    {DType::F32, 4, "F32", "f32"},
    {DType::F16, 2, "F16", "f16"},
    {DType::BF16, 2, "BF16", "bf16"},
    {DType::F8E4M3, 1, "F8_E4M3", "f8_e4m3"},
    {DType::F8E5M2, 1, "F8_E5M2", "f8_e5m2"},
    {DType::I64, 8, "I64", "i64"},
    {DType::I32, 4, "I32", "i32"},
    {DType::I16, 2, "I16", "i16"},
    {DType::I8, 1, "I8", "i8"},
    {DType::U64, 8, "U64", "u64"},
    {DType::U32, 4, "U32", "u32"},
    {DType::U16, 2, "U16", "u16"},
    {DType::U8, 1, "U8", "u8"},
    {DType::Bool, 1, "BOOL", "bool"},
}};

const Entry& entry(DType dtype) { return kEntries[static_cast<std::size_t>(dtype)]; }

}  // namespace

std::size_t dtypeBytes(DType dtype) noexcept { return entry(dtype).bytes; }
std::string_view dtypeName(DType dtype) noexcept { return entry(dtype).name; }
std::string_view dtypeOption(DType dtype) noexcept { return entry(dtype).option; }

std::optional<DType> dtypeFromName(std::string_view name) noexcept {
    for (const Entry& e : kEntries)
        if (e.name == name) return e.dtype;
    return std::nullopt;
}

std::optional<DType> dtypeFromOption(std::string_view name) noexcept {
    for (const Entry& e : kEntries)
        if (e.option == name) return e.dtype;
    return std::nullopt;
}

bool isFloating(DType dtype) noexcept { return dtype <= DType::F8E5M2; }

}  // namespace core
