// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/linear.h"

#include <cstdint>

namespace core {

/// Multi-head self-attention as in transformers' ViT: y = O(softmax(q k^T / sqrt(headDim)) v),
/// q, k, v = Q(x), K(x), V(x); every sequence by itself, all its tokens see each other.
class SelfAttention {
  public:
    SelfAttention(const Linear& query, const Linear& key, const Linear& value, const Linear& output,
                  std::int64_t heads);

    struct Saved {
        Tensor x;           ///< [sequences * length, d], not copied
        Tensor q, k, v, o;  ///< like x
        Tensor logSumExp;   ///< [sequences, heads, length]
        std::int64_t sequences = 0;
    };
    Saved forward(const Pass& pass, Out y, const Tensor& x, std::int64_t sequences) const;
    void backward(const Pass& pass, Out dx, const Saved& saved, const Tensor& dy) const;

  private:
    AttentionShape shape(const Tensor& x, std::int64_t sequences) const;
    Linear query_, key_, value_, output_;
    std::int64_t heads_;
};

}  // namespace core
