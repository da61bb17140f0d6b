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
constexpr std::size_t kTypicalEntry = 100;  ///< bytes of JSON per tensor
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

class HeaderParser {
  public:
    HeaderParser(const File& file, std::string_view text)
        : file_(file),
          cursor_(text, file.path().string() + ": header", 8),
          fileName_(file.path().filename().string()) {
        header_.tensors.reserve(text.size() / kTypicalEntry);
    }

    /// Offsets still count from the start of the data.
    SafetensorsHeader parse() {
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
        return std::move(header_);
    }

  private:
    void parseMetadata() {
        cursor_.object("an object of texts as __metadata__", [&](std::string_view key) {
            const std::string_view value = cursor_.string("a text as value in __metadata__");
            if (!header_.metadata.emplace(key, value).second)
                refuse(file_, fmt::format("__metadata__ has '{}' twice", printable(key)));
        });
    }

    void parseEntry(std::string_view name) {
        TensorInfo& tensor = header_.tensors.emplace_back();
        tensor.name = name;
        tensor.file = fileName_;
        std::uint64_t end = 0;
        unsigned seen = 0;
        const auto once = [&](unsigned bit, std::string_view key) {
            if ((seen & bit) != 0) refuseTensor(name, fmt::format("has '{}' twice", key));
            seen |= bit;
        };
        cursor_.object("an object describing a tensor", [&](std::string_view key) {
            if (key == "dtype") {
                once(1, key);
                parseDType(tensor);
            } else if (key == "shape") {
                once(2, key);
                parseShape(tensor);
            } else if (key == "data_offsets") {
                once(4, key);
                end = parseOffsets(tensor);
            } else {
                cursor_.skipValue();
            }
        });
        constexpr std::array<std::string_view, 3> kKeys{"dtype", "shape", "data_offsets"};
        for (unsigned i = 0; i < kKeys.size(); ++i)
            if ((seen & (1U << i)) == 0) refuseTensor(name, fmt::format("has no '{}'", kKeys[i]));
        checkBytes(tensor, end);
    }

    void parseDType(TensorInfo& tensor) {
        const std::string_view text = cursor_.string("a dtype in double quotes");
        const std::optional<DType> dtype = dtypeFromName(text);
        if (!dtype)
            refuseTensor(tensor.name,
                         fmt::format("has dtype '{}', expected one of F64 F32 F16 BF16 F8_E4M3 "
                                     "F8_E5M2 I64 I32 I16 I8 U64 U32 U16 U8 BOOL",
                                     printable(text, 40)));
        tensor.dtype = *dtype;
    }

    void parseShape(TensorInfo& tensor) {
        std::vector<std::int64_t> sizes;
        sizes.reserve(4);
        cursor_.array("an array of sizes", [&] {
            const std::uint64_t size = cursor_.wholeNumber("a size (a whole number from 0)");
            if (size > (std::uint64_t{1} << 62U))
                refuseTensor(tensor.name, fmt::format("has the absurd size {}", size));
            if (sizes.size() == kMaxRank)
                refuseTensor(tensor.name, fmt::format("has more than {} axes", kMaxRank));
            sizes.push_back(static_cast<std::int64_t>(size));
        });
        tensor.shape = Shape(std::move(sizes));
    }

    /// Returns the end.
    std::uint64_t parseOffsets(TensorInfo& tensor) {
        cursor_.expect('[', "an array of two offsets");
        tensor.offset = cursor_.wholeNumber("the first offset (a whole number from 0)");
        cursor_.expect(',', "a comma between two offsets");
        const std::uint64_t end = cursor_.wholeNumber("the second offset (a whole number from 0)");
        cursor_.expect(']', "the end of an array of two offsets");
        return end;
    }

    void checkBytes(TensorInfo& tensor, std::uint64_t end) {
        const std::optional<std::int64_t> elements = tensor.shape.checkedElements();
        const std::uint64_t width = dtypeBytes(tensor.dtype);
        if (!elements || static_cast<std::uint64_t>(*elements) > UINT64_MAX / width)
            refuseTensor(tensor.name,
                         fmt::format("has the absurd shape {}", toString(tensor.shape)));
        tensor.bytes = static_cast<std::uint64_t>(*elements) * width;
        if (end < tensor.offset || end - tensor.offset != tensor.bytes)
            refuseTensor(
                tensor.name,
                fmt::format("has data_offsets [{}, {}], but {} {} needs {} bytes", tensor.offset,
                            end, dtypeName(tensor.dtype), toString(tensor.shape), tensor.bytes));
    }

    [[noreturn]] void refuseTensor(std::string_view name, const std::string& text) {
        refuse(file_, fmt::format("tensor '{}' {}", printable(name), text));
    }

    const File& file_;
    JsonCursor cursor_;
    std::string fileName_;
    SafetensorsHeader header_;
};

/// Ranges must follow one another without hole or overlap and fill the file.
void checkRanges(const File& file, std::vector<TensorInfo>& tensors, std::uint64_t dataBytes) {
    const auto byOffset = [](const TensorInfo& a, const TensorInfo& b) {
        return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
    };
    if (!std::is_sorted(tensors.begin(), tensors.end(), byOffset))
        std::stable_sort(tensors.begin(), tensors.end(), byOffset);
    std::uint64_t expected = 0;
    for (const TensorInfo& tensor : tensors) {
        const std::uint64_t end = tensor.offset + tensor.bytes;
        if (end > dataBytes)
            refuse(file, fmt::format("tensor '{}' ends at byte {} of the data, which has {}",
                                     printable(tensor.name), end, dataBytes));
        if (tensor.offset != expected)
            refuse(file, fmt::format("tensor '{}' begins at byte {} of the data, expected {} ({})",
                                     printable(tensor.name), tensor.offset, expected,
                                     tensor.offset < expected ? "it overlaps the one before"
                                                              : "there is a hole before it"));
        expected = end;
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
    SafetensorsHeader header = HeaderParser(file, text).parse();
    checkRanges(file, header.tensors, fileBytes - 8 - length);
    for (TensorInfo& tensor : header.tensors) tensor.offset += 8 + length;
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
