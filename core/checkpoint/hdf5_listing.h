// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <map>
#include <string>
#include <vector>

namespace core {

/// What an HDF5 file of our format holds.
struct Hdf5Listing {
    struct Dataset {
        TensorInfo info;
        bool plain = false;  ///< contiguous and little-endian: at info.offset, needs no library
    };
    std::vector<Dataset> datasets;
    std::map<std::string, std::string> attributes;  ///< of the root, those of text type
};

/// Lists the file with every count, size and offset checked. The library, which a damaged file can
/// crash, runs in a child process.
Hdf5Listing listHdf5(const Path& path);

/// Elements of a dataset that is not plain, decoded in a child process.
void readHdf5(const Path& path, const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
              std::span<std::byte> into);

}  // namespace core
