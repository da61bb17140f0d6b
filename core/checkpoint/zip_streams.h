// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/zip_archive.h"

#include <mutex>
#include <span>
#include <vector>

namespace core {

/// Reads pieces of deflated members from any thread. The last few streams are kept where they
/// stand, so that whoever reads a member from front to back inflates it once. The file must outlive
/// it.
class ZipStreams {
  public:
    explicit ZipStreams(const File& file) : file_(file) {}

    /// Bytes [begin, begin + into.size()) of the member's content.
    void read(const ZipMember& member, std::uint64_t begin, std::span<std::byte> into);

  private:
    struct Kept {
        std::uint64_t offset;  ///< of the member, which tells it from the others
        ZipStream stream;
    };
    ZipStream take(const ZipMember& member, std::uint64_t begin);
    void keep(const ZipMember& member, ZipStream stream);

    const File& file_;
    std::mutex mutex_;
    std::vector<Kept> kept_;  ///< the one used last stands last
};

}  // namespace core
