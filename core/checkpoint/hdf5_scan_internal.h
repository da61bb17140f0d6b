// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/hdf5_listing.h"

namespace core {

/// `listHdf5` in this process: a damaged file may crash it.
Hdf5Listing scanHdf5(const Path& path, std::uint64_t fileBytes);

/// `readHdf5` in this process. A range of the flattened tensor is read as a few boxes.
void readHdf5Boxes(const Path& path, const Hdf5Listing::Dataset& from, std::int64_t begin,
                   std::int64_t count, std::span<std::byte> into);

}  // namespace core
