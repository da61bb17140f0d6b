// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/convert.cuh"

#include <cstdint>
#include <cstring>

namespace gpu {

// The division of a product C = A B among blocks: each has a tile of C, multiplied in steps over
// the inner size k. An operand's other index (a row of A, a column of B) is its `side`.

constexpr int kTileSide = 128;     ///< rows and columns of a block's tile of C
constexpr int kTileThreads = 256;  ///< eight warps: two below each other, four side by side
constexpr int kWarpRows = 64;      ///< of a warp's part of the tile
constexpr int kWarpColumns = 32;
constexpr int kWarpsAside = kTileSide / kWarpColumns;

/// Elements of k that a step takes: 64 bytes of them.
template <typename T>
constexpr int kTileDepth = static_cast<int>(64 / sizeof(T));

/// Elements that a thread moves at once: 16 bytes.
template <typename T>
constexpr int kTilePack = static_cast<int>(16 / sizeof(T));

/// An operand in memory, row-major [rows, columns]: rows are sides and columns k, or the other way
/// round.
template <typename T>
struct Operand {
    const T* at;
    std::int64_t rows;
    std::int64_t columns;
};

/// Where in a step's part of an operand something lies.
struct TilePlace {
    int side;
    int depth;
};

/// A step's part of an operand in shared memory, as the product of its type wants it (TileProduct).
template <typename T>
struct SharedTile;

/// F32: [k][side], so that a thread reads the sides that it multiplies as packs.
template <>
struct SharedTile<float> {
    static constexpr int kPitch = kTileSide + 4;
    static constexpr int kElements = kTileDepth<float> * kPitch;

    /// Of the first element of the first of the two packs that this thread brings, and how far
    /// behind it the second lies.
    template <bool kDepthInRow>
    static __device__ __forceinline__ TilePlace place() {
        const int thread = static_cast<int>(threadIdx.x);
        if (kDepthInRow) return {thread / 4, thread % 4 * 4};
        return {thread % 32 * 4, thread / 32};
    }
    static constexpr TilePlace kDepthInRowNext{kTileThreads / 4, 0};
    static constexpr TilePlace kSideInRowNext{0, kTileThreads / 32};

    template <bool kDepthInRow>
    static __device__ __forceinline__ void store(float* tile, const Pack<float, 4> (&packs)[2]) {
        const TilePlace to = place<kDepthInRow>();
        float* const into = tile + to.depth * kPitch + to.side;
        for (int p = 0; p < 2; ++p) {
            if (kDepthInRow)
                for (int i = 0; i < 4; ++i)
                    into[i * kPitch + p * kDepthInRowNext.side] = packs[p].at[i];
            else
                storePack(into + p * kSideInRowNext.depth * kPitch, packs[p]);
        }
    }

    /// The sum over k of one side.
    static __device__ __forceinline__ float sum(const float* tile, int side) {
        float total = 0.0F;
        for (int k = 0; k < kTileDepth<float>; ++k) total += tile[k * kPitch + side];
        return total;
    }
};

/// BF16: [side] of 16 words, each a pair of neighbours in k as the tensor cores take them. The
/// words of a row are exchanged by its number, so that eight rows of four words, and two rows of
/// sixteen, lie in 32 different banks.
template <>
struct SharedTile<__nv_bfloat16> {
    static constexpr int kElements = kTileSide * kTileDepth<__nv_bfloat16>;

    static __device__ __forceinline__ int wordOf(int side, int pair) {
        return side * 16 + (pair ^ side / 2 % 4 * 4);
    }

    template <bool kDepthInRow>
    static __device__ __forceinline__ TilePlace place() {
        const int thread = static_cast<int>(threadIdx.x);
        if (kDepthInRow) return {thread / 4, thread % 4 * 8};
        return {thread / 16 * 8, thread % 16 * 2};
    }
    static constexpr TilePlace kDepthInRowNext{kTileThreads / 4, 0};
    static constexpr TilePlace kSideInRowNext{0, 1};

