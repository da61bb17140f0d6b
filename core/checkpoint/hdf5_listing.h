// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/shared_bytes.h"

#include <map>
#include <string>
#include <vector>

namespace core {

/// What an HDF5 file holds: of our format (hdf5_names.h), of Keras and TensorFlow (names from
/// attributes) or with datasets in groups (names are paths).
struct Hdf5Listing {
    struct Dataset {
        TensorInfo info;
        std::string objectPath;  ///< in the file; mostly the name
        bool plain = false;      ///< contiguous and little-endian: at info.offset, needs no library
        /// Elements from a multiple of it on that are decoded at once where it is not plain.
        std::int64_t together = 1;
    };
    std::vector<Dataset> datasets;  ///< by name, or as Keras lists them
    bool keras = false;
    std::vector<std::string> notes;
    std::map<std::string, std::string> attributes;  ///< of the root, those of text type
};

/// Lists the file with every count, size and offset checked. The library, which a damaged file can
/// crash, runs in a child process.
Hdf5Listing listHdf5(const Path& path);

/// Elements of a dataset that is not plain, decoded in a child process; `into` has exactly their
/// bytes.
void readHdf5(const Path& path, const Hdf5Listing::Dataset& from, std::int64_t begin,
              std::int64_t count, const SharedBytes& into);

}  // namespace core
