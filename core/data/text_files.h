// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/data/data_source.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

struct TextFile {
    Path path;
    std::string name;  ///< below the folder that was given, which may move; unique in its source
    bool operator==(const TextFile&) const = default;
};

/// The texts of a SOURCE "text:PATH,..." or "jsonl:PATH,...": files, or folders with all that lies
/// below them. Plain or gzip, told by their first bytes.
struct TextSource {
    enum class Kind { Text, JsonLines };
    Kind kind = Kind::Text;
    std::string name;             ///< as given
    std::vector<TextFile> train;  ///< sorted
    std::vector<TextFile> held;   ///< of validation/ or test/; empty: cut off from train
    Split heldPart = Split::Validation;
};

/// Whether SOURCE is one of these (or synthetic tokens, which lie in no file).
bool isTextSource(const std::string& source);

/// The same source with absolute paths.
std::string absoluteTextSource(const std::string& source);

/// BadInput when a path does not exist, holds no file, or a file is empty or does not look like
/// text (the first 64 KiB are looked at).
TextSource openTextSource(const std::string& source);

/// A paragraph of a text file (lines up to a blank one) or a line of a JSONL file. A paragraph of
/// more than kLongestDocument bytes is several documents, cut at an end of line, else at white
/// space, else between characters; a longer line of JSON than kLongestJsonLine is BadInput.
struct Document {
    std::string text;          ///< valid UTF-8: what was not has become U+FFFD
    std::uint64_t offset = 0;  ///< of its first byte in the unpacked file
    std::int64_t line = 0;     ///< of its first line, from 1
};
constexpr std::size_t kLongestDocument = 4096;
/// Where to cut `text`, which is longer than `most` bytes, at `most` or before: behind white space
/// in their second half, else so that no character is cut in two.
std::size_t cutBefore(std::string_view text, std::size_t most);
constexpr std::size_t kLongestJsonLine = std::size_t{1} << 24U;

/// A document's text: itself, or the field of its JSON. BadInput names file, line and field.
std::string documentText(const Document& document, const TextSource& source, const Path& file,
                         const std::string& fieldName);

/// Reads a file's documents one after the other in little memory.
class DocumentReader {
  public:
    /// Goes on at a document's offset and line.
    DocumentReader(const Path& file, TextSource::Kind kind, std::uint64_t offset = 0,
                   std::int64_t line = 1);
    ~DocumentReader();
    DocumentReader(const DocumentReader&) = delete;
    DocumentReader& operator=(const DocumentReader&) = delete;

    std::optional<Document> next();
    /// Where the next one may begin.
    struct Place {
        std::uint64_t offset = 0;
        std::int64_t line = 1;
    };
    Place place() const;
    /// Bytes of invalid UTF-8 so far.
    std::uint64_t replaced() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace core
