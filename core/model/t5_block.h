// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/feed_forward.h"
#include "core/model/rms_norm.h"
#include "core/model/t5_attention.h"

#include <optional>
#include <string>

namespace core {

/// One pre-norm T5 block: x + self-attention(norm(x)), in a decoder then x +
/// cross-attention(norm(x), memory), then x + mlp(norm(x)); dropout on each sublayer's output.
class T5Block {
  public:
    struct Attention {
        RmsNorm norm;
        T5Attention attention;
    };
    T5Block(std::string name, const Attention& self, const std::optional<Attention>& cross,
            const RmsNorm& norm, const FeedForward& mlp);

    /// What all blocks of a stack share in one pass.
    struct Context {
        T5Attention::View self;  ///< without dropout: each block derives its own
        Tensor memory{};         ///< decoder: the encoder's output [sequences * S, d]
        T5Attention::View cross{};
        TokenRows rows{};
        Dropout dropout{};
    };
    struct Sublayer {
        RmsNorm::Saved norm;
        T5Attention::Saved attention;
        Dropout dropout;
    };
    struct Saved {
        Sublayer self, cross;
        RmsNorm::Saved norm;
        FeedForward::Saved mlp;
        Dropout dropout;
    };
    /// Gradients of what a stack shares: accumulated.
    struct Shared {
        Tensor bias{};    ///< [heads, queries, keys]
        Tensor memory{};  ///< decoder: like Context::memory
    };

    const std::string& name() const noexcept { return name_; }
    Saved forward(const Pass& pass, Out y, const Tensor& x, const Context& context,
                  const MlpOutput& output) const;
    /// What a decoder's block keeps between the steps of a generation.
    struct Cache {
        T5Attention::Cache self;   ///< of the rows that are decoded
        T5Attention::Cache cross;  ///< of the inputs; several rows may decode one input
    };
    Cache makeCache(const Pass& pass, Workspace& place, const Tensor& memory, std::int64_t inputs,
                    std::int64_t rows, std::int64_t steps) const;
    /// The next token's part of forward, x [rows, d], with what the cache knows of those before it.
    void step(const Pass& pass, Out y, const Tensor& x, Cache& cache, const Context& context) const;
    /// The input's gradient takes the place of `dy`; dAux and dZ as in MoeMlp.
    void backwardInPlace(const Pass& pass, const Saved& saved, InOut dy, const Shared& shared,
                         float dAux, float dZ) const;

  private:
    std::string name_;
    Attention self_;
    std::optional<Attention> cross_;
    RmsNorm norm_;
    FeedForward mlp_;
};

}  // namespace core
