// SPDX-License-Identifier: Apache-2.0
#include "core/ops/attention.h"

#include "core/ops/check_internal.h"

namespace core::ops {
namespace {

struct Checker {
    const char* op;
    const AttentionShape& shape;

    void sizes() const {
        require(op,
                shape.batch >= 0 && shape.heads > 0 && shape.queries > 0 && shape.keys > 0 &&
                    shape.headDim > 0,
                "a size is not positive");
    }
    void queries(const char* what, const Tensor& t) const {
        requireTensor(op, what, t, DType::F32,
                      {shape.batch * shape.queries, shape.heads * shape.headDim});
    }
    void keys(const char* what, const Tensor& t) const {
        requireTensor(op, what, t, DType::F32,
                      {shape.batch * shape.keys, shape.heads * shape.headDim});
    }
    void logSumExp(const Tensor& t) const {
        requireTensor(op, "logSumExp", t, DType::F32, {shape.batch, shape.heads, shape.queries});
    }
};

}  // namespace

void attentionForward(Backend& backend, Out o, Out logSumExp, const Tensor& q, const Tensor& k,
                      const Tensor& v, const AttentionShape& shape) {
    const Checker check{"attentionForward", shape};
    check.sizes();
    check.queries("q", q);
    check.keys("k", k);
    check.keys("v", v);
    check.queries("o", o);
    check.logSumExp(logSumExp);
    backend.attentionForward(o, logSumExp, q, k, v, shape);
}

void attentionBackward(Backend& backend, Out dq, Out dk, Out dv, const Tensor& dOut,
                       const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& o,
                       const Tensor& logSumExp, const AttentionShape& shape) {
    const Checker check{"attentionBackward", shape};
    check.sizes();
    check.queries("q", q);
    check.keys("k", k);
    check.keys("v", v);
    check.queries("o", o);
    check.queries("dOut", dOut);
    check.logSumExp(logSumExp);
    check.queries("dq", dq);
    check.keys("dk", dk);
    check.keys("dv", dv);
    backend.attentionBackward(dq, dk, dv, dOut, q, k, v, o, logSumExp, shape);
}

}  // namespace core::ops
