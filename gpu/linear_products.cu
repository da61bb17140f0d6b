// SPDX-License-Identifier: Apache-2.0
#include "gpu/linear_products.h"

#include "gpu/device/bias.cuh"
#include "gpu/packs.h"

#include <algorithm>

namespace gpu {
namespace {

std::byte* rowsOf(const core::Tensor& tensor, std::int64_t firstRow, std::int64_t columns) {
    return tensor.raw() +
           static_cast<std::size_t>(firstRow * columns) * core::dtypeBytes(tensor.dtype());
}

std::int64_t mostRows(std::span<const std::int64_t> offsets) {
    std::int64_t most = 0;
    for (std::size_t e = 1; e < offsets.size(); ++e)
        most = std::max(most, offsets[e] - offsets[e - 1]);
    return most;
}

/// How the rows of each range are divided for their column sums.
struct Parts {
    explicit Parts(std::int64_t rows)
        : rowsPerPart(std::max<std::int64_t>(64, divideUp(rows, 64))),
          count(divideUp(rows, rowsPerPart)) {}
    std::int64_t rowsPerPart;
    std::int64_t count;
};

}  // namespace

/// Neighbours of one length make one range; ranges without rows are left out.
template <typename Body>
void LinearProducts::forRanges(Body body) const {
    const auto experts = static_cast<std::int64_t>(offsets_.size()) - 1;
    for (std::int64_t e = 0; e < experts;) {
        const auto at = static_cast<std::size_t>(e);
        const std::int64_t rows = offsets_[at + 1] - offsets_[at];
        std::int64_t end = e + 1;
        while (end < experts && offsets_[static_cast<std::size_t>(end) + 1] -
                                        offsets_[static_cast<std::size_t>(end)] ==
                                    rows)
            ++end;
        if (rows > 0) body(Range{e, end - e, offsets_[at], rows});
        e = end;
    }
}

/// All ranges in one with their epilogue, or none.
template <typename MakeArgs>
bool LinearProducts::fused(MakeArgs makeArgs) const {
    bool all = true;
    forRanges([&](const Range& range) { all = all && blas_.supports(makeArgs(range)); });
    if (all) forRanges([&](const Range& range) { blas_.product(makeArgs(range)); });
    return all;
}

ProductArgs LinearProducts::forwardArgs(const Range& range, const Tensor& y, const Tensor& x,
                                        const Tensor& weight, const Tensor& bias) const {
    ProductArgs args;
    args.m = range.rows;
    args.n = out_;
    args.k = in_;
    args.type = args.resultType = type_;
    args.c = rowsOf(y, range.firstRow, out_);
    args.a = rowsOf(x, range.firstRow, in_);
    args.b = rowsOf(weight, range.expert * out_, in_);
    args.transposeB = true;
    args.batch = range.experts;
    args.strideA = range.rows * in_;
    args.strideB = out_ * in_;
    args.strideC = range.rows * out_;
    if (bias.defined()) {
        args.epilogue = Epilogue::Bias;
        args.bias = rowsOf(bias, range.expert, out_);
        args.biasStride = out_;
    }
    return args;
}

/// Where cuBLASLt adds no bias, the product is added to it.
void LinearProducts::forward(const Tensor& y, const Tensor& x, const Tensor& weight,
                             const Tensor& bias) const {
    forRanges([&](const Range& range) {
        ProductArgs args = forwardArgs(range, y, x, weight, bias);
        if (bias.defined() && !blas_.supports(args)) {
            forType(type_, [&](auto tag) {
                using T = typename decltype(tag)::Type;
                launch(stream_, repeatBias<T>, elementBlocks(range.experts * range.rows * out_),
                       kElementThreads, 0, static_cast<T*>(args.c),
                       static_cast<const T*>(args.bias), range.experts, range.rows, out_);
            });
            args.epilogue = Epilogue::None;
            args.bias = nullptr;
            args.beta = 1.0F;
        }
        blas_.product(args);
    });
}

bool LinearProducts::forwardGeluTanh(const Tensor& y, const Tensor& before, const Tensor& x,
                                     const Tensor& weight, const Tensor& bias) const {
    return fused([&](const Range& range) {
        ProductArgs args = forwardArgs(range, y, x, weight, bias);
        args.epilogue = Epilogue::GeluTanh;
        args.aux = rowsOf(before, range.firstRow, out_);
        return args;
    });
}

ProductArgs LinearProducts::backwardArgs(const Range& range, const Tensor& dx, const Tensor& dy,
                                         const Tensor& weight) const {
    ProductArgs args;
    args.m = range.rows;
    args.n = in_;
    args.k = out_;
    args.type = args.resultType = type_;
    args.c = rowsOf(dx, range.firstRow, in_);
    args.a = rowsOf(dy, range.firstRow, out_);
    args.b = rowsOf(weight, range.expert * out_, in_);
    args.batch = range.experts;
    args.strideA = range.rows * out_;
    args.strideB = out_ * in_;
    args.strideC = range.rows * in_;
    return args;
}

void LinearProducts::backwardData(const Tensor& dx, const Tensor& dy, const Tensor& weight) const {
    forRanges([&](const Range& range) { blas_.product(backwardArgs(range, dx, dy, weight)); });
}

bool LinearProducts::backwardGeluTanh(const Tensor& dBefore, const Tensor& dy,
                                      const Tensor& weight, const Tensor& before) const {
    return fused([&](const Range& range) {
        ProductArgs args = backwardArgs(range, dBefore, dy, weight);
        args.epilogue = Epilogue::GeluTanhSlope;
        args.aux = rowsOf(before, range.firstRow, in_);
        return args;
    });
}

void LinearProducts::backwardWeight(const Tensor& dWeight, const Tensor& dy,
                                    const Tensor& x) const {
    forRanges([&](const Range& range) {
        ProductArgs args;
        args.m = out_;
        args.n = in_;
        args.k = range.rows;
        args.type = type_;
        args.resultType = core::DType::F32;
        args.c = rowsOf(dWeight, range.expert * out_, in_);
        args.a = rowsOf(dy, range.firstRow, out_);
        args.b = rowsOf(x, range.firstRow, in_);
        args.transposeA = true;
        args.beta = 1.0F;
        args.batch = range.experts;
        args.strideA = range.rows * out_;
        args.strideB = range.rows * in_;
        args.strideC = out_ * in_;
        blas_.product(args);
    });
}

std::size_t biasPartials(std::span<const std::int64_t> offsets, std::int64_t columns) {
    const auto experts = static_cast<std::int64_t>(offsets.size()) - 1;
    return static_cast<std::size_t>(experts * Parts(mostRows(offsets)).count * columns);
}

void addBiasGradients(cudaStream_t stream, float* dBias, float* partials, const core::Tensor& dy,
                      std::span<const std::int64_t> offsets, const std::int64_t* deviceOffsets) {
    const Parts parts(mostRows(offsets));
    const std::int64_t columns = dy.size(1);
    const auto experts = static_cast<unsigned>(offsets.size() - 1);
    const dim3 grid(static_cast<unsigned>(divideUp(columns, kBiasColumns)),
                    static_cast<unsigned>(parts.count), experts);
    if (parts.count == 0 || columns == 0) return;
    withType(dy.dtype(), [&]<typename T>() {
        launch(stream, biasPartialSums<T>, grid, dim3(kBiasColumns, kBiasRows),
               sizeof(float) * kBiasColumns * kBiasRows, partials, data<T>(dy), deviceOffsets,
               columns, parts.rowsPerPart);
    });
    launch(stream, addBiasPartials, blocksFor(experts * columns), kBlock, 0, dBias, partials,
           parts.count, columns, static_cast<std::int64_t>(experts));
}

}  // namespace gpu
