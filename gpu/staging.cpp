// SPDX-License-Identifier: Apache-2.0
#include "gpu/staging.h"

#include "core/base/error.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace gpu {
namespace {

constexpr std::size_t kLeastSlotBytes = 4096;

std::size_t roomFor(std::size_t bytes) { return std::bit_ceil(std::max(bytes, kLeastSlotBytes)); }

}  // namespace

void Staging::send(PinnedMemory& through, Event& copied, void* device, const void* host,
                   std::size_t bytes) {
    std::memcpy(through.get(), host, bytes);
    check(cudaMemcpyAsync(device, through.get(), bytes, cudaMemcpyHostToDevice, stream_.get()),
          "copying to the device");
    copied.record(stream_);
}

const void* Staging::stage(const void* values, std::size_t bytes) {
    if (bytes == 0) return nullptr;
    if (capturing_) return stageCaptured(values, bytes);
    Slot& slot = slots_[nextSlot_++ % kSlots];
    slot.copied.wait();
    if (slot.pinned.bytes() < bytes) {
        slot.pinned = PinnedMemory(roomFor(bytes));
        slot.device = DeviceMemory(roomFor(bytes));
    }
    send(slot.pinned, slot.copied, slot.device.get(), values, bytes);
    return slot.device.get();
}

const void* Staging::constant(const void* values, std::size_t bytes) {
    if (bytes == 0) return nullptr;
    std::string key(static_cast<const char*>(values), bytes);
    const auto found = constants_.find(key);
    if (found != constants_.end()) return found->second.get();
    CORE_CHECK(!capturing_, "a constant that was staged before the capture");
    DeviceMemory memory(bytes);
    copy(memory.get(), values, bytes);
    return constants_.emplace(std::move(key), std::move(memory)).first->second.get();
}

void Staging::copy(void* device, const void* host, std::size_t bytes) {
    CORE_CHECK(!capturing_, "uploads before the capture");
    for (std::size_t at = 0; at < bytes; at += kPieceBytes) {
        const std::size_t count = std::min(kPieceBytes, bytes - at);
        Piece& piece = pieces_[nextPiece_++ % pieces_.size()];
        piece.copied.wait();
        if (piece.pinned.bytes() < count)
            piece.pinned = PinnedMemory(std::min(kPieceBytes, roomFor(count)));
        send(piece.pinned, piece.copied, static_cast<std::byte*>(device) + at,
             static_cast<const std::byte*>(host) + at, count);
    }
}

void Staging::prepareCapture() {
    if (arenaUsed_ > 0) arena_ = (arena_ + 1) % arenas_.size();
    arenaUsed_ = 0;
    Arena& arena = arenas_[arena_];
    arena.done.wait();
    if (arena.pinned.bytes() >= arenaWanted_) return;
    arena.pinned = PinnedMemory(arenaWanted_);
    arena.device = DeviceMemory(arenaWanted_);
}

const void* Staging::stageCaptured(const void* values, std::size_t bytes) {
    constexpr std::size_t kAlignment = 16;
    Arena& arena = arenas_[arena_];
    const std::size_t at = arenaUsed_;
    const std::size_t end = (at + bytes + kAlignment - 1) / kAlignment * kAlignment;
    if (end > arena.pinned.bytes()) {
        arenaWanted_ = std::bit_ceil(2 * end);
        CORE_CHECK(false, "staged values that fit the room of the capture");
    }
    // The copy reads the page-locked memory when the work runs: by then all of it is filled.
    if (at == 0)
        check(cudaMemcpyAsync(arena.device.get(), arena.pinned.get(), arena.pinned.bytes(),
                              cudaMemcpyHostToDevice, stream_.get()),
              "copying to the device");
    std::memcpy(static_cast<std::byte*>(arena.pinned.get()) + at, values, bytes);
    arenaUsed_ = end;
    return static_cast<std::byte*>(arena.device.get()) + at;
}

void Staging::finishCapture() {
    if (arenaUsed_ > 0) arenas_[arena_].done.record(stream_);
}

}  // namespace gpu
