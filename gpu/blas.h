// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/dtype.h"

#include <cuda_runtime.h>

#include <cstdint>
#include <memory>
#include <string>

namespace gpu {

/// What a product does to its result before it is stored.
enum class Epilogue {
    None,
    Bias,           ///< + bias[column]
    Relu,           ///< c = max(product (+ bias where there is one), 0)
    GeluTanh,       ///< aux = product (+ bias where there is one); c = tanh GELU of it
    GeluTanhSlope,  ///< c = product * derivative of the tanh GELU at aux
    BiasGradient    ///< biasGradient[row] = sum over k of op(A)
};

/// C = op(A) op(B) + beta C of row-major matrices: op(A) is [m, k], op(B) is [k, n], C is [m, n];
/// a transposed operand lies in memory as its transpose. A batch is a number of such products at
/// fixed distances (in elements).
///
/// A and B have one type, F32 or BF16; C has it too or is F32. Sums are F32, without TF32.
struct ProductArgs {
    std::int64_t m = 0, n = 0, k = 0;
    core::DType type = core::DType::F32;
    core::DType resultType = core::DType::F32;
    void* c = nullptr;
    const void* a = nullptr;
    const void* b = nullptr;
    bool transposeA = false;
    bool transposeB = false;
    float beta = 0.0F;
    std::int64_t batch = 1;
    std::int64_t strideA = 0, strideB = 0, strideC = 0;
    Epilogue epilogue = Epilogue::None;
    const void* bias = nullptr;    ///< [n] of the result's type, or none
    void* biasGradient = nullptr;  ///< [m] of the result's type, overwritten
    std::int64_t biasStride = 0;   ///< of either
    void* aux = nullptr;           ///< [m, n] of the result's type; at strideC
};

/// Matrix products of the current device on one stream, asynchronous. The same arguments give the
/// same bits.
class Blas {
  public:
    explicit Blas(cudaStream_t stream);
    ~Blas();
    Blas(const Blas&) = delete;
    Blas& operator=(const Blas&) = delete;

    /// Whether there is a kernel for these arguments: not every epilogue goes with every type, size
    /// and alignment. Epilogue::None always does.
    bool supports(const ProductArgs& args);

    /// Throws core::Error{Device}, also where `supports` is false. m, n or batch 0 does nothing;
    /// k is positive.
    void product(const ProductArgs& args);

    /// The library and its version, for people.
    static std::string library();

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace gpu
