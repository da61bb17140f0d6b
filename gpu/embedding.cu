// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/bounds.cuh"
#include "gpu/device/rows.cuh"
#include "gpu/packs.h"
#include "gpu/radix_sort.h"

#include <bit>
#include <limits>

namespace gpu {
namespace {

/// Rows in the order of their ids that one block adds up.
constexpr std::int64_t kTile = 64;
constexpr int kColumns = 128;

template <typename T, typename Table, int N>
__global__ void lookUp(T* y, const std::int64_t* ids, const Table* table, std::int64_t rows,
                       std::int64_t tableRows, std::int64_t width) {
    const std::int64_t row = warpRow();
    if (row >= rows) return;
    const Table* from = table + withinBounds(ids[row], tableRows) * width;
    forLanePacks<N>(
        width, [&](std::int64_t c) { storeFloats(y + row * width + c, loadFloats<N>(from + c)); });
}

__global__ void numberIds(std::uint32_t* keys, std::uint32_t* values, const std::int64_t* ids,
                          std::int64_t count, std::int64_t tableRows) {
    const std::int64_t i = threadElement();
    if (i >= count) return;
    keys[i] = static_cast<std::uint32_t>(withinBounds(ids[i], tableRows));
    values[i] = static_cast<std::uint32_t>(i);
}

/// Rows sorted by id.
struct SortedRows {
    const std::uint32_t* id;
    const std::uint32_t* row;
    std::int64_t count;

    /// Whether the rows on both sides of `at` have one id.
    __device__ bool joined(std::int64_t at) const {
        return at > 0 && at < count && id[at - 1] == id[at];
    }
};

/// Ids that begin and end within the tile go to dTable; of the others the sums wait in crossing
/// [tiles, 2, width]: of the id that comes from the tile before, and of the one that begins here
/// and goes on.
template <typename T>
__global__ void addTiles(float* dTable, float* crossing, const T* dy, SortedRows rows,
                         std::int64_t width) {
    const std::int64_t column = static_cast<std::int64_t>(blockIdx.y) * kColumns + threadIdx.x;
    if (column >= width) return;
    const std::int64_t tile = blockIdx.x;
    const std::int64_t top = tile * kTile;
    const std::int64_t end = top + kTile < rows.count ? top + kTile : rows.count;
    bool fromBefore = rows.joined(top);
    float sum = 0.0F;
    for (std::int64_t i = top; i < end; ++i) {
        sum += toFloat(dy[rows.row[i] * width + column]);
        const bool goesOn = rows.joined(i + 1);
        if (goesOn && i + 1 < end) continue;
        if (fromBefore)
            crossing[2 * tile * width + column] = sum;
        else if (goesOn)
            crossing[(2 * tile + 1) * width + column] = sum;
        else
            dTable[rows.id[i] * width + column] += sum;
        fromBefore = false;
        sum = 0.0F;
    }
}

/// Adds up the sums of the id that begins in a tile and goes on in the next ones.
__global__ void addCrossing(float* dTable, const float* crossing, SortedRows rows,
                            std::int64_t width) {
    const std::int64_t column = static_cast<std::int64_t>(blockIdx.y) * kColumns + threadIdx.x;
    if (column >= width) return;
    const std::int64_t tile = blockIdx.x;
    std::int64_t next = (tile + 1) * kTile;
    if (!rows.joined(next)) return;
    const std::uint32_t id = rows.id[next];
    const bool throughout = rows.joined(tile * kTile) && rows.id[tile * kTile] == id;
    if (throughout) return;
    float sum = crossing[(2 * tile + 1) * width + column];
    for (; next < rows.count && rows.id[next] == id; next += kTile)
        sum += crossing[2 * (next / kTile) * width + column];
    dTable[id * width + column] += sum;
}

}  // namespace

void CudaBackend::embeddingForward(core::Out y, const core::Tensor& ids,
                                   const core::Tensor& table) {
    indices_.require(ids, table.size(0), false, IndexKind::Id);
    const std::int64_t width = table.size(1);
    if (y.elements() == 0) return;
    withPacks(y.dtype(), width, {&y, &table}, [&]<typename T, int N>() {
        if (table.dtype() == y.dtype())
            launch(stream(), lookUp<T, T, N>, warpsFor(ids.size(0)), dim3(kBlock), 0, data<T>(y),
                   data<std::int64_t>(ids), data<T>(table), ids.size(0), table.size(0), width);
        else
            launch(stream(), lookUp<T, float, N>, warpsFor(ids.size(0)), dim3(kBlock), 0,
                   data<T>(y), data<std::int64_t>(ids), data<float>(table), ids.size(0),
                   table.size(0), width);
    });
}

void CudaBackend::embeddingBackward(core::InOut dTable, const core::Tensor& dy,
                                    const core::Tensor& ids) {
    const std::int64_t width = dTable.size(1);
    const std::int64_t count = ids.size(0);
    CORE_CHECK(dTable.size(0) <= std::numeric_limits<std::uint32_t>::max() &&
                   count <= std::numeric_limits<std::uint32_t>::max(),
               "ids and rows of 32 bits");
    indices_.require(ids, dTable.size(0), false, IndexKind::Id);
    if (dy.elements() == 0) return;
    const std::int64_t tiles = divideUp(count, kTile);
    ScratchLayout layout;
    SortArrays sorted(layout, count);
    const std::size_t crossingAt = layout.place<float>(2 * tiles * width);
    void* memory = scratch(layout.bytes());
    sorted.attach(memory);
    auto* crossing = layoutPiece<float>(memory, crossingAt);
    launch(stream(), numberIds, blocksFor(count), dim3(kBlock), 0, sorted.keys(), sorted.values(),
           data<std::int64_t>(ids), count, dTable.size(0));
    sorted.sort(stream(),
                static_cast<int>(std::bit_width(static_cast<std::uint64_t>(dTable.size(0) - 1))));
    const SortedRows rows{sorted.keys(), sorted.values(), count};
    const dim3 grid(static_cast<unsigned>(tiles), static_cast<unsigned>(divideUp(width, kColumns)));
    withType(dy.dtype(), [&]<typename T>() {
        launch(stream(), addTiles<T>, grid, dim3(kColumns), 0, data<float>(dTable), crossing,
               data<T>(dy), rows, width);
    });
    launch(stream(), addCrossing, grid, dim3(kColumns), 0, data<float>(dTable), crossing, rows,
           width);
}

}  // namespace gpu
