// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <memory>
#include <string>

namespace core {

/// What stands beside the weights in the HF layout: the folder and config.json's text.
struct CheckpointPlace {
    Path folder;
    std::string configText;
};

/// One .safetensors file.
std::shared_ptr<const Checkpoint> openSafetensors(const Path& file, CheckpointPlace place);

/// Shards named by a `*.safetensors.index.json`. Names in it must be plain file names of regular
/// files in the same folder (links may stay in it or lead to the `blobs` of a Hugging Face cache);
/// index and shards must name the same tensors.
std::shared_ptr<const Checkpoint> openShards(const Path& index, CheckpointPlace place);

/// One HDF5 file of our format (hdf5_internal.h).
std::shared_ptr<const Checkpoint> openHdf5(const Path& file, CheckpointPlace place);

/// Programmer's check of Checkpoint::read: the range lies in the tensor and `into` has its bytes.
void checkReadRange(const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
                    std::size_t bytes);

}  // namespace core
