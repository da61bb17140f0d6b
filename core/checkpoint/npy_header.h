// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace core {

/// What stands before the elements of a .npy array (NEP 1, numpy.lib.format; versions 1.0 to 3.0).
struct NpyHeader {
    DType dtype = DType::F32;
    bool isVoid = false;  ///< two bytes without a type: how NumPy saves bfloat16
    bool bigEndian = false;
    bool fortranOrder = false;  ///< first axis fastest; never set where that is the same
    Shape shape;
};

/// Where a header stands, for messages.
struct NpyPlace {
    const Path& file;
    std::string_view member;
};

/// Magic, version and length of the header's text.
inline constexpr std::size_t kNpyPreambleBytes = 12;
/// NumPy's own limit on axes.
inline constexpr std::size_t kMostNpyAxes = 64;

/// Bytes before the elements, from the member's first bytes (at most kNpyPreambleBytes are looked
/// at). BadInput when they are not the beginning of an array or claim an absurd length.
std::size_t npyHeaderBytes(std::string_view begin, const NpyPlace& place);

/// Reads a header of `npyHeaderBytes` bytes. BadInput, with the reason, for anything but arrays of
/// numbers: arrays of objects would need Python's pickle, which is never run.
NpyHeader readNpyHeader(std::string_view header, const NpyPlace& place);

/// A version 1.0 header as NumPy writes it: little-endian, row-major, a multiple of 64 bytes.
/// Nothing for types that NumPy does not have (F8) and shapes of more than kMostNpyAxes axes.
std::optional<std::string> makeNpyHeader(DType dtype, const Shape& shape);

}  // namespace core
