// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace core {

/// Our .npz format: one stored .npy member per tensor, bfloat16 as void(2). An .npz that stands
/// alone carries config.json's text in the archive's comment, behind this line: NumPy lists every
/// member as an array, and loaders that want exactly the arrays that they know (big_vision) would
/// stumble over one more.
inline constexpr std::string_view kNpzConfigMark = "upcycler.config\n";
/// The longest comment of a zip archive.
inline constexpr std::size_t kMostNpzComment = 65535;

}  // namespace core
