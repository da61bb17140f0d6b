// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/zip_streams.h"

#include <utility>

namespace core {
namespace {

constexpr std::size_t kMostKept = 8;

}  // namespace

void ZipStreams::read(const ZipMember& member, std::uint64_t begin, std::span<std::byte> into) {
    ZipStream stream = take(member, begin);
    stream.skip(begin - stream.position());
    stream.read(into);
    if (stream.position() < member.bytes) keep(member, std::move(stream));
}

/// The stream of this member that stands nearest before `begin`, else one at its start.
ZipStream ZipStreams::take(const ZipMember& member, std::uint64_t begin) {
    const std::lock_guard lock(mutex_);
    auto best = kept_.end();
    for (auto kept = kept_.begin(); kept != kept_.end(); ++kept)
        if (kept->offset == member.offset && kept->stream.position() <= begin &&
            (best == kept_.end() || kept->stream.position() > best->stream.position()))
            best = kept;
    if (best == kept_.end()) return {file_, member};
    ZipStream stream = std::move(best->stream);
    kept_.erase(best);
    return stream;
}

void ZipStreams::keep(const ZipMember& member, ZipStream stream) {
    const std::lock_guard lock(mutex_);
    if (kept_.size() == kMostKept) kept_.erase(kept_.begin());
    kept_.push_back({member.offset, std::move(stream)});
}

}  // namespace core
