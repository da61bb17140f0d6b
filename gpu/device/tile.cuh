// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/convert.cuh"
#include "gpu/device/mma.cuh"

#include <cstdint>

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

/// A step's part of an operand in shared memory, as the product of its type wants it (TileProduct),
/// and how threads carry it there: each two packs of four 32-bit words. `kDepthInRow`: rows of the
/// operand are sides.
template <typename T, bool kDepthInRow>
struct SharedTile;

/// F32: [k][side], so that a thread reads the sides that it multiplies as packs.
template <bool kDepthInRow>
struct SharedTile<float, kDepthInRow> {
    using Word = float;
    static constexpr int kPitch = kTileSide + 4;
    static constexpr int kElements = kTileDepth<float> * kPitch;

    /// Of the first element of the first of the two packs that this thread brings, and how far
    /// behind it the second lies.
    static __device__ __forceinline__ TilePlace place() {
        const int thread = static_cast<int>(threadIdx.x);
        if (kDepthInRow) return {thread / 4, thread % 4 * 4};
        return {thread % 32 * 4, thread / 32};
    }
    static constexpr TilePlace kNext{kDepthInRow ? kTileThreads / 4 : 0,
                                     kDepthInRow ? 0 : kTileThreads / 32};

    /// The i-th of the words of neighbours of which `count` are there.
    static __device__ __forceinline__ Word word(const float* from, int i, int count) {
        return i < count ? from[i] : 0.0F;
    }

    static __device__ __forceinline__ void store(float* tile, const Pack<Word, 4> (&packs)[2]) {
        const TilePlace to = place();
        float* const into = tile + to.depth * kPitch + to.side;
        for (int p = 0; p < 2; ++p) {
            if (kDepthInRow)
                for (int i = 0; i < 4; ++i) into[i * kPitch + p * kNext.side] = packs[p].at[i];
            else
                storePack(into + p * kNext.depth * kPitch, packs[p]);
        }
    }

    /// The sum over k < depth of one side.
    static __device__ __forceinline__ float sum(const float* tile, int side, int depth) {
        float total = 0.0F;
        for (int k = 0; k < depth; ++k) total += tile[k * kPitch + side];
        return total;
    }
};

/// BF16: as in memory, [side][k] or [k][side], in pieces of eight elements; those of a row are
/// exchanged by the row's number, so that the pieces of eight rows lie in different banks: the
/// tensor cores' fragments are loaded eight rows at a time.
template <bool kDepthInRow>
struct SharedTile<__nv_bfloat16, kDepthInRow> {
    using Word = std::uint32_t;
    static constexpr int kPiece = 8;
    static constexpr int kColumns = kDepthInRow ? kTileDepth<__nv_bfloat16> : kTileSide;
    static constexpr int kPieces = kColumns / kPiece;  ///< of a row
    static constexpr int kElements = kTileSide * kTileDepth<__nv_bfloat16>;

    /// The element at which a piece begins. Two rows of four pieces fill the banks, or half of one
    /// of sixteen.
    static __device__ __forceinline__ int begin(int row, int piece) {
        const int exchanged = piece ^ (kDepthInRow ? row >> 1 & 3 : row & 7);
        return row * kColumns + exchanged * kPiece;
    }

    static __device__ __forceinline__ TilePlace place() {
        const int thread = static_cast<int>(threadIdx.x);
        const int row = thread / kPieces;
        const int column = thread % kPieces * kPiece;
        if (kDepthInRow) return {row, column};
        return {column, row};
    }
    static constexpr TilePlace kNext{kDepthInRow ? kTileThreads / kPieces : 0,
                                     kDepthInRow ? 0 : kTileThreads / kPieces};

    static __device__ __forceinline__ Word word(const __nv_bfloat16* from, int i, int count) {
        const Word low = 2 * i < count ? __float_as_uint(toFloat(from[2 * i])) >> 16U : 0U;
        const Word high = 2 * i + 1 < count ? __float_as_uint(toFloat(from[2 * i + 1])) : 0U;
        return low | high;
    }

