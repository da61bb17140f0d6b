// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/classification_loss.h"
#include "core/model/parameter_table.h"
#include "core/model/t5_stack.h"

#include <memory>
#include <optional>
#include <string>

namespace core {

/// Encoder-decoder as transformers' T5ForConditionalGeneration (v1.0, v1.1, mT5) and, dropping
/// tokens as it does, SwitchTransformersForConditionalGeneration compute it: logits [B, T, V] =
/// decoder output (times d_model^-0.5 where scaled) W^T, W the embedding itself where tied. Where a
/// MoE block stands, padding is never routed (transformers' Switch routes it: the same at real
/// positions, because padding comes last and cannot take an earlier slot).
class T5 final : public Model {
  public:
    /// Values are zero; gradients are allocated when `gradients`. BadInput: an encoder or decoder
    /// without blocks, or numbers with which no T5 computes.
    T5(ModelSpec spec, std::shared_ptr<Backend> backend, bool gradients, DType dtype);

    const ModelSpec& spec() const override { return spec_; }
    std::vector<Parameter>& parameters() override { return table_.all(); }
    ForwardResult forward(const Batch& batch, const ForwardOptions& options) override;
    void backward(float scale) override;
    /// Greedy, beam search and the rest of generation.h stand on this. Keys and values are kept.
    std::unique_ptr<Decoding> startDecoding(const Batch& inputs, std::int64_t rows,
                                            std::int64_t steps) override;

  private:
    class Steps;

    /// What the last training forward left for backward.
    struct Trace {
        T5Stack::Saved encoder, decoder;
        Tensor memory;  ///< [B * S, d]
        Tensor output;  ///< [B * T, d], scaled: what the output matrix sees
        ClassificationLoss::Saved loss;
    };

    T5Block makeBlock(const BlockSpec& block);
    T5Block::Attention attention(const std::string& sublayer, const char* kind);
    FeedForward feedForward(const std::string& sublayer, const BlockSpec& block);
    RmsNorm norm(const std::string& name) const;
    T5Stack makeStack(const std::string& name);
    Pass pass(bool training);
    /// logits [n, V] of the decoder's output [n, d], which is scaled in place.
    void toLogits(const Pass& pass, Out logits, InOut output) const;

    ModelSpec spec_;
    ParameterTable table_;
    T5Stack encoder_, decoder_;
    Linear output_;
    std::int64_t moeBlocks_ = 0;
    Workspace shown_;
    std::optional<Trace> trace_;
};

}  // namespace core
