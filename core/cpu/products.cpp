// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/block_products_internal.h"
#include "core/cpu/products_internal.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

namespace core::cpu {
namespace {

using Index = std::int64_t;

/// Fewer rows, or columns, of a result are not worth a thread.
constexpr Index kLeastRows = 64;
constexpr Index kLeastColumns = 16;
/// A thread packs all of a weight for its rows: with fewer than that threads share the columns.
constexpr Index kRowsPerWeight = 768;
/// Fewer columns of sums are not worth a thread.
constexpr Index kSumColumns = 64;
/// Elements of a weight's gradient of which each thread can have sums of its own.
constexpr Index kOwnSums = 1 << 16;

/// body(expert, rows of it as [begin, end)) for the experts' parts of rows [begin, end).
template <typename F>
void forExperts(std::span<const Index> offsets, Index begin, Index end, F body) {
    for (std::size_t e = 0; e + 1 < offsets.size(); ++e) {
        const Index first = std::max(begin, offsets[e]);
        const Index last = std::min(end, offsets[e + 1]);
        if (first < last) body(static_cast<Index>(e), first, last);
    }
}

/// body(expert, block) for blocks that make up the result [rows of all experts, columns], on all
/// threads.
template <typename F>
void shareResult(std::span<const Index> offsets, Index columns, F body) {
    const Index rows = offsets.back();
    const Index team = threads();
    const bool wide = columns >= 8 * team * kLeastColumns;
    const bool oneWeight = offsets.size() == 2;
    if (rows < team * kLeastRows || (oneWeight && wide && rows < team * kRowsPerWeight)) {
        const Index step = wide ? 4 * kLeastColumns : kLeastColumns;
        parallelFor((columns + step - 1) / step, 1, [&](Index begin, Index end, int) {
            const Index first = begin * step;
            const Index count = std::min(columns, end * step) - first;
            forExperts(offsets, 0, rows, [&](Index e, Index top, Index bottom) {
                body(e, Block{top, bottom - top, first, count});
            });
        });
        return;
    }
    parallelFor(rows, kLeastRows, [&](Index begin, Index end, int) {
        forExperts(offsets, begin, end, [&](Index e, Index top, Index bottom) {
            body(e, Block{top, bottom - top, 0, columns});
        });
    });
}

/// Elements whose floats are at hand at one time.
constexpr Index kFinishColumns = 512;

/// function(offset in matrices of `width` columns, sums, elements) for pieces of a block's rows.
template <typename F>
void forPieces(const Block& block, Index width, float* sums, Index stride, F function) {
    for (Index i = 0; i < block.rows; ++i)
        for (Index j = 0; j < block.columns; j += kFinishColumns)
            function((block.row + i) * width + block.column + j, sums + i * stride + j,
                     std::min(kFinishColumns, block.columns - j));
}

/// The finish that calls `f`, which must outlive it.
template <typename F>
Finish finishOf(const F& f) {
    return {[](const void* context, const Block& block, float* sums, Index stride) {
                (*static_cast<const F*>(context))(block, sums, stride);
            },
            &f};
}

template <typename T>
void addSums(const Kernels& kernels, float* into, const T* x, Index rows, Index columns,
             Index stride) {
    std::vector<double> sums(static_cast<std::size_t>(columns), 0.0);
    kernels.of<T>().columnSums(sums.data(), x, rows, columns, stride);
    for (Index c = 0; c < columns; ++c)
        into[c] += static_cast<float>(sums[static_cast<std::size_t>(c)]);
}

template <typename T>
void forwardProduct(const LinearProducts<T>& p, T* y, const T* x, const T* weight,
                    const float* bias, Finish finish) {
    const ProductLoops<T> loops = productLoops<T>(p.kernels);
    shareResult(p.offsets, p.out, [&](Index e, const Block& block) {
        const ResultProduct<T> product{.c = y,
                                       .stride = p.out,
                                       .left = {x, p.in},
                                       .right = {weight + e * p.out * p.in, p.in},
                                       .rightTransposed = true,
                                       .depth = p.in,
                                       .bias = bias == nullptr ? nullptr : bias + e * p.out,
                                       .finish = finish};
        product.compute(loops, block);
    });
}

template <typename T>
void backwardDataProduct(const LinearProducts<T>& p, T* dx, const T* dy, const T* weight,
                         Finish finish) {
    const ProductLoops<T> loops = productLoops<T>(p.kernels);
    shareResult(p.offsets, p.in, [&](Index e, const Block& block) {
        const ResultProduct<T> product{.c = dx,
                                       .stride = p.in,
                                       .left = {dy, p.out},
                                       .right = {weight + e * p.out * p.in, p.in},
                                       .rightTransposed = false,
                                       .depth = p.out,
                                       .bias = nullptr,
                                       .finish = finish};
        product.compute(loops, block);
    });
}

/// Whether a thread's rows of `all` end within an expert.
bool cutsExperts(std::span<const Index> offsets, Index parts) {
    const Index rows = offsets.back();
    for (Index part = 1; part < parts; ++part)
        if (!std::binary_search(offsets.begin(), offsets.end(), rows * part / parts)) return true;
    return false;
}

/// One thread's share of the gradients of weights and biases.
template <typename T>
struct WeightGradient {
    const LinearProducts<T>& p;
    const ProductLoops<T> loops;
    const T* dy;
    const T* x;

