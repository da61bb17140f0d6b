// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/kernels.h"
#include "core/cpu/kernels/simd.h"

/// The functions of `Kernels` in the namespace of the instruction set being compiled; what they do
/// stands there.
namespace core::cpu::UPCYCLER_ISA {

void add(float* y, const float* a, const float* b, Index n);
void multiply(float* y, const float* a, const float* b, Index n);
void axpy(float* y, const float* x, float factor, Index n);
void scaled(float* y, const float* x, float factor, Index n);
float dot(const float* a, const float* b, Index n);
double sumOf(const float* x, Index n);
double sumOfSquares(const float* x, Index n);
void columnSums(double* sums, const float* x, Index rows, Index columns, Index stride);
void addRows(float* y, const float* bias, Index rows, Index columns, Index stride);

void geluErfForward(float* y, const float* x, Index n);
void geluErfBackward(float* dx, const float* dy, const float* x, Index n);
void geluTanhForward(float* y, const float* x, Index n);
void geluTanhBackward(float* dx, const float* dy, const float* x, Index n);
void reluForward(float* y, const float* x, Index n);
void reluBackward(float* dx, const float* dy, const float* x, Index n);
void siluForward(float* y, const float* x, Index n);
void siluBackward(float* dx, const float* dy, const float* x, Index n);

void layerNormForward(float* y, float* mean, float* rstd, const float* x, const float* gamma,
                      const float* beta, Index rows, Index columns, float epsilon);
void layerNormBackward(float* dx, double* dGamma, double* dBeta, const float* dy, const float* x,
                       const float* mean, const float* rstd, const float* gamma, Index rows,
                       Index columns);

void rmsNormForward(float* y, float* rstd, const float* x, const float* gamma, Index rows,
                    Index columns, float epsilon);
void rmsNormBackward(float* dx, double* dGamma, const float* dy, const float* x, const float* rstd,
                     const float* gamma, Index rows, Index columns);

void dropout(float* y, const float* x, const Keep& keep, std::uint64_t first, Index n);

void softmaxForward(float* y, const float* x, Index rows, Index columns);
void softmaxBackward(float* dx, const float* dy, const float* y, Index rows, Index columns);
float logSumExp(const float* x, Index n);
void expInto(float* y, const float* x, float shift, float factor, bool accumulate, Index n);
double binaryCrossEntropy(const float* x, float target, Index n);
void binaryCrossEntropyBackward(float* dx, const float* x, float target, float factor, Index n);

Index attentionScratch(Index queries, Index keys, Index headDim);
void attentionForward(float* o, float* logSumExp, const HeadView& view, float* scratch);
void attentionBackward(float* dq, float* dk, float* dv, float* dBias, const float* dOut,
                       const float* logSumExp, const HeadView& view, float* scratch);

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
