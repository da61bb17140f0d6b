// SPDX-License-Identifier: Apache-2.0
#include "core/model/self_attention.h"

#include "core/ops/attention.h"
#include "core/ops/elementwise.h"

#include <cmath>

namespace core {

SelfAttention::SelfAttention(const Linear& query, const Linear& key, const Linear& value,
                             const Linear& output, std::int64_t heads)
    : query_(query), key_(key), value_(value), output_(output), heads_(heads) {}

AttentionShape SelfAttention::shape(const Tensor& x, std::int64_t sequences) const {
    AttentionShape shape;
    shape.batch = sequences;
    shape.heads = heads_;
    shape.queries = shape.keys = x.size(0) / sequences;
    shape.headDim = x.size(1) / heads_;
    shape.scale = 1.0F / std::sqrt(static_cast<float>(shape.headDim));
    return shape;
}

SelfAttention::Saved SelfAttention::forward(const Pass& pass, Out y, const Tensor& x,
                                            std::int64_t sequences) const {
    const Intermediates intermediates(pass);
    const AttentionShape dims = shape(x, sequences);
    const auto like = [&] { return pass.tensor(x.shape()); };
    Saved s{x,        like(), like(), like(), like(), pass.f32({sequences, heads_, dims.queries}),
            sequences};
    query_.forward(pass, s.q, x);
    key_.forward(pass, s.k, x);
    value_.forward(pass, s.v, x);
    ops::attentionForward(pass.backend, s.o, s.logSumExp, s.q, s.k, s.v, dims);
    output_.forward(pass, y, s.o);
    return s;
}

void SelfAttention::backward(const Pass& pass, Out dx, const Saved& s, const Tensor& dy) const {
    const Workspace::Scope scope(pass.workspace);
    const auto like = [&] { return pass.tensor(s.x.shape()); };
    const Tensor dO = like();
    const Tensor dq = like();
    const Tensor dk = like();
    const Tensor dv = like();
    output_.backward(pass, dO, s.o, dy);
    ops::attentionBackward(pass.backend, dq, dk, dv, {}, dO, s.q, s.k, s.v, s.o, s.logSumExp,
                           shape(s.x, s.sequences));
    query_.backward(pass, dx, s.x, dq);
    key_.backward(pass, dq, s.x, dk);
    value_.backward(pass, dk, s.x, dv);
    ops::accumulate(pass.backend, dx, dq);
    ops::accumulate(pass.backend, dx, dk);
}

}  // namespace core
