// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/data/text_files.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 17U;

struct CloseGzip {
    void operator()(gzFile file) const { gzclose(file); }
};

bool isBlank(std::string_view line) {
    return std::all_of(line.begin(), line.end(), [](char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
    });
}

}  // namespace

std::size_t cutBefore(std::string_view text, std::size_t most) {
    const std::size_t space = text.substr(0, most).find_last_of(" \t\r");
    if (space != std::string_view::npos && space >= most / 2) return space + 1;
    std::size_t end = most;
    while (end > 0 && most - end < 4 && (static_cast<unsigned char>(text[end]) >> 6U) == 2) --end;
    return end > 0 ? end : most;
}

class DocumentReader::Impl {
  public:
    Impl(const Path& path, TextSource::Kind kind, std::uint64_t offset, std::int64_t line)
        : path_(path), kind_(kind), offset_(offset), line_(line) {
        file_.reset(gzopen(path.c_str(), "rb"));
        if (!file_)
            throw Error(ErrorKind::BadInput, fmt::format("{} cannot be opened", path.string()),
                        "check its name and that it may be read");
        if (offset > 0 && gzseek(file_.get(), static_cast<z_off_t>(offset), SEEK_SET) < 0) fail();
    }

    std::optional<Document> next() {
        return kind_ == TextSource::Kind::Text ? paragraph() : jsonLine();
    }
    Place place() const { return {offset_, line_}; }
    std::uint64_t replaced() const { return replaced_; }

  private:
    struct Line {
        std::string_view text;  ///< without the newline; valid until the next call
        std::size_t bytes = 0;  ///< that it takes in the file
        bool whole = true;      ///< false: cut at the limit
    };

    [[noreturn]] void fail() const {
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} cannot be read from byte {} on: damaged or cut gzip data, or a "
                                "failing disk",
                                path_.string(), offset_),
                    "unpack it again from its source");
    }

    void fill() {
        buffer_.erase(0, at_);
        at_ = 0;
        const std::size_t had = buffer_.size();
        buffer_.resize(had + kPiece);
        const int count = gzread(file_.get(), buffer_.data() + had, static_cast<unsigned>(kPiece));
        int error = Z_OK;
        gzerror(file_.get(), &error);
        if (count < 0 || (error != Z_OK && error != Z_STREAM_END)) fail();
        buffer_.resize(had + static_cast<std::size_t>(count));
        ended_ = count == 0;
    }

    /// The next line, of at most `most` bytes; nothing at the end. It is not taken.
    std::optional<Line> peek(std::size_t most) {
        std::size_t searched = 0;
        for (;;) {
            const std::string_view rest = std::string_view(buffer_).substr(at_);
            const std::size_t newline = rest.find('\n', searched);
            if (newline != std::string_view::npos && newline <= most)
                return Line{rest.substr(0, newline), newline + 1, true};
            if (rest.size() > most) {
                const std::size_t end = cutBefore(rest, most);
                return Line{rest.substr(0, end), end, false};
            }
            if (ended_) {
                if (rest.empty()) return std::nullopt;
                return Line{rest, rest.size(), true};
            }
            searched = rest.size();
            fill();
        }
    }

    void take(const Line& line) {
        at_ += line.bytes;
        offset_ += line.bytes;
        if (line.whole) ++line_;
    }

    Document begun() const { return {{}, offset_, line_}; }

    Document finished(Document document) {
        ValidText valid = replaceInvalidUtf8(document.text);
        replaced_ += valid.replaced;
        document.text = std::move(valid.text);
        return document;
    }

    std::optional<Document> paragraph() {
        std::optional<Document> document;
        while (const std::optional<Line> line = peek(kLongestDocument)) {
            const bool blank = line->whole && isBlank(line->text);
            if (document && (blank || document->text.size() + line->text.size() > kLongestDocument))
                break;
            if (!blank) {
                if (!document) document = begun();
                if (!document->text.empty()) document->text += '\n';
                document->text += line->text;
            }
            take(*line);
        }
        if (!document) return std::nullopt;
        return finished(std::move(*document));
    }

    std::optional<Document> jsonLine() {
        while (const std::optional<Line> line = peek(kLongestJsonLine)) {
            if (!line->whole)
                throw Error(ErrorKind::BadInput,
                            fmt::format("{}: line {} is longer than {}", path_.string(), line_,
                                        formatBytes(static_cast<double>(kLongestJsonLine))),
                            "JSONL has one object a line");
            Document document = begun();
            document.text = line->text;
            take(*line);
            if (!isBlank(document.text)) return finished(std::move(document));
        }
        return std::nullopt;
    }

    Path path_;
    TextSource::Kind kind_;
    std::unique_ptr<gzFile_s, CloseGzip> file_;
    std::string buffer_;
    std::size_t at_ = 0;
    bool ended_ = false;
    std::uint64_t offset_;
    std::int64_t line_;
    std::uint64_t replaced_ = 0;
};

DocumentReader::DocumentReader(const Path& file, TextSource::Kind kind, std::uint64_t offset,
                               std::int64_t line)
    : impl_(std::make_unique<Impl>(file, kind, offset, line)) {}

DocumentReader::~DocumentReader() = default;

std::optional<Document> DocumentReader::next() { return impl_->next(); }

DocumentReader::Place DocumentReader::place() const { return impl_->place(); }

std::uint64_t DocumentReader::replaced() const { return impl_->replaced(); }

}  // namespace core
