// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/hdf5_names.h"
#include "core/tensor/dtype.h"

#include <hdf5.h>

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace core {

/// The library keeps global state: hold one of these around every call. Its own error printing and
/// its loading of plug-ins are off from the first one on.
class Hdf5Lock {
  public:
    Hdf5Lock();

  private:
    std::lock_guard<std::recursive_mutex> guard_;
};

/// An open HDF5 object; invalid when negative.
class Hdf5Handle {
  public:
    using Closer = herr_t (*)(hid_t);
    Hdf5Handle() = default;
    Hdf5Handle(hid_t id, Closer closer) : id_(id), closer_(closer) {}
    Hdf5Handle(Hdf5Handle&& other) noexcept
        : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
    Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
        std::swap(id_, other.id_);
        std::swap(closer_, other.closer_);
        return *this;
    }
    Hdf5Handle(const Hdf5Handle&) = delete;
    Hdf5Handle& operator=(const Hdf5Handle&) = delete;
    ~Hdf5Handle() { close(); }

    bool valid() const noexcept { return id_ >= 0; }
    hid_t get() const noexcept { return id_; }
    /// False when the library reports a failure.
    bool close() {
        const hid_t id = std::exchange(id_, -1);
        return id < 0 || closer_(id) >= 0;
    }

  private:
    hid_t id_ = -1;
    Closer closer_ = nullptr;
};

/// The type in which a tensor is stored (little-endian).
Hdf5Handle hdf5TypeOf(DType dtype);
/// Whether `hdf5TypeOf(dtype)` alone does not tell the dtype, so that the attribute is needed.
bool needsDTypeAttribute(DType dtype) noexcept;

/// A stored element type that we know: what it is and the memory type to read it by.
struct Hdf5Element {
    DType dtype = DType::F32;
    bool littleEndian = true;
    Hdf5Handle memoryType;
};
/// `label`: the "dtype" attribute or empty. Nothing for types that are not numbers or contradict
/// it.
std::optional<Hdf5Element> hdf5Element(hid_t type, std::string_view label);

/// The text of a scalar string attribute; nothing when it is of another kind or not readable.
std::optional<std::string> readTextAttribute(hid_t object, const char* name);
/// The texts of an attribute that is a list of strings of fixed or variable length; an empty list
/// of any type is one too (h5py writes those as floats). Nothing when it is of another kind, not
/// readable, or has more than `maxTexts` texts or `maxBytes` bytes.
std::optional<std::vector<std::string>> readTextList(hid_t object, const char* name,
                                                     std::size_t maxTexts, std::size_t maxBytes);
/// A scalar UTF-8 string of variable length. False on failure.
bool writeTextAttribute(hid_t object, const char* name, const std::string& text);

}  // namespace core
