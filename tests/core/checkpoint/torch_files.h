// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/core/checkpoint/zip_helpers.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace core::test {

/// A pickle written opcode by opcode.
class PickleText {
  public:
    PickleText() : bytes_("\x80\x02") {}

    PickleText& op(std::string_view bytes) {
        bytes_ += bytes;
        return *this;
    }
    PickleText& text(std::string_view value) {
        return op("X").op(littleEndian(value.size(), 4)).op(value);
    }
    PickleText& integer(std::int64_t value) {
        return op("\x8a\x08").op(littleEndian(static_cast<std::uint64_t>(value), 8));
    }
    PickleText& global(std::string_view module, std::string_view name) {
        return op("c").op(module).op("\n").op(name).op("\n");
    }
    PickleText& integers(const std::vector<std::int64_t>& values) {
        op("(");
        for (const std::int64_t value : values) integer(value);
        return op("t");
    }
    PickleText& storage(std::string_view key, std::int64_t elements,
                        std::string_view type = "FloatStorage") {
        op("(").text("storage").global("torch", type).text(key).text("cpu").integer(elements);
        return op("tQ");
    }
    /// What follows the storage in a tensor's call.
    PickleText& view(std::int64_t offset, const std::vector<std::int64_t>& sizes,
                     const std::vector<std::int64_t>& strides) {
        integer(offset).integers(sizes).integers(strides);
        return op("\x89").global("collections", "OrderedDict").op(")R");
    }
    /// A whole tensor of a storage.
    PickleText& tensor(std::string_view key, std::int64_t elements, std::int64_t offset,
                       const std::vector<std::int64_t>& sizes,
                       const std::vector<std::int64_t>& strides) {
        global("torch._utils", "_rebuild_tensor_v2").op("(").storage(key, elements);
        return view(offset, sizes, strides).op("tR");
    }
    std::string end() const { return bytes_ + "."; }

  private:
    std::string bytes_;
};

/// A file of torch.save: the pickle, and the bytes of the storages "0", "1" ...
inline std::string torchBytes(const std::string& pickle,
                              const std::vector<std::string>& storages = {}) {
    std::vector<ZipPart> parts{{"x/data.pkl", pickle}};
    for (const std::string& storage : storages)
        parts.emplace_back("x/data/" + std::to_string(parts.size() - 1), storage);
    return zipBytes(parts);
}

/// The same as an old stream; each storage with its count of elements.
inline std::string torchStreamBytes(const std::string& pickle, const std::string& rest) {
    return std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15) +
           "\x80\x02M\xe9\x03." + "\x80\x02}." + pickle + rest;
}

}  // namespace core::test
