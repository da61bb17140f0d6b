// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/carried_files.h"

#include "core/base/text.h"
#include "core/checkpoint/safe_link.h"
#include "core/surgery/modeling.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

namespace core {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20U;

constexpr std::array<std::string_view, 4> kOurs{"config.json", "training.json", kVitModelingName,
                                                kT5ModelingName};
constexpr std::array<std::string_view, 14> kWeightEndings{
    ".safetensors", ".index.json", ".h5",   ".hdf5", ".bin", ".pt",  ".pth",
    ".ckpt",        ".msgpack",    ".gguf", ".onnx", ".npz", ".npy", ".tflite"};

bool isCarried(const std::string& name) {
    if (name.starts_with(".") || name.find(".tmp") != std::string::npos) return false;
    if (std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end()) return false;
    return std::none_of(kWeightEndings.begin(), kWeightEndings.end(),
                        [&](std::string_view ending) { return name.ends_with(ending); });
}

}  // namespace

CarriedFiles carriedFiles(const Path& folder) {
    CarriedFiles files;
    std::error_code code;
    if (!std::filesystem::exists(folder / "config.json", code)) return files;
    for (auto entry = std::filesystem::directory_iterator(folder, code);
         !code && entry != std::filesystem::directory_iterator(); entry.increment(code)) {
        const std::string name = entry->path().filename().string();
        std::error_code ignored;
        if (!isCarried(name) || !entry->is_regular_file(ignored)) continue;
        const std::uint64_t bytes = entry->file_size(ignored);
        if (!isSafeLink(entry->path(), folder))
            files.leftOut.push_back(
                fmt::format("{} (a link that leads out of its folder)", printable(name)));
        else if (bytes > kMostBytes)
            files.leftOut.push_back(
                fmt::format("{} ({})", printable(name), formatBytes(static_cast<double>(bytes))));
        else
            files.names.push_back(name);
    }
    std::sort(files.names.begin(), files.names.end());
    std::sort(files.leftOut.begin(), files.leftOut.end());
    return files;
}

}  // namespace core
