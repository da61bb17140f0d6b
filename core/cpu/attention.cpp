// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

namespace core::cpu {
namespace {

/// All heads of one attention.
struct Heads {
    const Tensor& q;
    const Tensor& k;
    const Tensor& v;
    const AttentionShape& shape;
    const AttentionOptions& options;
    Keep keep;

    /// Head `index % heads` of batch entry `index / heads`.
    HeadView at(std::int64_t index) const {
        const std::int64_t stride = shape.heads * shape.headDim;
        const std::int64_t head = index % shape.heads;
        const std::int64_t entry = index / shape.heads;
        const std::int64_t rows = options.keyStride > 0 ? options.keyStride : shape.keys;
        const std::int64_t queryAt = entry * shape.queries * stride + head * shape.headDim;
        const std::int64_t keyAt = entry * rows * stride + head * shape.headDim;
        const std::int64_t scores = shape.queries * shape.keys;
        return {
            .q = q.data<float>() + queryAt,
            .k = k.data<float>() + keyAt,
            .v = v.data<float>() + keyAt,
            .stride = stride,
            .queries = shape.queries,
            .keys = shape.keys,
            .headDim = shape.headDim,
            .scale = shape.scale,
            .bias = options.bias.defined() ? options.bias.data<float>() + head * scores : nullptr,
            .mask = options.keyMask.defined()
                        ? options.keyMask.data<std::uint8_t>() + entry * shape.keys
                        : nullptr,
            .sight = options.causal ? options.queryOffset + 1 : shape.keys,
            .keep = keep,
            .firstKept = static_cast<std::uint64_t>(index * scores)};
    }
};

}  // namespace

void CpuBackend::attentionForward(Out o, Out logSumExp, const Tensor& q, const Tensor& k,
                                  const Tensor& v, const AttentionShape& shape,
                                  const AttentionOptions& options) {
    const Kernels& kernels = start();
    const Heads heads{q, k, v, shape, options, keepOf(options.dropout, options.dropoutKey)};
    const std::int64_t need = kernels.attentionScratch(shape.queries, shape.keys, shape.headDim);
    float* scratch = floatScratch(static_cast<std::size_t>(need * threads_));
    parallelFor(shape.batch * shape.heads, 1, [&](std::int64_t begin, std::int64_t end, int part) {
        for (std::int64_t i = begin; i < end; ++i) {
            const HeadView head = heads.at(i);
            kernels.attentionForward(o.data<float>() + (head.q - q.data<float>()),
                                     logSumExp.data<float>() + i * shape.queries, head,
                                     scratch + part * need);
        }
    });
}

void CpuBackend::attentionBackward(Out dq, Out dk, Out dv, InOut dBias, const Tensor& dOut,
                                   const Tensor& q, const Tensor& k, const Tensor& v,
                                   const Tensor& /*o*/, const Tensor& logSumExp,
                                   const AttentionShape& shape, const AttentionOptions& options) {
    const Kernels& kernels = start();
    const Heads heads{q, k, v, shape, options, keepOf(options.dropout, options.dropoutKey)};
    const std::int64_t need = kernels.attentionScratch(shape.queries, shape.keys, shape.headDim);
    float* scratch = floatScratch(static_cast<std::size_t>(need * threads_));
    const auto run = [&](std::int64_t i, int part) {
        const HeadView head = heads.at(i);
        const std::int64_t queryAt = head.q - q.data<float>();
        const std::int64_t keyAt = head.k - k.data<float>();
        float* bias = dBias.defined()
                          ? dBias.data<float>() + i % shape.heads * shape.queries * shape.keys
                          : nullptr;
        kernels.attentionBackward(dq.data<float>() + queryAt, dk.data<float>() + keyAt,
                                  dv.data<float>() + keyAt, bias, dOut.data<float>() + queryAt,
                                  logSumExp.data<float>() + i * shape.queries, head,
                                  scratch + part * need);
    };
    if (!dBias.defined()) {
        parallelFor(shape.batch * shape.heads, 1,
                    [&](std::int64_t begin, std::int64_t end, int part) {
                        for (std::int64_t i = begin; i < end; ++i) run(i, part);
                    });
        return;
    }
    // A head's bias is summed over the batch in its order: the same bits for any number of threads.
    parallelFor(shape.heads, 1, [&](std::int64_t begin, std::int64_t end, int part) {
        for (std::int64_t head = begin; head < end; ++head)
            for (std::int64_t entry = 0; entry < shape.batch; ++entry)
                run(entry * shape.heads + head, part);
    });
}

}  // namespace core::cpu
