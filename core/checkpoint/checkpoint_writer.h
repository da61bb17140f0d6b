// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/checkpoint/checkpoint.h"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace core {

enum class FileFormat { Safetensors, Hdf5, Npz };

struct WriterOptions {
    FileFormat format = FileFormat::Safetensors;
    /// Safetensors in more files (model-00001-of-0000N.safetensors + index) once one would exceed
    /// this; 0 = never.
    std::uint64_t maxShardBytes = 0;
    bool force = false;  ///< an existing target may be replaced
    /// config.json's text: a file in a folder, the attribute "config" in HDF5, __metadata__'s
    /// "upcycler.config" in a .safetensors file alone, the comment of an .npz alone (npz_names.h);
    /// empty = none.
    std::string configText;
    /// safetensors __metadata__ / HDF5 attributes; an .npz has no place for it.
    std::map<std::string, std::string> metadata;
};

/// Streams tensors to a temporary beside the target; `commit()` makes it visible in one step, else
/// nothing remains. Target: a directory (model.safetensors, model.h5 or model.npz + config.json and
/// further files) unless its name ends in .safetensors, .h5, .hdf5 or .npz (then one file alone).
/// Disk space is reserved before the first tensor.
class CheckpointWriter {
  public:
    /// `tensors`: name, dtype and shape of all that will be written, in that order (bytes, file,
    /// offset are ignored).
    static std::unique_ptr<CheckpointWriter> create(const Path& target,
                                                    std::vector<TensorInfo> tensors,
                                                    const WriterOptions& options);
    virtual ~CheckpointWriter() = default;

    /// Whether `target` names a directory, by the rule above.
    static bool isFolder(const Path& target);

    /// Refuses what `create` would refuse of the target, and leaves nothing there.
    static void checkTarget(const Path& target, const WriterOptions& options);

    /// Appends the next bytes of tensor `index` (row-major, stored dtype). Tensors may come in any
    /// order, each in sequence.
    virtual void write(std::size_t index, std::span<const std::byte> bytes) = 0;
    /// Whether the target is a directory, so that addFile is possible.
    virtual bool takesFiles() const noexcept = 0;
    /// A further file beside the weights (tokenizer, model card ...); only for directory targets.
    virtual void addFile(const std::string& name, std::string_view content) = 0;
    /// Throws Internal when a tensor is incomplete.
    virtual void commit() = 0;
};

}  // namespace core
