// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_index.h"

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace core {

/// How the names of shards end.
inline constexpr std::string_view kSafetensorsShards = ".safetensors";
inline constexpr std::string_view kTorchShards = ".bin";

/// A `*.safetensors.index.json` or `*.bin.index.json`: {"metadata": {"total_size": bytes},
/// "weight_map": {tensor: file}}.
struct ShardIndex {
    std::map<std::string, std::string, std::less<>> tensors;  ///< name -> file
    std::set<std::string> files;

    /// BadInput unless the index puts `tensor` into `file`.
    void requireNamed(std::string_view tensor, std::string_view file, const Path& index) const;
    /// BadInput unless `found`, which holds the shards' tensors, has every tensor once.
    void requireWhole(const TensorIndex& found, const Path& index) const;
};

/// Every file must be a plain name: no folder, no "..", not hidden, ending in `ending`.
ShardIndex readShardIndex(const Path& path, std::string_view ending);

/// Opens a shard beside its index. A missing one and an unsafe link (safe_link.h) are refused.
File openShard(const Path& index, const std::string& name);

/// The index of `tensors`, each in its `file`.
std::string makeShardIndex(std::span<const TensorInfo> tensors);

}  // namespace core
