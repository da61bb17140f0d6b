// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/checkpoint/checkpoint.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// The safetensors format: 8 bytes N (little-endian), N bytes of JSON {"name": {"dtype", "shape",
/// "data_offsets": [begin, end]}, "__metadata__": {text: text}}, then the tensors' bytes one after
/// the other without hole or overlap, to the end of the file.
struct SafetensorsHeader {
    std::vector<TensorInfo> tensors;  ///< by offset, which counts from the start of the file
    std::map<std::string, std::string> metadata;
};

/// Headers longer than this are refused, as the format's own library does.
constexpr std::uint64_t kMaxSafetensorsHeader = 100'000'000;

/// Where a file that stands alone, without a folder, carries its config.json's text (__metadata__).
inline constexpr const char* kSafetensorsConfigKey = "upcycler.config";

/// Reads and checks the header against the rules above and against the file's size.
SafetensorsHeader readSafetensorsHeader(const File& file);

/// The bytes before the tensors (length, JSON, spaces up to a multiple of 8) for `tensors` in this
/// order; sets their offsets (from the start of the file) and bytes.
std::string makeSafetensorsHeader(std::span<TensorInfo> tensors,
                                  const std::map<std::string, std::string>& metadata);

}  // namespace core
