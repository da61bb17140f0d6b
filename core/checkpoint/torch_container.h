// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/checkpoint/pickle.h"
#include "core/checkpoint/zip_archive.h"
#include "core/tensor/dtype.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// A run of elements that tensors are views of.
struct TorchStorage {
    std::uint64_t bytes = 0;
    std::uint64_t offset = 0;         ///< of its first byte in the file
    std::optional<ZipMember> packed;  ///< where it is a deflated member instead
};

/// What the pickle says of a storage: ("storage", TYPE, KEY, DEVICE, ELEMENTS[, VIEW]).
struct StorageClaim {
    std::string_view key;
    std::string_view type;       ///< "torch.FloatStorage"
    std::optional<DType> dtype;  ///< none for untyped bytes and for types that are not read
    bool untyped = false;
    std::uint64_t width = 1;  ///< bytes of an element
    std::uint64_t elements = 0;
    /// The old container's part of a storage: elements [viewBegin, viewBegin + viewElements).
    std::uint64_t viewBegin = 0, viewElements = 0;
};

/// A file of torch.save: the pickle of what was saved, and where the storages lie.
struct TorchContainer {
    Pickle pickle;
    std::map<std::string, TorchStorage, std::less<>> storages;  ///< by key
    bool bigEndian = false;
    std::string where;  ///< "FILE: data.pkl", for messages about the pickle
};

/// Reads either container:
///   zip:    NAME/data.pkl, NAME/data/KEY, NAME/byteorder ("little" or "big"); since torch 1.6
///   stream: pickles of a magic number, the protocol 1001, facts of the system, what was saved, a
///           list of keys; then for each key an int64 count of elements and the elements, always
///           little-endian
/// BadInput unless every storage that the pickle speaks of is there with the bytes it needs.
TorchContainer readTorchContainer(const File& file);

/// Reads the persistent id `id`. BadInput unless it is one of a storage.
StorageClaim readStorageClaim(const Pickle& pickle, PickleRef id, const std::string& where);

}  // namespace core
