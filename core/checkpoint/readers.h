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

/// One HDF5 file: of our format (hdf5_names.h); as Keras and TensorFlow write it (tensors named
/// LAYER/WEIGHT by the attributes layer_names and weight_names); or with nested groups of datasets
/// (tensors named by their paths without the leading slash).
std::shared_ptr<const Checkpoint> openHdf5(const Path& file, CheckpointPlace place);

/// One .npz file: a zip archive of .npy members (versions 1.0 to 3.0, stored or deflated). Tensor
/// names are member names without ".npy"; bfloat16 comes as void(2). Arrays in Fortran order (of up
/// to 4 GiB) are gathered in memory. Members that are no .npy are noted. A config.json that our
/// writer put into the archive's comment (npz_names.h) goes before the file beside it.
std::shared_ptr<const Checkpoint> openNpz(const Path& file, CheckpointPlace place);

/// One file that torch.save wrote: a zip archive with data.pkl, or the older single stream. The
/// pickle is read by an interpreter that knows the few callables of state dicts and refuses all
/// others by name; nothing in it is ever run. Tensors that are not contiguous are gathered.
std::shared_ptr<const Checkpoint> openTorch(const Path& file, CheckpointPlace place);

/// Files named by a `pytorch_model.bin.index.json`, under the rules of openShards.
std::shared_ptr<const Checkpoint> openTorchShards(const Path& index, CheckpointPlace place);

/// Programmer's check of Checkpoint::read: the range lies in the tensor and `into` has its bytes.
void checkReadRange(const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
                    std::size_t bytes);

}  // namespace core
