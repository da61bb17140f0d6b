// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

namespace core::cpu {
namespace {

HeadView headAt(const AttentionShape& shape, std::int64_t index, const Tensor& q, const Tensor& k,
                const Tensor& v) {
    const std::int64_t stride = shape.heads * shape.headDim;
    const std::int64_t column = index % shape.heads * shape.headDim;
    const std::int64_t queryAt = index / shape.heads * shape.queries * stride + column;
    const std::int64_t keyAt = index / shape.heads * shape.keys * stride + column;
    return {q.data<float>() + queryAt,
            k.data<float>() + keyAt,
            v.data<float>() + keyAt,
            stride,
            shape.queries,
            shape.keys,
            shape.headDim,
            shape.scale};
}

}  // namespace

void CpuBackend::attentionForward(Out o, Out logSumExp, const Tensor& q, const Tensor& k,
                                  const Tensor& v, const AttentionShape& shape) {
    const Kernels& kernels = start();
    const std::int64_t need = kernels.attentionScratch(shape.queries, shape.keys, shape.headDim);
    float* scratch = floatScratch(static_cast<std::size_t>(need * threads_));
    parallelFor(shape.batch * shape.heads, 1, [&](std::int64_t begin, std::int64_t end, int part) {
        for (std::int64_t i = begin; i < end; ++i) {
            const HeadView head = headAt(shape, i, q, k, v);
            kernels.attentionForward(o.data<float>() + (head.q - q.data<float>()),
                                     logSumExp.data<float>() + i * shape.queries, head,
                                     scratch + part * need);
        }
    });
}

void CpuBackend::attentionBackward(Out dq, Out dk, Out dv, const Tensor& dOut, const Tensor& q,
                                   const Tensor& k, const Tensor& v, const Tensor& /*o*/,
                                   const Tensor& logSumExp, const AttentionShape& shape) {
    const Kernels& kernels = start();
    const std::int64_t need = kernels.attentionScratch(shape.queries, shape.keys, shape.headDim);
    float* scratch = floatScratch(static_cast<std::size_t>(need * threads_));
    parallelFor(shape.batch * shape.heads, 1, [&](std::int64_t begin, std::int64_t end, int part) {
        for (std::int64_t i = begin; i < end; ++i) {
            const HeadView head = headAt(shape, i, q, k, v);
            const std::int64_t queryAt = head.q - q.data<float>();
            const std::int64_t keyAt = head.k - k.data<float>();
            kernels.attentionBackward(dq.data<float>() + queryAt, dk.data<float>() + keyAt,
                                      dv.data<float>() + keyAt, dOut.data<float>() + queryAt,
                                      logSumExp.data<float>() + i * shape.queries, head,
                                      scratch + part * need);
        }
    });
}

}  // namespace core::cpu
