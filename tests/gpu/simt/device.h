// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <type_traits>

// What a kernel sees of its device: its place in the grid, barriers, warp exchanges, atomics.

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)

struct uint3 {
    unsigned x, y, z;
};

struct dim3 {
    // NOLINTNEXTLINE(google-explicit-constructor): as CUDA's
    constexpr dim3(unsigned columns = 1, unsigned rows = 1, unsigned layers = 1)
        : x(columns), y(rows), z(layers) {}
    unsigned x, y, z;
};

extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;
constexpr int warpSize = 32;

struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(8) int2 {
    int x, y;
};
struct alignas(16) int4 {
    int x, y, z, w;
};
struct alignas(8) uint2 {
    unsigned x, y;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

namespace simt {

using Location = std::source_location;

void* sharedMemory();

/// Waits until every thread of the block is at this very place.
void blockBarrier(const Location& where);

/// The exchange of the lanes in `mask`, all of which must come to this very place with the same
/// mask: gives each lane the `value` of lane `source`, which must be among them.
std::uint64_t exchange(unsigned mask, std::uint64_t value, int source, const Location& where);

/// Bit l = the predicate of lane l.
unsigned ballot(unsigned mask, bool predicate, const Location& where);

int laneOfThread();

/// The lane that __shfl_*_sync reads for a width, as the programming guide says.
int shuffledLane(int lane, int width);
int raisedLane(int delta, int width);
int loweredLane(int delta, int width);
int crossedLane(int laneMask, int width);

template <typename T>
T shuffle(unsigned mask, T value, int source, const Location& where) {
    static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = exchange(mask, bits, source, where);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace simt

inline void __syncthreads(const simt::Location& where = simt::Location::current()) {
    simt::blockBarrier(where);
}

inline void __syncwarp(unsigned mask = 0xFFFFFFFFU,
                       const simt::Location& where = simt::Location::current()) {
    simt::exchange(mask, 0, simt::laneOfThread(), where);
}

template <typename T>
T __shfl_sync(unsigned mask, T value, int lane, int width = warpSize,
              const simt::Location& where = simt::Location::current()) {
    return simt::shuffle(mask, value, simt::shuffledLane(lane, width), where);
}

template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                 const simt::Location& where = simt::Location::current()) {
    return simt::shuffle(mask, value, simt::loweredLane(static_cast<int>(delta), width), where);
}

template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                   const simt::Location& where = simt::Location::current()) {
    return simt::shuffle(mask, value, simt::raisedLane(static_cast<int>(delta), width), where);
}

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int laneMask, int width = warpSize,
                  const simt::Location& where = simt::Location::current()) {
    return simt::shuffle(mask, value, simt::crossedLane(laneMask, width), where);
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              const simt::Location& where = simt::Location::current()) {
    return simt::ballot(mask, predicate != 0, where);
}

inline int __any_sync(unsigned mask, int predicate,
                      const simt::Location& where = simt::Location::current()) {
    return simt::ballot(mask, predicate != 0, where) != 0 ? 1 : 0;
}

inline int __all_sync(unsigned mask, int predicate,
                      const simt::Location& where = simt::Location::current()) {
    return simt::ballot(mask, predicate != 0, where) == mask ? 1 : 0;
}

/// Fibers change places at barriers and exchanges alone, so that a plain update is atomic. Integers
/// only: the order of additions of floating-point numbers would not be fixed.
template <typename T>
requires std::is_integral_v<T> T atomicAdd(T* address, std::type_identity_t<T> value) {
    const T old = *address;
    *address = static_cast<T>(old + value);
    return old;
}

template <typename T>
requires std::is_integral_v<T> T atomicMax(T* address, std::type_identity_t<T> value) {
    const T old = *address;
    if (old < value) *address = value;
    return old;
}

template <typename T>
requires std::is_integral_v<T> T atomicMin(T* address, std::type_identity_t<T> value) {
    const T old = *address;
    if (value < old) *address = value;
    return old;
}

template <typename T>
requires std::is_integral_v<T> T atomicExch(T* address, std::type_identity_t<T> value) {
    const T old = *address;
    *address = value;
    return old;
}

template <typename T>
requires std::is_integral_v<T> T atomicCAS(T* address, std::type_identity_t<T> expected,
                                           std::type_identity_t<T> value) {
    const T old = *address;
    if (old == expected) *address = value;
    return old;
}

template <typename T>
T __ldg(const T* address) {
    return *address;
}

inline void __threadfence() {}
inline void __threadfence_block() {}
