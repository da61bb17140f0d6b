// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace core::test {

inline std::string joined(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const std::string_view part : parts) text += part;
    return text;
}

inline std::string littleEndian(std::uint64_t value, std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFFU);
    return text;
}

/// A .npy array with any header text.
inline std::string npyBytes(std::string_view header, std::string_view data, char major = 1) {
    const std::string version{major, '\0'};
    return joined(
        {"\x93NUMPY", version, littleEndian(header.size(), major == 1 ? 2 : 4), header, data});
}

inline std::string floatsHeader(std::string_view shape) {
    return joined({"{'descr': '<f4', 'fortran_order': False, 'shape': ", shape, "}"});
}

/// A member of a hand-made archive; what it claims can be bent.
struct ZipPart {
    ZipPart(std::string partName, std::string content)
        : name(std::move(partName)),
          data(std::move(content)),
          bytes(data.size()),
          stored(data.size()) {}

    std::string name;
    std::string data;  ///< as it lies in the file
    std::uint64_t bytes, stored;
    unsigned method = 0, flags = 0;
    std::uint32_t crc = 0;
    std::string localName;   ///< where another one than `name`
    std::string localExtra;  ///< behind the local name
    std::int64_t shift = 0;  ///< added to the place that the directory gives
    std::string extra;       ///< in the directory

    ZipPart& deflate() {
        crc = static_cast<std::uint32_t>(
            crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size())));
        std::string packed(data.size() + 100, '\0');
        z_stream state{};
        deflateInit2(&state, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
        state.next_in = reinterpret_cast<Bytef*>(data.data());
        state.avail_in = static_cast<uInt>(data.size());
        state.next_out = reinterpret_cast<Bytef*>(packed.data());
        state.avail_out = static_cast<uInt>(packed.size());
        ::deflate(&state, Z_FINISH);
        packed.resize(state.total_out);
        deflateEnd(&state);
        data = packed;
        stored = packed.size();
        method = Z_DEFLATED;
        return *this;
    }
};

/// What the end of the archive claims, where that is not the truth.
struct ZipEnd {
    std::int64_t moreMembers = 0, moreBytes = 0, moreOffset = 0;
    unsigned disk = 0;
    std::string comment = {};
    std::string gap = {};  ///< `gap` stands between directory and end record
};

inline std::string zipBytes(const std::vector<ZipPart>& parts, const ZipEnd& end = {}) {
    std::string file, directory;
    const auto cut = [](std::uint64_t value) { return littleEndian(value & 0xFFFFFFFFU, 4); };
    const std::string version = littleEndian(20, 2), zeros(10, '\0');
    for (const ZipPart& part : parts) {
        const std::string& local = part.localName.empty() ? part.name : part.localName;
        const auto place =
            static_cast<std::uint64_t>(static_cast<std::int64_t>(file.size()) + part.shift);
        const std::string middle =
            joined({littleEndian(part.flags, 2), littleEndian(part.method, 2),
                    std::string_view(zeros).substr(6), littleEndian(part.crc, 4), cut(part.stored),
                    cut(part.bytes)});
        file +=
            joined({"PK\x03\x04", version, middle, littleEndian(local.size(), 2),
                    littleEndian(part.localExtra.size(), 2), local, part.localExtra, part.data});
        directory +=
            joined({"PK\x01\x02", version, version, middle, littleEndian(part.name.size(), 2),
                    littleEndian(part.extra.size(), 2), zeros, cut(place), part.name, part.extra});
    }
    const auto claimed = [](std::size_t truth, std::int64_t more) {
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(truth) + more);
    };
    const std::string members = littleEndian(claimed(parts.size(), end.moreMembers), 2);
    return joined({file, directory, end.gap, "PK\x05\x06", littleEndian(end.disk, 2),
                   std::string_view(zeros).substr(8), members, members,
                   cut(claimed(directory.size(), end.moreBytes)),
                   cut(claimed(file.size(), end.moreOffset)), littleEndian(end.comment.size(), 2),
                   end.comment});
}

/// A part that is a good array of `count` floats 0, 1, 2 ...
inline ZipPart floatsPart(const std::string& name, std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i);
    return {joined({name, ".npy"}),
            npyBytes(floatsHeader(joined({"(", std::to_string(count), ",)"})),
                     {reinterpret_cast<const char*>(values.data()), 4 * count})};
}

}  // namespace core::test
