// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/safetensors_file.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/json_cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kMaxRank = 64;
constexpr const char* kDamaged = "the file is damaged or cut short: copy or download it again";

[[noreturn]] void refuse(const File& file, const std::string& text) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", file.path().string(), text), kDamaged);
}

/// The length of the JSON, checked against the size of the file.
std::uint64_t readHeaderLength(const File& file, std::uint64_t fileBytes) {
    if (fileBytes < 8)
        refuse(file,
               fmt::format("the file has {} bytes, a safetensors file has at least 8", fileBytes));
    std::array<std::byte, 8> raw{};
    file.readAt(0, raw);
    std::uint64_t length = 0;
    std::memcpy(&length, raw.data(), raw.size());
    if (length > kMaxSafetensorsHeader)
        refuse(file, fmt::format("the header claims {} bytes, at most {} are allowed", length,
                                 kMaxSafetensorsHeader));
    if (length > fileBytes - 8)
        refuse(file, fmt::format("the header claims {} bytes, but only {} follow", length,
                                 fileBytes - 8));
    return length;
}

struct Entry {
    TensorInfo info;
    std::uint64_t end = 0;  ///< info.offset and end count from the start of the data
};

class HeaderParser {
  public:
    HeaderParser(const File& file, std::string_view text)
        : file_(file),
          cursor_(text, file.path().string() + ": header", 8),
          fileName_(file.path().filename().string()) {}

    std::pair<std::vector<Entry>, std::map<std::string, std::string>> parse() {
        bool metadataSeen = false;
        cursor_.object("a JSON object", [&](std::string_view key) {
            if (key != "__metadata__") {
                parseEntry(key);
                return;
            }
            if (std::exchange(metadataSeen, true)) refuse(file_, "__metadata__ occurs twice");
            parseMetadata();
        });
        cursor_.expectEnd();
        return {std::move(entries_), std::move(metadata_)};
    }

  private:
    void parseMetadata() {
        cursor_.object("an object of texts as __metadata__", [&](std::string_view key) {
            const std::string_view value = cursor_.string("a text as value in __metadata__");
            if (!metadata_.emplace(key, value).second)
                refuse(file_, fmt::format("__metadata__ has '{}' twice", printable(key)));
        });
    }

    void parseEntry(std::string_view name) {
        Entry& entry = entries_.emplace_back();
        entry.info.name = name;
        entry.info.file = fileName_;
        unsigned seen = 0;
        const auto once = [&](unsigned bit, std::string_view key) {
            if ((seen & bit) != 0) refuseTensor(name, fmt::format("has '{}' twice", key));
            seen |= bit;
        };
        cursor_.object("an object describing a tensor", [&](std::string_view key) {
            if (key == "dtype") {
                once(1, key);
                parseDType(entry);
            } else if (key == "shape") {
                once(2, key);
                parseShape(entry);
            } else if (key == "data_offsets") {
                once(4, key);
                parseOffsets(entry);
            } else {
                cursor_.skipValue();
            }
        });
        constexpr std::array<std::string_view, 3> kKeys{"dtype", "shape", "data_offsets"};
        for (unsigned i = 0; i < kKeys.size(); ++i)
            if ((seen & (1U << i)) == 0) refuseTensor(name, fmt::format("has no '{}'", kKeys[i]));
        checkBytes(entry);
    }

    void parseDType(Entry& entry) {
        const std::string_view text = cursor_.string("a dtype in double quotes");
        const std::optional<DType> dtype = dtypeFromName(text);
        if (!dtype)
            refuseTensor(entry.info.name,
                         fmt::format("has dtype '{}', expected one of F64 F32 F16 BF16 F8_E4M3 "
                                     "F8_E5M2 I64 I32 I16 I8 U64 U32 U16 U8 BOOL",
                                     printable(text, 40)));
        entry.info.dtype = *dtype;
    }

    void parseShape(Entry& entry) {
        std::vector<std::int64_t> sizes;
        cursor_.array("an array of sizes", [&] {
            const std::uint64_t size = cursor_.wholeNumber("a size (a whole number from 0)");
            if (size > (std::uint64_t{1} << 62U))
                refuseTensor(entry.info.name, fmt::format("has the absurd size {}", size));
            if (sizes.size() == kMaxRank)
                refuseTensor(entry.info.name, fmt::format("has more than {} axes", kMaxRank));
            sizes.push_back(static_cast<std::int64_t>(size));
        });
        entry.info.shape = Shape(std::move(sizes));
    }

