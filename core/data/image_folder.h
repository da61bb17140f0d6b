// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/data/data_source.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace core {

/// Image files of a folder with one folder a class (files deeper inside belong to it too); classes
/// and files in the order of their names. Names that begin with a dot are skipped.
struct ImageFolderListing {
    std::vector<std::string> classNames;
    std::vector<Path> files;
    std::vector<std::int64_t> labels;
};

/// Lists *.jpg, *.jpeg and *.png. `classNames` empty: the folders are the classes (BadInput when
/// there is none, or one holds no image); otherwise labels follow those names and another folder is
/// BadInput.
ImageFolderListing listImageFolder(const Path& folder, const std::vector<std::string>& classNames);

/// The folder that holds `split` under `root` (train, test, validation or val); empty when `root`
/// has none for it. Only a root with a train folder is split by folders.
Path splitFolder(const Path& root, Split split);

/// images:DIR. Decoded pictures stay in memory when all of them take no more than 256 MiB.
std::shared_ptr<const ImageDataset> openImageFolder(const Path& root, Split split,
                                                    const ImageShape& shape, std::uint64_t seed);

}  // namespace core
