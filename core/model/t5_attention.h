// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/dropout.h"
#include "core/model/linear.h"

#include <cstdint>

namespace core {

/// T5's multi-head attention: y = O(dropout(softmax(q k^T + bias)) v) with q = Q(x) and k, v =
/// K(memory), V(memory); memory is x in self-attention and the encoder's output in
/// cross-attention. No 1/sqrt(dKv) and no biases in the projections; heads * dKv may differ from
/// d_model.
class T5Attention {
  public:
    T5Attention(const Linear& query, const Linear& key, const Linear& value, const Linear& output,
                std::int64_t heads);

    /// What a query sees besides q and k.
    struct View {
        std::int64_t sequences = 0;
        Tensor bias{};     ///< [heads, queries, keys] or undefined
        Tensor keyMask{};  ///< U8 [sequences, keys], 0 = not seen; undefined = all seen
        bool causal = false;
        Dropout dropout{};  ///< on the probabilities
    };
    struct Saved {
        Tensor x;          ///< [sequences * queries, d], not copied
        Tensor memory;     ///< [sequences * keys, d], not copied
        Tensor q, o;       ///< [sequences * queries, heads * dKv]
        Tensor k, v;       ///< [sequences * keys, heads * dKv]
        Tensor logSumExp;  ///< [sequences, heads, queries]
        View view;
    };
    Saved forward(const Pass& pass, Out y, const Tensor& x, const Tensor& memory,
                  const View& view) const;
    /// dMemory is accumulated; undefined = self-attention, whose memory's gradient goes into dx.
    /// dBias is accumulated (undefined without a bias).
    void backward(const Pass& pass, Out dx, InOut dMemory, InOut dBias, const Saved& saved,
                  const Tensor& dy) const;

    /// Keys and values that queries see, kept between passes.
    struct Cache {
        Tensor k, v;              ///< [sequences, places, heads * dKv]
        std::int64_t filled = 0;  ///< of the places
    };
    /// An empty cache in `place`.
    Cache makeCache(const Pass& pass, Workspace& place, std::int64_t sequences,
                    std::int64_t places) const;
    /// The cache of a whole memory [sequences * keys, d].
    Cache remember(const Pass& pass, Workspace& place, const Tensor& memory,
                   std::int64_t sequences) const;
    /// Fills one more place with the keys and values of x [sequences, d].
    void append(const Pass& pass, Cache& cache, const Tensor& x) const;
    /// y = attention of x [sequences * queries, d] over what the cache holds; view.sequences are
    /// the cache's.
    void attend(const Pass& pass, Out y, const Tensor& x, const Cache& cache,
                const View& view) const;

  private:
    AttentionShape shape(const Tensor& x, const Tensor& memory, std::int64_t sequences) const;
    Linear query_, key_, value_, output_;
    std::int64_t heads_;
};

}  // namespace core