    static __device__ __forceinline__ void store(__nv_bfloat16* tile,
                                                 const Pack<Word, 4> (&packs)[2]) {
        const int thread = static_cast<int>(threadIdx.x);
        for (int p = 0; p < 2; ++p) {
            const int row = thread / kPieces + p * (kTileThreads / kPieces);
            storePack(reinterpret_cast<Word*>(tile + begin(row, thread % kPieces)), packs[p]);
        }
    }

    /// Where the row of a lane of four 8 x 8 matrices begins, of 16 sides and 16 of k from `side`
    /// and `depth` on: those of the second eight sides, or of k, where a half is 1.
    static const __device__ __forceinline__ __nv_bfloat16* fragmentRow(const __nv_bfloat16* tile,
                                                                       int side, int sideHalf,
                                                                       int depth, int depthHalf) {
        const int inMatrix = static_cast<int>(threadIdx.x) % 8;
        const int sidePiece = side / kPiece + sideHalf;
        const int depthPiece = depth / kPiece + depthHalf;
        if (kDepthInRow) return tile + begin(sidePiece * kPiece + inMatrix, depthPiece);
        return tile + begin(depthPiece * kPiece + inMatrix, sidePiece);
    }

    /// The four matrices, each lane with two neighbours in k of one side.
    static __device__ __forceinline__ void load(std::uint32_t (&into)[4],
                                                const __nv_bfloat16* row) {
        if (kDepthInRow)
            loadMatrices(into, row);
        else
            loadMatricesTransposed(into, row);
    }

    static __device__ __forceinline__ float sum(const __nv_bfloat16* tile, int side, int depth) {
        static_assert(!kDepthInRow);
        float total = 0.0F;
        for (int k = 0; k < depth; ++k) {
            const int at = begin(k, side / kPiece) + side % kPiece / 2 * 2;
            const Word pair = *reinterpret_cast<const Word*>(tile + at);
            total += __uint_as_float(side % 2 == 0 ? pair << 16U : pair & 0xFFFF0000U);
        }
        return total;
    }
};

/// What a thread carries of an operand, from memory to shared memory: loaded while the step before
/// is multiplied. Outside of the matrix are zeros.
template <typename T, bool kDepthInRow>
class TileCarrier {
    using Shared = SharedTile<T, kDepthInRow>;
    using Word = typename Shared::Word;
    static constexpr int kPack = kTilePack<T>;
    static constexpr TilePlace kNext = Shared::kNext;

  public:
    __device__ __forceinline__ TileCarrier(const Operand<T>& from, std::int64_t firstSide)
        : columns_(from.columns),
          wide_(from.columns % kPack == 0 && reinterpret_cast<std::uintptr_t>(from.at) % 16 == 0) {
        const TilePlace place = Shared::place();
        const std::int64_t side = firstSide + place.side;
        const std::int64_t sides = (kDepthInRow ? from.rows : from.columns) - side;
        sides_ = static_cast<int>(sides < kTileSide ? sides : kTileSide);
        next_ =
            from.at + (kDepthInRow ? side * columns_ + place.depth : place.depth * columns_ + side);
    }

    /// The packs of the next step; `depth` of k are left.
    __device__ __forceinline__ void load(int depth) {
        depth -= Shared::place().depth;
        for (int p = 0; p < 2; ++p) {
            Pack<Word, 4> values{};
            const T* const from =
                next_ + (kDepthInRow ? p * kNext.side : p * kNext.depth) * columns_;
            const int inRow = kDepthInRow ? depth : sides_;
            if (kDepthInRow ? p * kNext.side < sides_ : p * kNext.depth < depth) {
                if (!wide_) {
                    for (int i = 0; i < 4; ++i) values.at[i] = Shared::word(from, i, inRow);
                } else if (inRow > 0) {
                    values = loadPack<4>(reinterpret_cast<const Word*>(from));
                }
            }
            packs_[p] = values;
        }
        next_ += kDepthInRow ? kTileDepth<T> : kTileDepth<T> * columns_;
    }

    __device__ __forceinline__ void store(T* tile) const { Shared::store(tile, packs_); }

  private:
    const T* next_;
    std::int64_t columns_;
    int sides_;  ///< that are left from this thread's place on
    bool wide_;  ///< packs lie at multiples of their size, and are there whole or not at all
    Pack<Word, 4> packs_[2];
};

}  // namespace gpu
