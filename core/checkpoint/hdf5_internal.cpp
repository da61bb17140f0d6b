// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/hdf5_internal.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace core {
namespace {

constexpr std::size_t kMaxAttributeBytes = std::size_t{64} << 20U;

/// Where sign, exponent and mantissa of a float type lie.
struct FloatFields {
    std::size_t sign, exponent, exponentBits, mantissa, mantissaBits, bias;
    bool operator==(const FloatFields&) const = default;
};
constexpr FloatFields kHalf{15, 10, 5, 0, 10, 15};
constexpr FloatFields kBrain{15, 7, 8, 0, 7, 127};
constexpr FloatFields kSingle{31, 23, 8, 0, 23, 127};
constexpr FloatFields kDouble{63, 52, 11, 0, 52, 1023};

std::optional<FloatFields> fieldsOf(hid_t type) {
    FloatFields f{};
    if (H5Tget_fields(type, &f.sign, &f.exponent, &f.exponentBits, &f.mantissa, &f.mantissaBits) <
        0)
        return std::nullopt;
    f.bias = H5Tget_ebias(type);
    return f;
}

std::optional<DType> floatDType(hid_t type) {
    const std::optional<FloatFields> fields = fieldsOf(type);
    if (!fields || H5Tget_norm(type) != H5T_NORM_IMPLIED) return std::nullopt;
    switch (H5Tget_size(type)) {
        case 2:
            if (*fields == kHalf) return DType::F16;
            return *fields == kBrain ? std::optional(DType::BF16) : std::nullopt;
        case 4:
            return *fields == kSingle ? std::optional(DType::F32) : std::nullopt;
        case 8:
            return *fields == kDouble ? std::optional(DType::F64) : std::nullopt;
        default:
            return std::nullopt;
    }
}

std::optional<DType> integerDType(hid_t type) {
    const bool isSigned = H5Tget_sign(type) == H5T_SGN_2;
    const std::size_t bytes = H5Tget_size(type);
    if (H5Tget_precision(type) != 8 * bytes) return std::nullopt;
    switch (bytes) {
        case 1:
            return isSigned ? DType::I8 : DType::U8;
        case 2:
            return isSigned ? DType::I16 : DType::U16;
        case 4:
            return isSigned ? DType::I32 : DType::U32;
        case 8:
            return isSigned ? DType::I64 : DType::U64;
        default:
            return std::nullopt;
    }
}

/// h5py's bool: a one-byte enumeration of FALSE and TRUE.
bool isBooleanEnum(hid_t type) {
    if (H5Tget_size(type) != 1 || H5Tget_nmembers(type) != 2) return false;
    for (const auto& [name, expected] : {std::pair("FALSE", 0), std::pair("TRUE", 1)}) {
        std::int8_t value = -1;
        if (H5Tenum_valueof(type, name, &value) < 0 || value != expected) return false;
    }
    return true;
}

std::optional<DType> plainDType(hid_t type) {
    switch (H5Tget_class(type)) {
        case H5T_FLOAT:
            return floatDType(type);
        case H5T_INTEGER:
            return integerDType(type);
        case H5T_ENUM:
            return isBooleanEnum(type) ? std::optional(DType::Bool) : std::nullopt;
        default:
            return std::nullopt;
    }
}

DType carrierOf(DType dtype) {
    if (dtype == DType::BF16) return DType::U16;
    return dtypeBytes(dtype) == 1 ? DType::U8 : dtype;
}

using Texts = std::optional<std::vector<std::string>>;

Texts readVariableTexts(hid_t attribute, hid_t type, hid_t space, std::size_t count,
                        std::size_t maxBytes) {
    std::vector<char*> texts(count, nullptr);
    if (H5Aread(attribute, type, static_cast<void*>(texts.data())) < 0) return std::nullopt;
    std::size_t bytes = 0;
    for (const char* text : texts) bytes += text == nullptr ? 0 : std::strlen(text);
    Texts copies;
    if (bytes <= maxBytes) {
        copies.emplace();
        for (const char* text : texts) copies->emplace_back(text == nullptr ? "" : text);
    }
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, static_cast<void*>(texts.data()));
    return copies;
}

Texts readFixedTexts(hid_t attribute, hid_t type, std::size_t count, std::size_t maxBytes) {
    const std::size_t width = H5Tget_size(type);
    if (width == 0 || width > maxBytes / count) return std::nullopt;
    std::string all(width * count, '\0');
    if (H5Aread(attribute, type, all.data()) < 0) return std::nullopt;
    const bool spaces = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) {
        std::string_view text = std::string_view(all).substr(i * width, width);
        text = text.substr(0, text.find('\0'));
        if (spaces) text = text.substr(0, text.find_last_not_of(' ') + 1);
        texts.emplace_back(text);
    }
    return texts;
}

}  // namespace

Hdf5Lock::Hdf5Lock()
    : guard_([]() -> std::recursive_mutex& {
          static std::recursive_mutex mutex;
          return mutex;
      }()) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);
}

