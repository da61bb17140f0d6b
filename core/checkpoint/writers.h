// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/checkpoint/checkpoint_writer.h"
#include "core/checkpoint/output_file.h"

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace core {

/// Where the files of a checkpoint are written: into a folder, or (folder empty) one file alone.
struct WritePlace {
    Path folder;
    Path file;             ///< the single file's path while it is written
    std::string fileName;  ///< and its name once it is whole
    Path pathOf(const std::string& name) const { return folder.empty() ? file : folder / name; }
};

/// Files that hold everything but the tensors' elements, with their space reserved; the tensors
/// know file, offset and bytes.
using LaidOutFiles = std::map<std::string, File, std::less<>>;

/// What a format still has to write once it knows the elements (checksums).
class WriteSeal {
  public:
    virtual ~WriteSeal() = default;
    /// The next bytes of tensor `index`, as CheckpointWriter::write gets them.
    virtual void see(std::size_t index, std::span<const std::byte> bytes) = 0;
    /// Everything was seen: writes what is missing into the one file.
    virtual void seal(OutputFile& file) = 0;
};

struct SealedFiles {
    LaidOutFiles files;  ///< exactly one
    std::unique_ptr<WriteSeal> seal;
};

LaidOutFiles layOutSafetensors(const WritePlace& place, std::vector<TensorInfo>& tensors,
                               const WriterOptions& options);
LaidOutFiles layOutHdf5(const WritePlace& place, std::vector<TensorInfo>& tensors,
                        const WriterOptions& options);
SealedFiles layOutNpz(const WritePlace& place, std::vector<TensorInfo>& tensors,
                      const WriterOptions& options);

}  // namespace core