    void parseOffsets(Entry& entry) {
        cursor_.expect('[', "an array of two offsets");
        entry.info.offset = cursor_.wholeNumber("the first offset (a whole number from 0)");
        cursor_.expect(',', "a comma between two offsets");
        entry.end = cursor_.wholeNumber("the second offset (a whole number from 0)");
        cursor_.expect(']', "the end of an array of two offsets");
    }

    void checkBytes(Entry& entry) {
        const TensorInfo& info = entry.info;
        const std::optional<std::int64_t> elements = info.shape.checkedElements();
        const std::uint64_t width = dtypeBytes(info.dtype);
        if (!elements || static_cast<std::uint64_t>(*elements) > UINT64_MAX / width)
            refuseTensor(info.name, fmt::format("has the absurd shape {}", toString(info.shape)));
        const std::uint64_t bytes = static_cast<std::uint64_t>(*elements) * width;
        if (entry.end < info.offset || entry.end - info.offset != bytes)
            refuseTensor(
                info.name,
                fmt::format("has data_offsets [{}, {}], but {} {} needs {} bytes", info.offset,
                            entry.end, dtypeName(info.dtype), toString(info.shape), bytes));
        entry.info.bytes = bytes;
    }

    [[noreturn]] void refuseTensor(std::string_view name, const std::string& text) {
        refuse(file_, fmt::format("tensor '{}' {}", printable(name), text));
    }

    const File& file_;
    JsonCursor cursor_;
    std::string fileName_;
    std::vector<Entry> entries_;
    std::map<std::string, std::string> metadata_;
};

/// Ranges must follow one another without hole or overlap and fill the file.
void checkRanges(const File& file, std::vector<Entry>& entries, std::uint64_t dataBytes) {
    const auto byOffset = [](const Entry& a, const Entry& b) {
        return std::pair(a.info.offset, a.end) < std::pair(b.info.offset, b.end);
    };
    if (!std::is_sorted(entries.begin(), entries.end(), byOffset))
        std::stable_sort(entries.begin(), entries.end(), byOffset);
    std::uint64_t expected = 0;
    for (const Entry& entry : entries) {
        if (entry.end > dataBytes)
            refuse(file, fmt::format("tensor '{}' ends at byte {} of the data, which has {}",
                                     printable(entry.info.name), entry.end, dataBytes));
        if (entry.info.offset != expected)
            refuse(file, fmt::format("tensor '{}' begins at byte {} of the data, expected {} ({})",
                                     printable(entry.info.name), entry.info.offset, expected,
                                     entry.info.offset < expected ? "it overlaps the one before"
                                                                  : "there is a hole before it"));
        expected = entry.end;
    }
    if (expected != dataBytes)
        refuse(file, fmt::format("the tensors end at byte {} of the data, which has {}", expected,
                                 dataBytes));
}

}  // namespace

SafetensorsHeader readSafetensorsHeader(const File& file) {
    const std::uint64_t fileBytes = file.size();
    const std::uint64_t length = readHeaderLength(file, fileBytes);
    std::string text(length, '\0');
    file.readAt(8, std::as_writable_bytes(std::span(text)));
    auto [entries, metadata] = HeaderParser(file, text).parse();
    checkRanges(file, entries, fileBytes - 8 - length);
    SafetensorsHeader header;
    header.metadata = std::move(metadata);
    header.tensors.reserve(entries.size());
    for (Entry& entry : entries) {
        entry.info.offset += 8 + length;
        header.tensors.push_back(std::move(entry.info));
    }
    return header;
}

std::string makeSafetensorsHeader(std::span<TensorInfo> tensors,
                                  const std::map<std::string, std::string>& metadata) {
    std::string text(8, '\0');
    text += '{';
    if (!metadata.empty()) {
        text += "\"__metadata__\":{";
        for (const auto& [key, value] : metadata) {
            if (text.back() != '{') text += ',';
            text += jsonQuoted(key) + ':' + jsonQuoted(value);
        }
        text += '}';
    }
    std::uint64_t offset = 0;
    for (TensorInfo& tensor : tensors) {
        tensor.bytes =
            static_cast<std::uint64_t>(tensor.shape.elements()) * dtypeBytes(tensor.dtype);
        tensor.offset = offset;
        if (text.back() != '{') text += ',';
        text += jsonQuoted(tensor.name);
        text += fmt::format(":{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                            dtypeName(tensor.dtype), fmt::join(tensor.shape.sizes(), ","), offset,
                            offset + tensor.bytes);
        offset += tensor.bytes;
    }
    text += '}';
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size() - 8;
    std::memcpy(text.data(), &length, sizeof(length));
    for (TensorInfo& tensor : tensors) tensor.offset += text.size();
    return text;
}

}  // namespace core