    /// dWeight and dBias (or null) of rows [first, last) of dy and x, for outputs [begin, end).
    void add(float* dWeight, float* dBias, Index first, Index last, Index begin, Index end) const {
        const T* slopes = dy + first * p.out + begin;
        addTransposedProduct<T>(loops, dWeight + begin * p.in, p.in, {slopes, p.out},
                                {x + first * p.in, p.in}, end - begin, p.in, last - first);
        if (dBias != nullptr)
            addSums(p.kernels, dBias + begin, slopes, last - first, end - begin, p.out);
    }
};

/// Threads share the rows; the first expert of a thread's rows, begun by another thread, is summed
/// apart and added in the end, in the order of the threads.
template <typename T>
void shareRows(const WeightGradient<T>& gradient, float* dWeight, float* dBias) {
    const LinearProducts<T>& p = gradient.p;
    const Index rows = p.offsets.back();
    const Index each = p.out * p.in + p.out;
    const auto parts = static_cast<std::size_t>(parallelParts(rows, kLeastRows));
    std::vector<std::vector<float>> own(parts);
    std::vector<Index> expertOf(parts, -1);
    parallelFor(rows, kLeastRows, [&](Index begin, Index end, int part) {
        const auto mine = static_cast<std::size_t>(part);
        forExperts(p.offsets, begin, end, [&](Index e, Index first, Index last) {
            float* weightSums = dWeight + e * p.out * p.in;
            float* biasSums = dBias == nullptr ? nullptr : dBias + e * p.out;
            if (first == begin && begin > p.offsets[static_cast<std::size_t>(e)]) {
                own[mine].assign(static_cast<std::size_t>(each), 0.0F);
                expertOf[mine] = e;
                weightSums = own[mine].data();
                biasSums = dBias == nullptr ? nullptr : weightSums + p.out * p.in;
            }
            gradient.add(weightSums, biasSums, first, last, 0, p.out);
        });
    });
    for (std::size_t part = 0; part < parts; ++part) {
        const Index e = expertOf[part];
        if (e < 0) continue;
        const float* from = own[part].data();
        p.kernels.f32.axpy(dWeight + e * p.out * p.in, from, 1.0F, p.out * p.in);
        if (dBias != nullptr)
            p.kernels.f32.axpy(dBias + e * p.out, from + p.out * p.in, 1.0F, p.out);
    }
}

}  // namespace

template <typename T>
void LinearProducts<T>::forward(T* y, const T* x, const T* weight, const float* bias) const {
    forwardProduct<T>(*this, y, x, weight, bias, {});
}

template <typename T>
void LinearProducts<T>::forward(T* y, T* before, const T* x, const T* weight, const float* bias,
                                Activation kind) const {
    const auto activate = kernels.f32.activationForward[static_cast<std::size_t>(kind)];
    const auto narrow = kernels.of<T>().fromFloats;
    const auto finish = [&](const Block& block, float* sums, Index stride) {
        forPieces(block, out, sums, stride, [&](Index at, float* piece, Index n) {
            if constexpr (std::is_same_v<T, float>) {
                activate(y + at, piece, n);
            } else {
                narrow(before + at, piece, n);
                activate(piece, piece, n);
                narrow(y + at, piece, n);
            }
        });
    };
    forwardProduct<T>(*this, before, x, weight, bias, finishOf(finish));
}

template <typename T>
void LinearProducts<T>::backwardData(T* dx, const T* dy, const T* weight) const {
    backwardDataProduct<T>(*this, dx, dy, weight, {});
}

template <typename T>
void LinearProducts<T>::backwardData(T* dBefore, const T* dy, const T* weight, const T* before,
                                     Activation kind) const {
    const auto activate = kernels.f32.activationBackward[static_cast<std::size_t>(kind)];
    const ElementKernels<T>& elements = kernels.of<T>();
    const auto finish = [&](const Block& block, float* sums, Index stride) {
        forPieces(block, in, sums, stride, [&](Index at, float* piece, Index n) {
            if constexpr (std::is_same_v<T, float>) {
                activate(piece, piece, before + at, n);
            } else {
                std::array<float, kFinishColumns> x;
                elements.toFloats(x.data(), before + at, n);
                activate(piece, piece, x.data(), n);
                elements.fromFloats(dBefore + at, piece, n);
            }
        });
    };
    backwardDataProduct<T>(*this, dBefore, dy, weight, finishOf(finish));
}

template <typename T>
void LinearProducts<T>::backwardWeight(float* dWeight, float* dBias, const T* dy,
                                       const T* x) const {
    const WeightGradient<T> gradient{*this, productLoops<T>(kernels), dy, x};
    const Index rows = offsets.back();
    if (rows >= threads() * kLeastRows &&
        (out * in <= kOwnSums || !cutsExperts(offsets, parallelParts(rows, kLeastRows)))) {
        shareRows(gradient, dWeight, dBias);
        return;
    }
    parallelFor(out, kLeastColumns, [&](Index begin, Index end, int) {
        forExperts(offsets, 0, rows, [&](Index e, Index first, Index last) {
            gradient.add(dWeight + e * out * in, dBias == nullptr ? nullptr : dBias + e * out,
                         first, last, begin, end);
        });
    });
}

template <typename T>
void addColumnSums(const Kernels& kernels, float* sums, const T* x, Index rows, Index columns) {
    parallelFor(columns, kSumColumns, [&](Index begin, Index end, int) {
        addSums(kernels, sums + begin, x + begin, rows, end - begin, columns);
    });
}

template struct LinearProducts<float>;
template struct LinearProducts<BFloat16>;
template void addColumnSums(const Kernels&, float*, const float*, Index, Index);
template void addColumnSums(const Kernels&, float*, const BFloat16*, Index, Index);

}  // namespace core::cpu