    template <bool kDepthInRow>
    static __device__ __forceinline__ void store(__nv_bfloat16* tile,
                                                 const Pack<__nv_bfloat16, 8> (&packs)[2]) {
        unsigned* const words = reinterpret_cast<unsigned*>(tile);
        Pack<unsigned, 4> from[2];
        memcpy(from, packs, sizeof from);
        const TilePlace to = place<kDepthInRow>();
        if (kDepthInRow) {
            for (int p = 0; p < 2; ++p)
                storePack(words + wordOf(to.side + p * kDepthInRowNext.side, to.depth / 2),
                          from[p]);
            return;
        }
        // Two threads of a warp have the same pair of k: one begins with the odd sides.
        const int odd = to.side / 8 % 2;
        for (int i = 0; i < 4; ++i) {
            const unsigned low = from[0].at[i];
            const unsigned high = from[1].at[i];
            const unsigned even = (low & 0xFFFFU) | high << 16U;
            const unsigned uneven = low >> 16U | (high & 0xFFFF0000U);
            const int side = to.side + 2 * i;
            words[wordOf(side + odd, to.depth / 2)] = odd != 0 ? uneven : even;
            words[wordOf(side + 1 - odd, to.depth / 2)] = odd != 0 ? even : uneven;
        }
    }

    static __device__ __forceinline__ float sum(const __nv_bfloat16* tile, int side) {
        const unsigned* const words = reinterpret_cast<const unsigned*>(tile);
        float total = 0.0F;
        for (int pair = 0; pair < 16; ++pair) {
            const unsigned word = words[wordOf(side, pair)];
            total += __uint_as_float(word << 16U) + __uint_as_float(word & 0xFFFF0000U);
        }
        return total;
    }
};

/// What a thread carries of an operand, from memory to shared memory: loaded while the step before
/// is multiplied. Outside of the matrix are zeros.
template <typename T, bool kDepthInRow>
class TileCarrier {
    static constexpr int kPack = kTilePack<T>;
    static constexpr TilePlace kNext =
        kDepthInRow ? SharedTile<T>::kDepthInRowNext : SharedTile<T>::kSideInRowNext;

  public:
    __device__ __forceinline__ TileCarrier(const Operand<T>& from, std::int64_t firstSide)
        : columns_(from.columns),
          wide_(from.columns % kPack == 0 && reinterpret_cast<std::uintptr_t>(from.at) % 16 == 0) {
        const TilePlace place = SharedTile<T>::template place<kDepthInRow>();
        const std::int64_t side = firstSide + place.side;
        const std::int64_t sides = (kDepthInRow ? from.rows : from.columns) - side;
        sides_ = static_cast<int>(sides < kTileSide ? sides : kTileSide);
        depths_ = (kDepthInRow ? from.columns : from.rows) - place.depth;
        next_ =
            from.at + (kDepthInRow ? side * columns_ + place.depth : place.depth * columns_ + side);
    }

    /// The packs of the next step.
    __device__ __forceinline__ void load() {
        for (int p = 0; p < 2; ++p) {
            Pack<T, kPack> values{};
            const T* const from =
                next_ + (kDepthInRow ? p * kNext.side : p * kNext.depth) * columns_;
            const bool rowIsThere =
                kDepthInRow ? p * kNext.side < sides_ : p * kNext.depth < depths_;
            const std::int64_t inRow = kDepthInRow ? depths_ : sides_;
            if (rowIsThere && wide_) {
                if (inRow > 0) values = loadPack<kPack>(from);
            } else if (rowIsThere) {
                for (int i = 0; i < kPack; ++i)
                    if (i < inRow) values.at[i] = from[i];
            }
            packs_[p] = values;
        }
        depths_ -= kTileDepth<T>;
        next_ += kDepthInRow ? kTileDepth<T> : kTileDepth<T> * columns_;
    }

    __device__ __forceinline__ void store(T* tile) const {
        SharedTile<T>::template store<kDepthInRow>(tile, packs_);
    }

  private:
    const T* next_;
    std::int64_t columns_;
    std::int64_t depths_;  ///< of k that are left, from this thread's place on
    int sides_;            ///< the same, of those in a tile
    bool wide_;            ///< packs lie at multiples of their size, and whole or not at all
    Pack<T, kPack> packs_[2];
};

}  // namespace gpu
