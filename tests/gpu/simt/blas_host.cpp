// SPDX-License-Identifier: Apache-2.0
// gpu/blas.h on the host, for the harness: the arguments, alignments and epilogues that cuBLASLt's
// documentation allows, with plain loops.
#include "core/base/error.h"
#include "core/tensor/convert.h"
#include "gpu/blas.h"
#include "tests/gpu/simt/runtime.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

namespace gpu {
namespace {

using Index = std::int64_t;

bool usesAux(const ProductArgs& args) {
    return args.epilogue == Epilogue::GeluTanh || args.epilogue == Epilogue::GeluTanhSlope;
}

double element(const void* from, core::DType type, Index at) {
    if (type == core::DType::F32) return static_cast<double>(static_cast<const float*>(from)[at]);
    return static_cast<double>(core::bf16ToFloat(static_cast<const std::uint16_t*>(from)[at]));
}

void store(void* into, core::DType type, Index at, double value) {
    const auto rounded = static_cast<float>(value);
    if (type == core::DType::F32)
        static_cast<float*>(into)[at] = rounded;
    else
        static_cast<std::uint16_t*>(into)[at] = core::floatToBf16(rounded);
}

/// Row-major op(matrix) [rows, columns] in double.
std::vector<double> read(const void* from, core::DType type, Index offset, Index rows,
                         Index columns, bool transposed) {
    std::vector<double> values(static_cast<std::size_t>(rows * columns));
    for (Index r = 0; r < rows; ++r)
        for (Index c = 0; c < columns; ++c)
            values[static_cast<std::size_t>(r * columns + c)] =
                element(from, type, offset + (transposed ? c * rows + r : r * columns + c));
    return values;
}

double geluTanh(double x) {
    return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
}

double geluTanhSlope(double x) {
    const double root = std::sqrt(2.0 / M_PI);
    const double t = std::tanh(root * (x + 0.044715 * x * x * x));
    return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * root * (1.0 + 3.0 * 0.044715 * x * x);
}

/// The epilogue on one element of the sum, and where it goes.
void finish(const ProductArgs& args, Index batch, Index row, Index column, double sum) {
    const Index at = batch * args.strideC + row * args.n + column;
    if (args.beta != 0.0F)
        sum += static_cast<double>(args.beta) * element(args.c, args.resultType, at);
    if (args.bias != nullptr)
        sum += element(args.bias, args.resultType, batch * args.biasStride + column);
    if (args.epilogue == Epilogue::Relu) {
        sum = std::max(sum, 0.0);
    } else if (args.epilogue == Epilogue::GeluTanh) {
        store(args.aux, args.resultType, at, sum);
        sum = geluTanh(sum);
    } else if (args.epilogue == Epilogue::GeluTanhSlope) {
        sum *= geluTanhSlope(element(args.aux, args.resultType, at));
    }
    store(args.c, args.resultType, at, sum);
}

void multiply(const ProductArgs& args, Index batch) {
    const std::vector<double> a =
        read(args.a, args.type, batch * args.strideA, args.m, args.k, args.transposeA);
    const std::vector<double> b =
        read(args.b, args.type, batch * args.strideB, args.k, args.n, args.transposeB);
    std::vector<double> sums(static_cast<std::size_t>(args.n));
    for (Index row = 0; row < args.m; ++row) {
        sums.assign(sums.size(), 0.0);
        for (Index k = 0; k < args.k; ++k) {
            const double factor = a[static_cast<std::size_t>(row * args.k + k)];
            const double* const from = b.data() + k * args.n;
            for (std::size_t column = 0; column < sums.size(); ++column)
                sums[column] += factor * from[column];
        }
        if (args.epilogue == Epilogue::BiasGradient) {
            const auto begin = a.begin() + row * args.k;
            store(args.biasGradient, args.resultType, batch * args.biasStride + row,
                  std::accumulate(begin, begin + args.k, 0.0));
        }
        for (Index column = 0; column < args.n; ++column)
            finish(args, batch, row, column, sums[static_cast<std::size_t>(column)]);
    }
}

bool aligned(const void* pointer, std::size_t bytes) {
    return reinterpret_cast<std::uintptr_t>(pointer) % bytes == 0;
}

}  // namespace

struct Blas::Parts {
    cudaStream_t stream;
};

Blas::Blas(cudaStream_t stream) : parts_(new Parts{stream}) {}

Blas::~Blas() = default;

/// cublasLtMatmul's table of types; CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD is a multiple of 8 for
/// GELU; pointers of epilogues are aligned to 16 bytes, those of a batch all of them.
bool Blas::supports(const ProductArgs& args) {
    const bool types = (args.type == core::DType::F32 && args.resultType == core::DType::F32) ||
                       (args.type == core::DType::BF16 && (args.resultType == core::DType::BF16 ||
                                                           args.resultType == core::DType::F32));
    if (!types) return false;
    if (args.epilogue == Epilogue::None) return args.bias == nullptr;
    if (args.epilogue == Epilogue::Bias && args.bias == nullptr) return false;
    if (args.epilogue == Epilogue::BiasGradient && args.biasGradient == nullptr) return false;
    const void* const bias =
        args.epilogue == Epilogue::BiasGradient ? args.biasGradient : args.bias;
    const std::size_t distance =
        static_cast<std::size_t>(args.biasStride) * core::dtypeBytes(args.resultType);
    if (bias != nullptr && (!aligned(bias, 16) || (args.batch > 1 && distance % 16 != 0)))
        return false;
    if (!usesAux(args)) return true;
    return args.n % 8 == 0 && args.strideC % 8 == 0 && args.aux != nullptr &&
           aligned(args.aux, 16) && aligned(args.c, 16);
}

void Blas::product(const ProductArgs& args) {
    if (args.m == 0 || args.n == 0 || args.batch == 0) return;
    CORE_CHECK(args.k > 0, "a product with an inner size");
    if (!supports(args))
        throw core::Error(core::ErrorKind::Device, "cuBLASLt has no kernel for such a product");
    simt::enqueue(parts_->stream, simt::NodeKind::Kernel, [args] {
        for (Index batch = 0; batch < args.batch; ++batch) multiply(args, batch);
    });
}

std::string Blas::library() { return "host products"; }

}  // namespace gpu
