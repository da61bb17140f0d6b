// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/checkpoint/hdf5_internal.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace core {

/// Datasets, groups and list entries that are looked at, and the bytes of all their names.
inline constexpr std::size_t kMaxHdf5Objects = 500'000;
inline constexpr std::size_t kMaxHdf5NameBytes = std::size_t{64} << 20U;

[[noreturn]] void refuseHdf5(const Path& path, const std::string& text,
                             const char* hint = "the file is damaged or of another kind");

Hdf5Handle openHdf5File(const Path& path);

/// Opens objects by their paths, by hard links alone: nothing outside the file is followed. Keeps
/// the groups of the last path open, since the next one mostly lies beside it.
class Hdf5Opener {
  public:
    Hdf5Opener(hid_t root, const Path& path) : root_(root), path_(path) {}
    /// Valid until the next call. BadInput when a part of the path is missing or a link of another
    /// kind; the message calls it `what`.
    hid_t open(std::string_view objectPath, const std::string& what);

  private:
    hid_t root_;
    const Path& path_;
    std::vector<std::pair<std::string, Hdf5Handle>> chain_;  ///< from the root on
};

/// `name` is what the tensor is called, `objectPath` where it lies in the file.
using Hdf5Visitor =
    std::function<void(const std::string& name, const std::string& objectPath, hid_t dataset)>;

/// Every dataset of the file; those in groups are named by their paths without the leading slash.
void walkHdf5Groups(hid_t file, const Path& path, const Hdf5Visitor& visit);

/// Whether the file lists its weights in the attributes of Keras and TensorFlow.
bool isKerasFile(hid_t file);
/// Every weight of such a file, in the order of the attributes. Sentences for a person in `notes`.
void walkKeras(hid_t file, const Path& path, const Hdf5Visitor& visit,
               std::vector<std::string>& notes);

}  // namespace core
