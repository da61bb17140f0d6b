// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/handles.h"

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace gpu {

/// The way of host values to the device without waiting for it: through page-locked memory that is
/// used in turn, each piece only when its last copy is done.
class Staging {
  public:
    explicit Staging(const Stream& stream) : stream_(stream) {}

    /// A few values on the device, in memory that kSlots later calls leave alone.
    const void* stage(const void* values, std::size_t bytes);

    /// The same bytes give the same device memory, which stays.
    const void* constant(const void* values, std::size_t bytes);

    /// A copy of any size to where it belongs; the host's memory is free when the call returns.
    void copy(void* device, const void* host, std::size_t bytes);

    /// Before a capture begins: makes room for what is staged in it.
    void prepareCapture();
    /// While on, what is staged lies side by side in one of a few places that captures use in turn
    /// (so that as many can be queued before the host waits), and goes to the device in one copy at
    /// the captured work's beginning; new constants and large copies are refused.
    void setCapturing(bool on) noexcept { capturing_ = on; }
    /// After the captured work has been started.
    void finishCapture();

  private:
    static constexpr std::size_t kSlots = 32;
    static constexpr std::size_t kPieceBytes = std::size_t{4} << 20;

    struct Slot {
        PinnedMemory pinned;
        DeviceMemory device;
        Event copied;
    };
    struct Piece {
        PinnedMemory pinned;
        Event copied;
    };
    void send(PinnedMemory& through, Event& copied, void* device, const void* host,
              std::size_t bytes);

    /// What is staged while work is captured.
    struct Arena {
        PinnedMemory pinned;
        DeviceMemory device;
        Event done;  ///< the work that reads it
    };
    const void* stageCaptured(const void* values, std::size_t bytes);

    const Stream& stream_;
    std::array<Arena, 8> arenas_;
    std::size_t arena_ = 0;
    std::size_t arenaUsed_ = 0;
    std::size_t arenaWanted_ = std::size_t{64} << 10;
    bool capturing_ = false;
    std::array<Slot, kSlots> slots_;
    std::size_t nextSlot_ = 0;
    std::array<Piece, 2> pieces_;
    std::size_t nextPiece_ = 0;
    std::map<std::string, DeviceMemory> constants_;
};

}  // namespace gpu
