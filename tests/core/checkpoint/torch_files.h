// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace core::test {

inline std::string littleEndian(std::uint64_t value, std::size_t width) {
    std::string bytes(width, '\0');
    std::memcpy(bytes.data(), &value, width);
    return bytes;
}

struct ZipEntry {
    std::string name;
    std::string content;
};

/// A zip archive of stored members (without checksums, as torch can write them).
inline std::string zipBytes(const std::vector<ZipEntry>& entries) {
    std::string bytes, directory;
    for (const ZipEntry& entry : entries) {
        const std::string sizes = littleEndian(entry.content.size(), 4) +
                                  littleEndian(entry.content.size(), 4) +
                                  littleEndian(entry.name.size(), 2) + littleEndian(0, 2);
        const std::string common = littleEndian(20, 2) + std::string(12, '\0') + sizes;
        directory += "PK\x01\x02" + littleEndian(20, 2) + common + std::string(10, '\0') +
                     littleEndian(bytes.size(), 4) + entry.name;
        bytes += "PK\x03\x04" + common + entry.name + entry.content;
    }
    const std::size_t at = bytes.size();
    return bytes + directory + std::string("PK\x05\x06\0\0\0\0", 8) +
           littleEndian(entries.size(), 2) + littleEndian(entries.size(), 2) +
           littleEndian(directory.size(), 4) + littleEndian(at, 4) + littleEndian(0, 2);
}

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
    std::vector<ZipEntry> entries{{"x/data.pkl", pickle}};
    for (const std::string& storage : storages)
        entries.push_back({"x/data/" + std::to_string(entries.size() - 1), storage});
    return zipBytes(entries);
}

/// The same as an old stream; each storage with its count of elements.
inline std::string torchStreamBytes(const std::string& pickle, const std::string& rest) {
    return std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15) +
           "\x80\x02M\xe9\x03." + "\x80\x02}." + pickle + rest;
}

}  // namespace core::test
