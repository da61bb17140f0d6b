// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/rows.cuh"
#include "gpu/device/shared.cuh"

#include <cstdint>

// The passes of Adafactor over a weight [batch, rows, columns]; each batch entry is a parameter of
// its own. Sums are in double and in a fixed order.

namespace gpu {

/// A step whose scale is not finite leaves moments and weights as they are.

/// moment = decay * moment + (1 - decay) * (scale^2 * mean of squares + epsilon)
struct AdafactorBlend {
    double decay;
    double epsilon;
    const float* gradientScale;

    __device__ double scale() const { return static_cast<double>(*gradientScale); }
    __device__ float of(float moment, double meanOfSquares) const {
        if (!isfinite(*gradientScale)) return moment;
        return static_cast<float>(decay * static_cast<double>(moment) +
                                  (1.0 - decay) * (meanOfSquares * scale() * scale() + epsilon));
    }
};

/// A warp a row of all [batch * rows]: the sums of squares of its gradient and its weight.
static __global__ void rowSquareSums(double* gradientSums, double* weightSums,
                                     const float* gradient, const float* weight, std::int64_t rows,
                                     std::int64_t columns) {
    const std::int64_t row = warpRow();
    if (row >= rows) return;
    double ofGradient = 0.0;
    double ofWeight = 0.0;
    for (std::int64_t c = laneRank(); c < columns; c += kWarp) {
        const auto g = static_cast<double>(gradient[row * columns + c]);
        const auto w = static_cast<double>(weight[row * columns + c]);
        ofGradient += g * g;
        ofWeight += w * w;
    }
    ofGradient = warpSum(ofGradient);
    ofWeight = warpSum(ofWeight);
    if (laneRank() != 0) return;
    gradientSums[row] = ofGradient;
    weightSums[row] = ofWeight;
}

/// Threads of a block of columnSquareSums: columns side by side, rows in turns.
constexpr int kSquareColumns = 32;
constexpr int kSquareRows = 8;

/// partials [batch, parts, columns]: sums of squares over the part blockIdx.y of the rows of batch
/// entry blockIdx.z. Shared memory: kSquareRows * kSquareColumns doubles.
static __global__ void columnSquareSums(double* partials, const float* gradient, std::int64_t rows,
                                        std::int64_t columns, std::int64_t rowsPerPart) {
    double* shared = blockShared<double>();
    const std::int64_t column = std::int64_t{blockIdx.x} * kSquareColumns + threadIdx.x;
    const float* const from = gradient + std::int64_t{blockIdx.z} * rows * columns;
    const std::int64_t first = blockIdx.y * rowsPerPart;
    const std::int64_t end = first + rowsPerPart < rows ? first + rowsPerPart : rows;
    double sum = 0.0;
    if (column < columns)
        for (std::int64_t r = first + threadIdx.y; r < end; r += kSquareRows) {
            const auto g = static_cast<double>(from[r * columns + column]);
            sum += g * g;
        }
    shared[threadIdx.y * kSquareColumns + threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0 || column >= columns) return;
    double total = 0.0;
    for (int y = 0; y < kSquareRows; ++y) total += shared[y * kSquareColumns + threadIdx.x];
    partials[(std::int64_t{blockIdx.z} * gridDim.y + blockIdx.y) * columns + column] = total;
}

/// A block a batch entry: blends its row moments and gives every row's factor scale / sqrt(moment /
/// mean of the moments). Shared memory: kMostWarps doubles.
static __global__ void blendRows(float* moments, double* factors, const double* squares,
                                 std::int64_t rows, std::int64_t columns, AdafactorBlend blend) {
    moments += blockIdx.x * rows;
    factors += blockIdx.x * rows;
    squares += blockIdx.x * rows;
    double total = 0.0;
    for (std::int64_t r = threadIdx.x; r < rows; r += blockDim.x) {
        moments[r] = blend.of(moments[r], squares[r] / static_cast<double>(columns));
        total += static_cast<double>(moments[r]);
    }
    const double mean = blockSum(total, blockShared<double>()) / static_cast<double>(rows);
    for (std::int64_t r = threadIdx.x; r < rows; r += blockDim.x)
        factors[r] = blend.scale() / sqrt(static_cast<double>(moments[r]) / mean);
}

/// A thread a column of all [batch * columns]: blends its moment and gives 1 / sqrt(moment).
static __global__ void blendColumns(float* moments, float* factors, const double* partials,
                                    std::int64_t all, std::int64_t columns, std::int64_t parts,
                                    std::int64_t rows, AdafactorBlend blend) {
    const std::int64_t i = threadElement();
    if (i >= all) return;
    const double* const from = partials + i / columns * parts * columns + i % columns;
    double total = 0.0;
    for (std::int64_t p = 0; p < parts; ++p) total += from[p * columns];
    moments[i] = blend.of(moments[i], total / static_cast<double>(rows));
    factors[i] = 1.0F / sqrtf(moments[i]);
}

/// A warp a row: the sum of squares of its update, gradient * row's factor * column's factor.
static __global__ void updateSquareSums(double* sums, const float* gradient,
                                        const double* rowFactors, const float* columnFactors,
                                        std::int64_t all, std::int64_t rows,
                                        std::int64_t columns) {
    const std::int64_t row = warpRow();
    if (row >= all) return;
    const float* const factors = columnFactors + row / rows * columns;
    double total = 0.0;
    for (std::int64_t c = laneRank(); c < columns; c += kWarp) {
        const auto u = static_cast<double>(gradient[row * columns + c] * factors[c]);
        total += u * u;
    }
    total = warpSum(total);
    if (laneRank() == 0) sums[row] = total * rowFactors[row] * rowFactors[row];
}

struct AdafactorStepRule {
    float lr;
    float clippingThreshold;
    float epsilon2;
    bool multiplyByParameterScale;
    double elements;
};

/// A block a batch entry: steps = lr * parameter scale / clipping from the partial sums [batch,
/// count]. Shared memory: kMostWarps doubles.
static __global__ void adafactorSteps(double* steps, const double* updates, const double* weights,
                                      std::int64_t count, AdafactorStepRule rule) {
    double ofUpdate = 0.0;
    double ofWeight = 0.0;
    for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) {
        ofUpdate += updates[blockIdx.x * count + i];
        ofWeight += weights[blockIdx.x * count + i];
    }
    ofUpdate = blockSum(ofUpdate, blockShared<double>());
    ofWeight = blockSum(ofWeight, blockShared<double>());
    if (threadIdx.x != 0) return;
    auto step = static_cast<double>(rule.lr);
    if (rule.clippingThreshold > 0.0F) {
        const double excess = sqrt(ofUpdate / rule.elements) /
                              static_cast<double>(rule.clippingThreshold);
        if (excess > 1.0) step /= excess;
    }
    if (rule.multiplyByParameterScale) {
        const double size = sqrt(ofWeight / rule.elements);
        const auto least = static_cast<double>(rule.epsilon2);
        step *= size < least ? least : size;
    }
    steps[blockIdx.x] = step;
}