Hdf5Handle hdf5TypeOf(DType dtype) {
    const auto copy = [](hid_t type) { return Hdf5Handle(H5Tcopy(type), H5Tclose); };
    switch (dtype) {
        case DType::F64:
            return copy(H5T_IEEE_F64LE);
        case DType::F32:
            return copy(H5T_IEEE_F32LE);
        case DType::F16: {
            Hdf5Handle half = copy(H5T_IEEE_F32LE);
            H5Tset_fields(half.get(), kHalf.sign, kHalf.exponent, kHalf.exponentBits,
                          kHalf.mantissa, kHalf.mantissaBits);
            H5Tset_size(half.get(), 2);
            H5Tset_ebias(half.get(), kHalf.bias);
            return half;
        }
        case DType::I64:
            return copy(H5T_STD_I64LE);
        case DType::I32:
            return copy(H5T_STD_I32LE);
        case DType::I16:
            return copy(H5T_STD_I16LE);
        case DType::I8:
            return copy(H5T_STD_I8LE);
        case DType::U64:
            return copy(H5T_STD_U64LE);
        case DType::U32:
            return copy(H5T_STD_U32LE);
        case DType::U16:
        case DType::BF16:
            return copy(H5T_STD_U16LE);
        case DType::U8:
        case DType::Bool:
        case DType::F8E4M3:
        case DType::F8E5M2:
            return copy(H5T_STD_U8LE);
    }
    return {};
}

bool needsDTypeAttribute(DType dtype) noexcept {
    return dtype == DType::BF16 || dtype == DType::F8E4M3 || dtype == DType::F8E5M2 ||
           dtype == DType::Bool;
}

std::optional<Hdf5Element> hdf5Element(hid_t type, std::string_view label) {
    const std::optional<DType> plain = plainDType(type);
    if (!plain) return std::nullopt;
    Hdf5Element element;
    element.dtype = *plain;
    const H5T_order_t order = H5Tget_class(type) == H5T_ENUM ? H5T_ORDER_LE : H5Tget_order(type);
    if (order != H5T_ORDER_LE && order != H5T_ORDER_BE) return std::nullopt;
    element.littleEndian = order == H5T_ORDER_LE || dtypeBytes(*plain) == 1;
    element.memoryType = Hdf5Handle(H5Tcopy(type), H5Tclose);
    if (!element.littleEndian) H5Tset_order(element.memoryType.get(), H5T_ORDER_LE);
    if (label.empty()) return element;
    const std::optional<DType> labelled = dtypeFromName(label);
    if (!labelled || (*labelled != *plain &&
                      (!needsDTypeAttribute(*labelled) || carrierOf(*labelled) != *plain)))
        return std::nullopt;
    element.dtype = *labelled;
    return element;
}

std::optional<std::string> readTextAttribute(hid_t object, const char* name) {
    const Hdf5Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
    if (!attribute.valid()) return std::nullopt;
    const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose);
    const Hdf5Handle space(H5Aget_space(attribute.get()), H5Sclose);
    if (H5Tget_class(type.get()) != H5T_STRING || H5Sget_simple_extent_npoints(space.get()) != 1)
        return std::nullopt;
    if (H5Tis_variable_str(type.get()) > 0) {
        char* text = nullptr;
        if (H5Aread(attribute.get(), type.get(), static_cast<void*>(&text)) < 0)
            return std::nullopt;
        std::string copy = text == nullptr ? std::string() : std::string(text);
        H5free_memory(text);
        return copy;
    }
    const std::size_t bytes = H5Tget_size(type.get());
    if (bytes == 0 || bytes > kMaxAttributeBytes) return std::nullopt;
    std::string text(bytes, '\0');
    if (H5Aread(attribute.get(), type.get(), text.data()) < 0) return std::nullopt;
    text.resize(std::min(text.find('\0'), text.size()));
    return text;
}

std::optional<std::vector<std::string>> readTextList(hid_t object, const char* name,
                                                     std::size_t maxTexts, std::size_t maxBytes) {
    const Hdf5Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
    if (!attribute.valid()) return std::nullopt;
    const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose);
    const Hdf5Handle space(H5Aget_space(attribute.get()), H5Sclose);
    const hssize_t count = H5Sget_simple_extent_npoints(space.get());
    if (count < 0 || static_cast<std::size_t>(count) > maxTexts) return std::nullopt;
    if (count == 0) return std::vector<std::string>();
    if (H5Tget_class(type.get()) != H5T_STRING) return std::nullopt;
    const auto texts = static_cast<std::size_t>(count);
    return H5Tis_variable_str(type.get()) > 0
               ? readVariableTexts(attribute.get(), type.get(), space.get(), texts, maxBytes)
               : readFixedTexts(attribute.get(), type.get(), texts, maxBytes);
}

bool writeTextAttribute(hid_t object, const char* name, const std::string& text) {
    const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), H5T_VARIABLE);
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle names(H5Pcreate(H5P_ATTRIBUTE_CREATE), H5Pclose);
    H5Pset_char_encoding(names.get(), H5T_CSET_UTF8);
    const Hdf5Handle attribute(
        H5Acreate2(object, name, type.get(), space.get(), names.get(), H5P_DEFAULT), H5Aclose);
    const char* value = text.c_str();
    return attribute.valid() &&
           H5Awrite(attribute.get(), type.get(), static_cast<const void*>(&value)) >= 0;
}

}  // namespace core
