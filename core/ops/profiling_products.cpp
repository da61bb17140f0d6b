// SPDX-License-Identifier: Apache-2.0
// Linear layers, dense and of experts, and attention.
#include "core/ops/profiling_backend.h"

#include <fmt/format.h>

namespace core {
namespace {

/// "6400 x 96 -> 384", of experts "12800 x 96 -> 384, 8 experts".
std::string sizesOf(std::int64_t rows, const Tensor& weight) {
    const std::string one = fmt::format("{} x {} -> {}", rows, weight.size(-1), weight.size(-2));
    return weight.shape().rank() == 2 ? one : fmt::format("{}, {} experts", one, weight.size(0));
}

std::string sizesOf(const AttentionShape& shape, const AttentionOptions& options) {
    return fmt::format("{} x {} heads, {} x {}, head {}{}{}", shape.batch, shape.heads,
                       shape.queries, shape.keys, shape.headDim, options.causal ? ", causal" : "",
                       options.bias.defined() ? ", bias" : "");
}

/// What a linear layer and its nonlinearity write.
double bytesWritten(const Tensor& y, const Tensor& before) {
    return y.raw() == before.raw() ? bytesOf(y) : bytesOf(y, before);
}

}  // namespace

void ProfilingBackend::linearForward(Out y, const Tensor& x, const Tensor& weight,
                                     const Tensor& bias) {
    measureAs("linearForward", sizesOf(x.size(0), weight), x.dtype(),
              {productFlops(x.size(0), weight), bytesOf(y, x, weight, bias)},
              [&] { inner_->linearForward(y, x, weight, bias); });
}

void ProfilingBackend::linearBackwardData(Out dx, const Tensor& dy, const Tensor& weight) {
    measureAs("linearBackwardData", sizesOf(dy.size(0), weight), dy.dtype(),
              {productFlops(dy.size(0), weight), bytesOf(dx, dy, weight)},
              [&] { inner_->linearBackwardData(dx, dy, weight); });
}

void ProfilingBackend::linearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                                            const Tensor& x) {
    measureAs("linearBackwardWeight", sizesOf(x.size(0), dWeight), x.dtype(),
              {productFlops(x.size(0), dWeight), bytesOf(dWeight, dWeight, dBias, dBias, dy, x)},
              [&] { inner_->linearBackwardWeight(dWeight, dBias, dy, x); });
}

void ProfilingBackend::linearActivationForward(Out y, Out before, const Tensor& x,
                                               const Tensor& weight, const Tensor& bias,
                                               Activation kind) {
    measureAs("linearActivationForward", sizesOf(x.size(0), weight), x.dtype(),
              {productFlops(x.size(0), weight), bytesWritten(y, before) + bytesOf(x, weight, bias)},
              [&] { inner_->linearActivationForward(y, before, x, weight, bias, kind); });
}

void ProfilingBackend::linearActivationBackwardData(Out dBefore, const Tensor& dy,
                                                    const Tensor& weight, const Tensor& before,
                                                    Activation kind) {
    measureAs("linearActivationBackwardData", sizesOf(dy.size(0), weight), dy.dtype(),
              {productFlops(dy.size(0), weight), bytesOf(dBefore, dy, weight, before)},
              [&] { inner_->linearActivationBackwardData(dBefore, dy, weight, before, kind); });
}

void ProfilingBackend::groupedLinearForward(Out y, const Tensor& x, const Tensor& weight,
                                            const Tensor& bias, const ExpertOffsets& offsets) {
    measureAs("groupedLinearForward", sizesOf(x.size(0), weight), x.dtype(),
              {productFlops(x.size(0), weight), bytesOf(y, x, weight, bias)},
              [&] { inner_->groupedLinearForward(y, x, weight, bias, offsets); });
}

void ProfilingBackend::groupedLinearBackwardData(Out dx, const Tensor& dy, const Tensor& weight,
                                                 const ExpertOffsets& offsets) {
    measureAs("groupedLinearBackwardData", sizesOf(dy.size(0), weight), dy.dtype(),
              {productFlops(dy.size(0), weight), bytesOf(dx, dy, weight)},
              [&] { inner_->groupedLinearBackwardData(dx, dy, weight, offsets); });
}

void ProfilingBackend::groupedLinearBackwardWeight(InOut dWeight, InOut dBias, const Tensor& dy,
                                                   const Tensor& x, const ExpertOffsets& offsets) {
    measureAs("groupedLinearBackwardWeight", sizesOf(x.size(0), dWeight), x.dtype(),
              {productFlops(x.size(0), dWeight), bytesOf(dWeight, dWeight, dBias, dBias, dy, x)},
              [&] { inner_->groupedLinearBackwardWeight(dWeight, dBias, dy, x, offsets); });
}

void ProfilingBackend::groupedLinearActivationForward(Out y, Out before, const Tensor& x,
                                                      const Tensor& weight, const Tensor& bias,
                                                      const ExpertOffsets& offsets,
                                                      Activation kind) {
    measureAs(
        "groupedLinearActivationForward", sizesOf(x.size(0), weight), x.dtype(),
        {productFlops(x.size(0), weight), bytesWritten(y, before) + bytesOf(x, weight, bias)},
        [&] { inner_->groupedLinearActivationForward(y, before, x, weight, bias, offsets, kind); });
}

void ProfilingBackend::groupedLinearActivationBackwardData(Out dBefore, const Tensor& dy,
                                                           const Tensor& weight,
                                                           const Tensor& before,
                                                           const ExpertOffsets& offsets,
                                                           Activation kind) {
    measureAs("groupedLinearActivationBackwardData", sizesOf(dy.size(0), weight), dy.dtype(),
              {productFlops(dy.size(0), weight), bytesOf(dBefore, dy, weight, before)}, [&] {
                  inner_->groupedLinearActivationBackwardData(dBefore, dy, weight, before, offsets,
                                                              kind);
              });
}

void ProfilingBackend::attentionForward(Out o, Out logSumExp, const Tensor& q, const Tensor& k,
                                        const Tensor& v, const AttentionShape& shape,
                                        const AttentionOptions& options) {
    measureAs("attentionForward", sizesOf(shape, options), q.dtype(),
              {attentionFlops(shape, options, 2),
               bytesOf(o, logSumExp, q, k, v, options.bias, options.keyMask)},
              [&] { inner_->attentionForward(o, logSumExp, q, k, v, shape, options); });
}

void ProfilingBackend::attentionBackward(Out dq, Out dk, Out dv, InOut dBias, const Tensor& dOut,
                                         const Tensor& q, const Tensor& k, const Tensor& v,
                                         const Tensor& o, const Tensor& logSumExp,
                                         const AttentionShape& shape,
                                         const AttentionOptions& options) {
    measureAs(
        "attentionBackward", sizesOf(shape, options), q.dtype(),
        {attentionFlops(shape, options, 4), bytesOf(dq, dk, dv, dBias, dBias, dOut, q, k, v, o) +
                                                bytesOf(logSumExp, options.bias, options.keyMask)},
        [&] {
            inner_->attentionBackward(dq, dk, dv, dBias, dOut, q, k, v, o, logSumExp, shape,
                                      options);
        });
}

}  // namespace core