static __global__ void applyFactored(float* weight, const float* gradient,
                                     const double* rowFactors, const float* columnFactors,
                                     const double* steps, std::int64_t all, std::int64_t rows,
                                     std::int64_t columns, float keep, const float* scale) {
    if (!isfinite(*scale)) return;
    const std::int64_t n = all * columns;
    const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
    for (std::int64_t i = threadElement(); i < n; i += stride) {
        const std::int64_t row = i / columns;
        const std::int64_t entry = row / rows;
        const auto rate = static_cast<float>(steps[entry] * rowFactors[row]);
        weight[i] = weight[i] * keep -
                    gradient[i] * columnFactors[entry * columns + i % columns] * rate;
    }
}

struct AdafactorMoment {
    const float* gradientScale;
    float decay;
    float mix;
    float epsilon;
};

/// A block has `share` elements of batch entry blockIdx.y: blends their moments; sums of squares of
/// the update gradient / sqrt(moment) and of the weight. Shared memory: kMostWarps doubles.
static __global__ void blendFull(float* moments, double* updates, double* weights,
                                 const float* gradient, const float* weight, std::int64_t n,
                                 std::int64_t share, AdafactorMoment rule) {
    const std::int64_t base = blockIdx.y * n;
    const std::int64_t first = blockIdx.x * share;
    const std::int64_t end = first + share < n ? first + share : n;
    const float scale = *rule.gradientScale;
    if (!isfinite(scale)) return;
    double ofUpdate = 0.0;
    double ofWeight = 0.0;
    for (std::int64_t i = first + threadIdx.x; i < end; i += blockDim.x) {
        const float g = gradient[base + i] * scale;
        const float square = g * g;
        const float moment = moments[base + i] * rule.decay + (square + rule.epsilon) * rule.mix;
        moments[base + i] = moment;
        const auto w = static_cast<double>(weight[base + i]);
        ofUpdate += static_cast<double>(square / moment);
        ofWeight += w * w;
    }
    ofUpdate = blockSum(ofUpdate, blockShared<double>());
    ofWeight = blockSum(ofWeight, blockShared<double>());
    if (threadIdx.x != 0) return;
    const std::int64_t at = std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x;
    updates[at] = ofUpdate;
    weights[at] = ofWeight;
}

static __global__ void applyFull(float* weight, const float* gradient, const float* moments,
                                 const double* steps, std::int64_t all, std::int64_t n, float keep,
                                 const float* scale) {
    if (!isfinite(*scale)) return;
    const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
    for (std::int64_t i = threadElement(); i < all; i += stride) {
        const auto rate =
            static_cast<float>(steps[i / n] * static_cast<double>(*scale));
        weight[i] = weight[i] * keep - gradient[i] * rate / sqrtf(moments[i]);
    }
}

}  // namespace gpu
