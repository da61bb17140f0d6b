// SPDX-License-Identifier: Apache-2.0
#include "core/model/t5_attention.h"

#include "core/ops/attention.h"
#include "core/ops/elementwise.h"
#include "core/ops/memory.h"

namespace core {
namespace {

AttentionOptions optionsOf(const T5Attention::View& view) {
    AttentionOptions options;
    options.bias = view.bias;
    options.keyMask = view.keyMask;
    options.causal = view.causal;
    options.dropout = view.dropout.rate;
    options.dropoutKey = view.dropout.key;
    return options;
}

}  // namespace

T5Attention::T5Attention(const Linear& query, const Linear& key, const Linear& value,
                         const Linear& output, std::int64_t heads)
    : query_(query), key_(key), value_(value), output_(output), heads_(heads) {}

AttentionShape T5Attention::shape(const Tensor& x, const Tensor& memory,
                                  std::int64_t sequences) const {
    AttentionShape shape;
    shape.batch = sequences;
    shape.heads = heads_;
    shape.queries = x.size(0) / sequences;
    shape.keys = memory.size(0) / sequences;
    shape.headDim = query_.outputs() / heads_;
    return shape;
}

T5Attention::Saved T5Attention::forward(const Pass& pass, Out y, const Tensor& x,
                                        const Tensor& memory, const View& view) const {
    const Intermediates intermediates(pass);
    const AttentionShape dims = shape(x, memory, view.sequences);
    const Shape queries{x.size(0), query_.outputs()};
    const Shape keys{memory.size(0), query_.outputs()};
    Saved s;
    s.x = x;
    s.memory = memory;
    s.q = pass.tensor(queries);
    s.o = pass.tensor(queries);
    s.k = pass.tensor(keys);
    s.v = pass.tensor(keys);
    s.logSumExp = pass.f32({dims.batch, dims.heads, dims.queries});
    s.view = view;
    query_.forward(pass, s.q, x);
    key_.forward(pass, s.k, memory);
    value_.forward(pass, s.v, memory);
    ops::attentionForward(pass.backend, s.o, s.logSumExp, s.q, s.k, s.v, dims, optionsOf(view));
    output_.forward(pass, y, s.o);
    return s;
}

void T5Attention::backward(const Pass& pass, Out dx, InOut dMemory, InOut dBias, const Saved& s,
                           const Tensor& dy) const {
    const Workspace::Scope scope(pass.workspace);
    const Tensor dO = pass.tensor(s.o.shape());
    const Tensor dq = pass.tensor(s.q.shape());
    const Tensor dk = pass.tensor(s.k.shape());
    const Tensor dv = pass.tensor(s.v.shape());
    output_.backward(pass, dO, s.o, dy);
    ops::attentionBackward(pass.backend, dq, dk, dv, dBias, dO, s.q, s.k, s.v, s.o, s.logSumExp,
                           shape(s.x, s.memory, s.view.sequences), optionsOf(s.view));
    query_.backward(pass, dx, s.x, dq);
    const Tensor& into = dMemory.defined() ? dMemory : dx;
    const Tensor through = pass.tensor(s.memory.shape());
    key_.backward(pass, through, s.memory, dk);
    ops::accumulate(pass.backend, into, through);
    value_.backward(pass, through, s.memory, dv);
    ops::accumulate(pass.backend, into, through);
}

T5Attention::Cache T5Attention::makeCache(const Pass& pass, Workspace& place,
                                          std::int64_t sequences, std::int64_t places) const {
    const Shape shape{sequences, places, query_.outputs()};
    return {place.allocate(shape, pass.dtype), place.allocate(shape, pass.dtype), 0};
}

T5Attention::Cache T5Attention::remember(const Pass& pass, Workspace& place, const Tensor& memory,
                                         std::int64_t sequences) const {
    const std::int64_t keys = memory.size(0) / sequences;
    Cache cache = makeCache(pass, place, sequences, keys);
    const Shape rows{memory.size(0), query_.outputs()};
    key_.forward(pass, cache.k.view(rows), memory);
    value_.forward(pass, cache.v.view(rows), memory);
    cache.filled = keys;
    return cache;
}

void T5Attention::append(const Pass& pass, Cache& cache, const Tensor& x) const {
    const Workspace::Scope scope(pass.workspace);
    const std::int64_t sequences = cache.k.size(0);
    const std::int64_t places = cache.k.size(1);
    const Shape rows{sequences, query_.outputs()};
    CORE_CHECK(x.size(0) == sequences && cache.filled < places, "one row and place per sequence");
    const Tensor fresh = pass.tensor(rows);
    const auto put = [&](const Linear& projection, const Tensor& into) {
        projection.forward(pass, fresh, x);
        const Tensor all = into.view({sequences * places, query_.outputs()});
        for (std::int64_t s = 0; s < sequences; ++s) {
            const std::int64_t at = s * places + cache.filled;
            ops::copy(pass.backend, all.rows(at, at + 1), fresh.rows(s, s + 1));
        }
    };
    put(key_, cache.k);
    put(value_, cache.v);
    ++cache.filled;
}

void T5Attention::attend(const Pass& pass, Out y, const Tensor& x, const Cache& cache,
                         const View& view) const {
    const Workspace::Scope scope(pass.workspace);
    const std::int64_t places = cache.k.size(1);
    AttentionShape dims;
    dims.batch = cache.k.size(0);
    dims.heads = heads_;
    dims.queries = x.size(0) / dims.batch;
    dims.keys = cache.filled;
    dims.headDim = query_.outputs() / heads_;
    AttentionOptions options = optionsOf(view);
    options.keyStride = places;
    const Shape rows{dims.batch * places, query_.outputs()};
    const Tensor q = pass.tensor({x.size(0), query_.outputs()});
    const Tensor o = pass.tensor(q.shape());
    const Tensor logSumExp = pass.f32({dims.batch, dims.heads, dims.queries});
    query_.forward(pass, q, x);
    ops::attentionForward(pass.backend, o, logSumExp, q, cache.k.view(rows), cache.v.view(rows),
                          dims, options);
    output_.forward(pass, y, o);
}

}  // namespace core
