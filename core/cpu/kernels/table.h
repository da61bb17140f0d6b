// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/kernels.h"
#include "core/cpu/kernels/simd.h"

/// The functions of `Kernels` in the namespace of the instruction set being compiled; what they do
/// stands there. Those of `ElementKernels` are members of a template for each file, which has it
/// for float and for BFloat16.
namespace core::cpu::UPCYCLER_ISA {

template <typename T>
struct Elementwise {
    static void add(T* y, const T* a, const T* b, Index n);
    static void multiply(T* y, const T* a, const T* b, Index n);
    static void axpy(T* y, const T* x, float factor, Index n);
    static void scaled(T* y, const T* x, float factor, Index n);
    static float dot(const T* a, const T* b, Index n);
    static double sum(const T* x, Index n);
    static void columnSums(double* sums, const T* x, Index rows, Index columns, Index stride);
    static void addRows(T* y, const float* bias, Index rows, Index columns, Index stride);
    static void addFloats(T* y, const T* a, const float* b, Index n);
    static void addTo(float* y, const T* x, Index n);
    static void fromFloats(T* y, const float* x, Index n);
    static void toFloats(float* y, const T* x, Index n);
    static void sumOfRows(T* y, const T* x, const std::int32_t* chosen, const float* weights,
                          Index count, Index columns);
};

double sumOfSquares(const float* x, Index n);

/// kind: a core::Activation as a number.
template <typename T, int kind>
struct Activated {
    static void forward(T* y, const T* x, Index n);
    static void backward(T* dx, const T* dy, const T* x, Index n);
    static void gatedForward(T* y, const T* x, const T* gate, Index n);
    static void gatedBackward(T* dx, T* dGate, const T* dy, const T* x, const T* gate, Index n);
};

template <typename T>
struct LayerNorm {
    static void forward(T* y, float* mean, float* rstd, const T* x, const float* gamma,
                        const float* beta, Index rows, Index columns, float epsilon);
    static void backward(T* dx, double* dGamma, double* dBeta, const T* dy, const T* x,
                         const float* mean, const float* rstd, const float* gamma, float* scratch,
                         Index rows, Index columns);
};

template <typename T>
struct RmsNorm {
    static void forward(T* y, float* rstd, const T* x, const float* gamma, Index rows,
                        Index columns, float epsilon);
    static void backward(T* dx, double* dGamma, const T* dy, const T* x, const float* rstd,
                         const float* gamma, Index rows, Index columns);
};

template <typename T>
struct Dropout {
    static void apply(T* y, const T* x, const Keep& keep, std::uint64_t first, Index n);
};

template <typename T>
struct CrossEntropy {
    static float logSumExp(const T* x, Index n);
    static void backward(T* dx, const T* x, const SmoothedTarget& target, Index n);
    static double binary(const T* x, float target, Index n);
    static void binaryBackward(T* dx, const T* x, const SmoothedTarget& target, Index n);
};

void softmaxForward(float* y, const float* x, Index rows, Index columns);
void softmaxBackward(float* dx, const float* dy, const float* y, Index rows, Index columns);
void expInto(float* y, const float* x, float shift, float factor, bool accumulate, Index n);

void adamw(float* weight, float* m, float* v, const float* gradient, const AdamWScalars& s,
           Index n);
void sgd(float* weight, float* momentum, const float* gradient, float lr, float mu, float decay,
         float gradientScale, bool nesterov, bool first, Index n);

void squareSums(double* rowSums, double* columnSums, const float* x, Index rows, Index columns);
double weightedSquares(const float* x, const float* factors, Index n);
void adafactorRow(float* weight, const float* gradient, const float* factors, float keep,
                  float rate, Index n);
double adafactorMoment(float* moment, const float* gradient, const AdafactorScalars& s, Index n);
void adafactorFull(float* weight, const float* gradient, const float* moment, float keep,
                   float rate, Index n);

}  // namespace core::cpu::UPCYCLER_ISA
