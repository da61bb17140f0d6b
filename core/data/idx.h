// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/data/data_source.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace core {

/// An IDX file of unsigned bytes (magic 0x00 0x00 0x08 rank, big-endian sizes, elements), as
/// MNIST's.
struct IdxFile {
    std::vector<std::int64_t> sizes;
    std::vector<std::uint8_t> values;
};

/// Reads a plain or gzip file. BadInput names the file and the place where magic, rank, sizes or
/// length are not those of an IDX file of `rank`; memory grows with the bytes that are really
/// there.
IdxFile readIdx(const Path& path, int rank);

/// MNIST's four file names ("train-images-idx3-ubyte" ...), plain or .gz, in `folder`. Split Train
/// or Test. `name` is what the description calls it, `classNames` may be empty.
std::shared_ptr<const ImageDataset> openIdxFolder(const Path& folder, Split split,
                                                  const ImageShape& shape, const std::string& name,
                                                  std::vector<std::string> classNames);

}  // namespace core
