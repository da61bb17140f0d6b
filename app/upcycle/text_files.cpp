// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/text_files.h"

#include "core/base/error.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace upcycle {
namespace {

constexpr std::uint64_t kBlock = std::uint64_t{1} << 20U;

/// Bytes of `block` up to the last line's end; up to the last whole character where there is none.
std::size_t wholeBytes(std::string_view block) {
    const std::size_t end = block.rfind('\n');
    if (end != std::string_view::npos) return end + 1;
    std::size_t bytes = block.size();
    while (bytes + 4 > block.size() && bytes > 1 &&
           (static_cast<unsigned char>(block[bytes - 1]) >> 6U) == 2)
        --bytes;
    return (static_cast<unsigned char>(block[bytes - 1]) >> 6U) == 3 && bytes > 1 ? bytes - 1
                                                                                  : block.size();
}

}  // namespace

TextFiles::TextFiles(const std::vector<std::string>& sources) {
    for (const std::string& source : sources) {
        constexpr std::string_view kPrefix = "text:";
        const core::Path path(source.starts_with(kPrefix) ? source.substr(kPrefix.size()) : source);
        if (!std::filesystem::is_directory(path)) {
            add(path);
            continue;
        }
        std::vector<core::Path> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
            if (entry.is_regular_file() && entry.path().extension() == ".txt")
                found.push_back(entry.path());
        if (found.empty())
            throw core::Error(core::ErrorKind::BadInput, path.string() + " holds no .txt file",
                              "give text files, or a folder with .txt files in it");
        std::sort(found.begin(), found.end());
        for (const core::Path& file : found) add(file);
    }
}

void TextFiles::add(const core::Path& path) {
    bytes_ += core::File::openForReading(path).size();
    files_.push_back(path);
}

std::optional<std::string> TextFiles::next() {
    while (file_ < files_.size()) {
        if (!open_.isOpen()) {
            open_ = core::File::openForReading(files_[file_]);
            offset_ = 0;
        }
        const std::uint64_t size = open_.size();
        if (offset_ >= size) {
            open_ = core::File();
            ++file_;
            continue;
        }
        std::string block(std::min(kBlock, size - offset_), '\0');
        open_.readAt(offset_, std::as_writable_bytes(std::span(block)));
        if (offset_ + block.size() < size) block.resize(wholeBytes(block));
        offset_ += block.size();
        bytesRead_ += block.size();
        return block;
    }
    return std::nullopt;
}

}  // namespace upcycle
