// SPDX-License-Identifier: Apache-2.0
#include "gpu/staging.h"

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
    DeviceMemory memory(bytes);
    copy(memory.get(), values, bytes);
    return constants_.emplace(std::move(key), std::move(memory)).first->second.get();
}

void Staging::copy(void* device, const void* host, std::size_t bytes) {
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

}  // namespace gpu
