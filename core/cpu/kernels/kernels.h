// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/bfloat16.h"

#include <cstdint>

namespace core::cpu {

/// What dropout keeps: the elements whose upper 24 bits of CounterRandom(key).word(element) are at
/// least `threshold`, times `factor`.
struct Keep {
    std::uint64_t key;
    std::uint32_t threshold;  ///< 0 = everything
    float factor;
};

/// AdamW's step with all scalars worked out.
struct AdamWScalars {
    float gradientScale;
    float keep;  ///< 1 - lr * weightDecay
    float beta2;
    float mix1;            ///< 1 - beta1
    float mix2;            ///< 1 - beta2
    float stepSize;        ///< lr / (1 - beta1^t)
    float rootCorrection;  ///< sqrt(1 - beta2^t)
    float epsilon;
};

/// Adafactor's moment without factoring: moment = decay * moment + mix * ((scale * g)^2 + epsilon).
struct AdafactorScalars {
    float gradientScale;
    float decay;
    float mix;
    float epsilon;
};

/// What the gradient of a cross-entropy takes away from the probabilities of a row.
struct SmoothedTarget {
    std::int64_t label;  ///< index of the label's element
    float every;
    float atLabel;
    float factor;
    float shift;  ///< log-sum-exp of the row; not for the binary one
};

/// The inner loops over activations, whose elements are T: float or BFloat16. Arithmetic is done in
/// float and a result is rounded to T once; parameters, statistics and sums are float or double.
template <typename T>
struct ElementKernels {
    using Index = std::int64_t;

    void (*add)(T* y, const T* a, const T* b, Index n);
    void (*multiply)(T* y, const T* a, const T* b, Index n);
    /// y += factor * x
    void (*axpy)(T* y, const T* x, float factor, Index n);
    /// y = factor * x
    void (*scaled)(T* y, const T* x, float factor, Index n);
    float (*dot)(const T* a, const T* b, Index n);
    /// Accumulated in double.
    double (*sum)(const T* x, Index n);
    /// sums[c] += sum over rows of x[r * stride + c]; float sums of at most 64 rows, totals in
    /// double.
    void (*columnSums)(double* sums, const T* x, Index rows, Index columns, Index stride);
    /// Every row of y (of `stride` elements) += bias.
    void (*addRows)(T* y, const float* bias, Index rows, Index columns, Index stride);
    /// y = a + b
    void (*addFloats)(T* y, const T* a, const float* b, Index n);
    /// y += x
    void (*addTo)(float* y, const T* x, Index n);
    void (*fromFloats)(T* y, const float* x, Index n);
    void (*toFloats)(float* y, const T* x, Index n);
    /// y = sum over i < count, in that order, of weights[chosen[i]] (1 without weights) * row
    /// chosen[i] of x
    void (*sumOfRows)(T* y, const T* x, const std::int32_t* chosen, const float* weights,
                      Index count, Index columns);

    /// Indexed by core::Activation.
    void (*activationForward[4])(T* y, const T* x, Index n);
    void (*activationBackward[4])(T* dx, const T* dy, const T* x, Index n);
    void (*gatedForward[4])(T* y, const T* x, const T* gate, Index n);
    void (*gatedBackward[4])(T* dx, T* dGate, const T* dy, const T* x, const T* gate, Index n);

    void (*layerNormForward)(T* y, float* mean, float* rstd, const T* x, const float* gamma,
                             const float* beta, Index rows, Index columns, float epsilon);
    /// dGamma, dBeta: double sums, accumulated; scratch [columns].
    void (*layerNormBackward)(T* dx, double* dGamma, double* dBeta, const T* dy, const T* x,
                              const float* mean, const float* rstd, const float* gamma,
                              float* scratch, Index rows, Index columns);

    void (*rmsNormForward)(T* y, float* rstd, const T* x, const float* gamma, Index rows,
                           Index columns, float epsilon);
    /// dGamma: double sums, accumulated.
    void (*rmsNormBackward)(T* dx, double* dGamma, const T* dy, const T* x, const float* rstd,
                            const float* gamma, Index rows, Index columns);

    /// y[i] = x[i] * factor where element first + i is kept, else 0.
    void (*dropout)(T* y, const T* x, const Keep& keep, std::uint64_t first, Index n);

    float (*logSumExp)(const T* x, Index n);
    /// dx = target.factor * e^(x - target.shift) - target.every, at the label - target.atLabel
    /// besides
    void (*crossEntropyBackward)(T* dx, const T* x, const SmoothedTarget& target, Index n);
    /// sum over i of log(1 + e^x[i]) - target * x[i]
    double (*binaryCrossEntropy)(const T* x, float target, Index n);
    /// dx = target.factor * (sigmoid(x) - target.every), at the label - target.atLabel besides
    void (*binaryCrossEntropyBackward)(T* dx, const T* x, const SmoothedTarget& target, Index n);
};

/// The inner loops, serial and on plain arrays, in one version for each instruction set. `n`,
/// `rows`, `columns` count elements; matrices are row-major and dense unless a stride is given.
struct Kernels {
    using Index = std::int64_t;

    ElementKernels<float> f32;
    ElementKernels<BFloat16> bf16;
    /// Those of f32 or bf16.
    template <typename T>
    const ElementKernels<T>& of() const;

    /// Accumulated in double.
    double (*sumOfSquares)(const float* x, Index n);

    void (*softmaxForward)(float* y, const float* x, Index rows, Index columns);
    void (*softmaxBackward)(float* dx, const float* dy, const float* y, Index rows, Index columns);
    /// y += or = factor * exp(x - shift)
    void (*expInto)(float* y, const float* x, float shift, float factor, bool accumulate, Index n);

    void (*adamw)(float* weight, float* m, float* v, const float* gradient, const AdamWScalars& s,
                  Index n);
    void (*sgd)(float* weight, float* momentum, const float* gradient, float lr, float mu,
                float decay, float gradientScale, bool nesterov, bool first, Index n);

    /// rowSums [rows] = sums of x^2 by row; columnSums [columns] += by column.
    void (*squareSums)(double* rowSums, double* columnSums, const float* x, Index rows,
                       Index columns);
    /// sum of (x * factors)^2
    double (*weightedSquares)(const float* x, const float* factors, Index n);
    /// weight = keep * weight - rate * gradient * factors
    void (*adafactorRow)(float* weight, const float* gradient, const float* factors, float keep,
                         float rate, Index n);
    /// Updates the moment; returns the sum of squares of the scaled gradient / its root.
    double (*adafactorMoment)(float* moment, const float* gradient, const AdafactorScalars& s,
                              Index n);
    /// weight = keep * weight - rate * gradient / sqrt(moment)
    void (*adafactorFull)(float* weight, const float* gradient, const float* moment, float keep,
                          float rate, Index n);
};

template <>
inline const ElementKernels<float>& Kernels::of<float>() const {
    return f32;
}

template <>
inline const ElementKernels<BFloat16>& Kernels::of<BFloat16>() const {
    return bf16;
}

const Kernels& kernelsBaseline();
const Kernels& kernelsAvx2();
const Kernels& kernelsAvx512();

}  // namespace core::cpu
