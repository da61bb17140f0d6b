// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <stdexcept>
#include <vector>

// The harness's own interface: what its parts and its tests use besides the CUDA calls.

namespace simt {

/// A broken rule of the SIMT model, found while a kernel ran: a barrier that not all threads reach,
/// an exchange with missing lanes, writing beyond shared memory. Says kernel, thread, place, seed.
struct Fault : std::logic_error {
    using std::logic_error::logic_error;
};

using Work = std::function<void()>;

/// Work waits here until something needs its result, as on a device.
struct Stream {
    std::deque<Work> waiting;
    struct Graph* capture = nullptr;
};

struct Event {
    std::uint64_t records = 0;  ///< so far; what counts is the last one
    bool reached = true;
    Stream* stream = nullptr;
};

enum class NodeKind { Kernel, Copy, Set, Event };

struct Graph {
    struct Node {
        NodeKind kind;
        Work work;
    };
    std::vector<Node> nodes;
    bool broken = false;  ///< by a call that no capture survives
};

/// Puts work at the end of a stream, or into the graph that it captures.
void enqueue(Stream* stream, NodeKind kind, Work work);

/// The seed of all random orders: UPCYCLER_SIMT_SEED, else different in every process.
std::uint64_t seed();
/// Starts the orders anew from another seed.
void setSeed(std::uint64_t value);

/// What the one device of the harness has: for tests of a full one.
void setDeviceMemory(std::size_t bytes);
/// Every call fails with this code from now on (a CUDA error code), as after a fault of a real
/// device; 0 ends it.
void loseDevice(int error);
/// The same once so many kernels have been started from now on.
void loseDeviceAfter(std::uint64_t kernels, int error);

}  // namespace simt
