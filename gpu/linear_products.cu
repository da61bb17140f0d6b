// SPDX-License-Identifier: Apache-2.0
#include "gpu/device/bias.cuh"
#include "gpu/linear_products.h"
#include "gpu/packs.h"

#include <algorithm>

namespace gpu {
namespace {

/// How the rows of each expert are divided for their column sums.
struct Parts {
    explicit Parts(std::int64_t rows)
        : rowsPerPart(std::max<std::int64_t>(64, divideUp(rows, 64))),
          count(divideUp(rows, rowsPerPart)) {}
    std::int64_t rowsPerPart;
    std::int64_t count;
};

}  // namespace

/// With its epilogue, or not at all.
bool LinearProducts::fused(const ProductArgs& args) const {
    const bool can = blas_.supports(args);
    if (can) blas_.product(args);
    return can;
}

ProductArgs LinearProducts::forwardArgs(const Tensor& y, const Tensor& x, const Tensor& weight,
                                        const Tensor& bias) const {
    ProductArgs args;
    args.m = rows_;
    args.n = out_;
    args.k = in_;
    args.type = args.resultType = type_;
    args.c = y.raw();
    args.a = x.raw();
    args.b = weight.raw();
    args.transposeB = true;
    args.batch = experts_;
    args.strideA = rows_ * in_;
    args.strideB = out_ * in_;
    args.strideC = rows_ * out_;
    if (bias.defined()) {
        args.epilogue = Epilogue::Bias;
        args.bias = bias.raw();
        args.biasStride = out_;
    }
    return args;
}

/// Where cuBLASLt adds no bias, the product is added to it.
void LinearProducts::forward(const Tensor& y, const Tensor& x, const Tensor& weight,
                             const Tensor& bias) const {
    if (rows_ == 0) return;
    ProductArgs args = forwardArgs(y, x, weight, bias);
    if (bias.defined() && !blas_.supports(args)) {
        withType(type_, [&]<typename T>() {
            launch(stream_, repeatBias<T>, elementBlocks(experts_ * rows_ * out_), kElementThreads,
                   0, data<T>(y), data<T>(bias), experts_, rows_, out_);
        });
        args.epilogue = Epilogue::None;
        args.bias = nullptr;
        args.beta = 1.0F;
    }
    blas_.product(args);
}

bool LinearProducts::forwardRelu(const Tensor& y, const Tensor& x, const Tensor& weight,
                                 const Tensor& bias) const {
    if (rows_ == 0) return true;
    ProductArgs args = forwardArgs(y, x, weight, bias);
    args.epilogue = Epilogue::Relu;
    return fused(args);
}

bool LinearProducts::forwardGeluTanh(const Tensor& y, const Tensor& before, const Tensor& x,
                                     const Tensor& weight, const Tensor& bias) const {
    if (rows_ == 0) return true;
    ProductArgs args = forwardArgs(y, x, weight, bias);
    args.epilogue = Epilogue::GeluTanh;
    args.aux = before.raw();
    return fused(args);
}

ProductArgs LinearProducts::backwardArgs(const Tensor& dx, const Tensor& dy,
                                         const Tensor& weight) const {
    ProductArgs args;
    args.m = rows_;
    args.n = in_;
    args.k = out_;
    args.type = args.resultType = type_;
    args.c = dx.raw();
    args.a = dy.raw();
    args.b = weight.raw();
    args.batch = experts_;
    args.strideA = rows_ * out_;
    args.strideB = out_ * in_;
    args.strideC = rows_ * in_;
    return args;
}

void LinearProducts::backwardData(const Tensor& dx, const Tensor& dy, const Tensor& weight) const {
    blas_.product(backwardArgs(dx, dy, weight));
}

bool LinearProducts::backwardGeluTanh(const Tensor& dBefore, const Tensor& dy, const Tensor& weight,
                                      const Tensor& before) const {
    if (rows_ == 0) return true;
    ProductArgs args = backwardArgs(dBefore, dy, weight);
    args.epilogue = Epilogue::GeluTanhSlope;
    args.aux = before.raw();
    return fused(args);
}

/// Where cuBLASLt does not sum dy's rows as it reads them, they are read again.
void LinearProducts::backwardWeight(const Tensor& dWeight, float* dBias, float* sums,
                                    const Tensor& dy, const Tensor& x) const {
    if (rows_ == 0) return;
    ProductArgs args;
    args.m = out_;
    args.n = in_;
    args.k = rows_;
    args.type = type_;
    args.resultType = core::DType::F32;
    args.c = dWeight.raw();
    args.a = dy.raw();
    args.b = x.raw();
    args.transposeA = true;
    args.beta = 1.0F;
    args.batch = experts_;
    args.strideA = rows_ * out_;
    args.strideB = rows_ * in_;
    args.strideC = out_ * in_;
    if (dBias == nullptr) {
        blas_.product(args);
        return;
    }
    ProductArgs withBias = args;
    withBias.epilogue = Epilogue::BiasGradient;
    withBias.biasGradient = sums;
    withBias.biasStride = out_;
    std::int64_t parts = 1;
    if (!fused(withBias)) {
        blas_.product(args);
        parts = sumRows(sums, dy);
    }
    launch(stream_, addBiasPartials, blocksFor(experts_ * out_), kBlock, 0, dBias, sums, parts,
           out_, experts_);
}

std::size_t LinearProducts::biasSums() const {
    return static_cast<std::size_t>(experts_ * Parts(rows_).count * out_);
}

/// sums [E, parts, out] of dy, and how many parts.
std::int64_t LinearProducts::sumRows(float* sums, const Tensor& dy) const {
    const Parts parts(rows_);
    const dim3 grid(static_cast<unsigned>(divideUp(out_, kBiasColumns)),
                    static_cast<unsigned>(parts.count), static_cast<unsigned>(experts_));
    withType(type_, [&]<typename T>() {
        launch(stream_, biasPartialSums<T>, grid, dim3(kBiasColumns, kBiasRows),
               sizeof(float) * kBiasColumns * kBiasRows, sums, data<T>(dy), rows_, out_,
               parts.rowsPerPart);
    });
    return parts.count;
}

}  // namespace gpu
