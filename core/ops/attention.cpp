// SPDX-License-Identifier: Apache-2.0
#include "core/ops/attention.h"

#include "core/ops/check_internal.h"

namespace core::ops {
namespace {

struct Checker {
    const char* op = "";
    const AttentionShape& shape;
    const AttentionOptions& options;
    DType type = DType::F32;

    void sizes() const {
        require(op,
                shape.batch >= 0 && shape.heads > 0 && shape.queries > 0 && shape.keys > 0 &&
                    shape.headDim > 0,
                "a size is not positive");
        require(op, options.keyStride == 0 || options.keyStride >= shape.keys,
                "the stride of keys is below their number");
        require(op, options.queryOffset >= 0, "the offset of queries is negative");
        require(op, options.dropout >= 0.0F && options.dropout < 1.0F,
                "the rate of dropout is not within 0 and 1");
        requireTensorOrNone(op, "keyMask", options.keyMask, DType::U8, {shape.batch, shape.keys});
        bias("bias", options.bias);
    }
    void firstQueries(const Tensor& q) {
        type = requireActivations(op, "q", q,
                                  {shape.batch * shape.queries, shape.heads * shape.headDim});
    }
    void queries(const char* what, const Tensor& t) const {
        requireTensor(op, what, t, type,
                      {shape.batch * shape.queries, shape.heads * shape.headDim});
    }
    void keys(const char* what, const Tensor& t) const {
        const std::int64_t stride = options.keyStride > 0 ? options.keyStride : shape.keys;
        requireTensor(op, what, t, type, {shape.batch * stride, shape.heads * shape.headDim});
    }
    void bias(const char* what, const Tensor& t) const {
        requireTensorOrNone(op, what, t, DType::F32, {shape.heads, shape.queries, shape.keys});
    }
    void logSumExp(const Tensor& t) const {
        requireTensor(op, "logSumExp", t, DType::F32, {shape.batch, shape.heads, shape.queries});
    }
};

}  // namespace

void attentionForward(Backend& backend, Out o, Out logSumExp, const Tensor& q, const Tensor& k,
                      const Tensor& v, const AttentionShape& shape,
                      const AttentionOptions& options) {
    Checker check{"attentionForward", shape, options};
    check.sizes();
    check.firstQueries(q);
    check.keys("k", k);
    check.keys("v", v);
    check.queries("o", o);
    check.logSumExp(logSumExp);
    backend.attentionForward(o, logSumExp, q, k, v, shape, options);
}

void attentionBackward(Backend& backend, Out dq, Out dk, Out dv, InOut dBias, const Tensor& dOut,
                       const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& o,
                       const Tensor& logSumExp, const AttentionShape& shape,
                       const AttentionOptions& options) {
    Checker check{"attentionBackward", shape, options};
    check.sizes();
    require(check.op, options.keyStride == 0 || options.keyStride == shape.keys,
            "a cache of keys has no gradient");
    require(check.op, shape.scale != 0.0F, "the scale is 0");
    check.firstQueries(q);
    check.keys("k", k);
    check.keys("v", v);
    check.queries("o", o);
    check.queries("dOut", dOut);
    check.logSumExp(logSumExp);
    check.queries("dq", dq);
    check.keys("dk", dk);
    check.keys("dv", dv);
    check.bias("dBias", dBias);
    backend.attentionBackward(dq, dk, dv, dBias, dOut, q, k, v, o, logSumExp, shape, options);
}

}  // namespace core::ops
