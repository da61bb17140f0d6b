// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"
#include "core/cpu/instruction_set_internal.h"

namespace core::cpu {
namespace {

constexpr std::size_t kLine = 64;

/// So many floats from the first multiple of kLine bytes on.
std::size_t floatsWithRoom(std::int64_t n) {
    return static_cast<std::size_t>(n) + kLine / sizeof(float);
}

float* aligned(float* scratch) {
    const auto address = reinterpret_cast<std::uintptr_t>(scratch);
    return reinterpret_cast<float*>((address + kLine - 1) / kLine * kLine);
}

/// All heads of one attention.
template <typename T>
struct Heads {
    const Tensor& q;
    const Tensor& k;
    const Tensor& v;
    const AttentionShape& shape;
    const AttentionOptions& options;
    Keep keep;

    /// Head `index % heads` of batch entry `index / heads`.
    HeadView<T> at(std::int64_t index) const {
        const std::int64_t stride = shape.heads * shape.headDim;
        const std::int64_t head = index % shape.heads;
        const std::int64_t entry = index / shape.heads;
        const std::int64_t rows = options.keyStride > 0 ? options.keyStride : shape.keys;
        const std::int64_t queryAt = entry * shape.queries * stride + head * shape.headDim;
        const std::int64_t keyAt = entry * rows * stride + head * shape.headDim;
        const std::int64_t scores = shape.queries * shape.keys;
        return {
            .q = q.data<T>() + queryAt,
            .k = k.data<T>() + keyAt,
            .v = v.data<T>() + keyAt,
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
    start();
    withElements(q.dtype(), [&]<typename T>() {
        const AttentionKernels<T>& kernels = productTable().of<T>().attention;
        const Heads<T> heads{q, k, v, shape, options, keepOf(options.dropout, options.dropoutKey)};
        const std::int64_t need = kernels.scratch(shape.queries, shape.keys, shape.headDim);
        float* scratch = aligned(floatScratch(floatsWithRoom(need * threads_)));
        parallelFor(shape.batch * shape.heads, 1,
                    [&](std::int64_t begin, std::int64_t end, int part) {
                        for (std::int64_t i = begin; i < end; ++i) {
                            const HeadView<T> head = heads.at(i);
                            kernels.forward(o.data<T>() + (head.q - q.data<T>()),
                                            logSumExp.data<float>() + i * shape.queries, head,
                                            scratch + part * need);
                        }
                    });
    });
}

void CpuBackend::attentionBackward(Out dq, Out dk, Out dv, InOut dBias, const Tensor& dOut,
                                   const Tensor& q, const Tensor& k, const Tensor& v,
                                   const Tensor& /*o*/, const Tensor& logSumExp,
                                   const AttentionShape& shape, const AttentionOptions& options) {
    start();
    withElements(q.dtype(), [&]<typename T>() {
        const AttentionKernels<T>& kernels = productTable().of<T>().attention;
        const Heads<T> heads{q, k, v, shape, options, keepOf(options.dropout, options.dropoutKey)};
        const std::int64_t need = kernels.scratch(shape.queries, shape.keys, shape.headDim);
        float* scratch = aligned(floatScratch(floatsWithRoom(need * threads_)));
        const auto run = [&](std::int64_t i, int part) {
            const HeadView<T> head = heads.at(i);
            const std::int64_t queryAt = head.q - q.data<T>();
            const std::int64_t keyAt = head.k - k.data<T>();
            float* bias = dBias.defined()
                              ? dBias.data<float>() + i % shape.heads * shape.queries * shape.keys
                              : nullptr;
            kernels.backward(dq.data<T>() + queryAt, dk.data<T>() + keyAt, dv.data<T>() + keyAt,
                             bias, dOut.data<T>() + queryAt,
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
        // A head's bias is summed over the batch in its order: the same bits for any number of
        // threads.
        parallelFor(shape.heads, 1, [&](std::int64_t begin, std::int64_t end, int part) {
            for (std::int64_t head = begin; head < end; ++head)
                for (std::int64_t entry = 0; entry < shape.batch; ++entry)
                    run(entry * shape.heads + head, part);
        });
    });
}

}  // namespace core::cpu
