// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMost = std::size_t{8} << 20U;
constexpr std::size_t kLeast = std::size_t{256} << 10U;  ///< smaller pieces go through the cache

}  // namespace

OutputFile::OutputFile(File file)
    : file_(std::move(file)),
      direct_(::open(file_.path().c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : file_(std::move(other.file_)),
      direct_(std::exchange(other.direct_, -1)),
      pages_(std::move(other.pages_)) {}

OutputFile::~OutputFile() {
    if (direct_ >= 0) ::close(direct_);
}

void OutputFile::writeAt(std::uint64_t offset, std::span<const std::byte> bytes) {
    const std::size_t head = std::min<std::size_t>(bytes.size(), (kPage - offset % kPage) % kPage);
    const std::size_t whole = (bytes.size() - head) / kPage * kPage;
    if (direct_ < 0 || whole < kLeast) return file_.writeAt(offset, bytes);
    file_.writeAt(offset, bytes.first(head));
    const std::size_t done = head + writeDirect(offset + head, bytes.subspan(head, whole));
    file_.writeAt(offset + done, bytes.subspan(done));
}

/// How many bytes were written: what is missing, and its error, is left to the ordinary way.
std::size_t OutputFile::writeDirect(std::uint64_t offset, std::span<const std::byte> pages) {
    if (!pages_) pages_.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, kMost)));
    if (!pages_) return 0;
    std::size_t done = 0;
    while (done < pages.size()) {
        const std::size_t bytes = std::min(kMost, pages.size() - done);
        std::memcpy(pages_.get(), pages.data() + done, bytes);
        const ssize_t put =
            ::pwrite(direct_, pages_.get(), bytes, static_cast<off_t>(offset + done));
        if (put <= 0 || static_cast<std::size_t>(put) % kPage != 0) break;
        done += static_cast<std::size_t>(put);
    }
    return done;
}

void OutputFile::close() {
    const int direct = std::exchange(direct_, -1);
    if (direct >= 0) ::close(direct);
    file_.close();
}

}  // namespace core
