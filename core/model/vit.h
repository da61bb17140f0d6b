// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/classification_loss.h"
#include "core/model/model.h"
#include "core/model/parameter_table.h"
#include "core/model/vit_block.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace core {

/// Vision Transformer as transformers' ViTForImageClassification computes it: patches (a remainder
/// at the right and bottom edge is left out) -> linear -> cls token and learned positions ->
/// pre-norm blocks -> norm -> classifier on the cls token. A pooler is ignored, and dropout is not
/// applied (the configs of released models have 0).
class Vit final : public Model {
  public:
    /// Values are zero; gradients are allocated when `gradients`.
    Vit(ModelSpec spec, std::shared_ptr<Backend> backend, bool gradients, const VitNames& names,
        DType dtype);

    const ModelSpec& spec() const override { return spec_; }
    std::vector<Parameter>& parameters() override { return table_.all(); }
    ForwardResult forward(const Batch& batch, const ForwardOptions& options) override;
    void backward(float scale) override;

  private:
    /// What the last training forward left for backward.
    struct Trace {
        Tensor patches;  ///< [B * N, channels * patch * patch]
        std::int64_t batch = 0;
        std::vector<VitBlock::Saved> blocks;  ///< none where `inputs` are there
        std::vector<Tensor> inputs;           ///< of each block, to compute again from
        LayerNorm::Saved norm;
        Tensor features;  ///< [B, hidden]
        ClassificationLoss::Saved loss;
    };

    LayerNorm layerNorm(const std::string& name) const;
    VitBlock makeBlock(const BlockSpec& block);
    Pass pass(bool training);
    void checkBatch(const Batch& batch) const;
    Tensor embed(const Pass& pass, const Tensor& pixels, Trace& trace) const;
    Tensor runBlocks(const Pass& pass, Tensor x, const ForwardOptions& options, Trace& trace,
                     ForwardResult& result);
    void backwardBlock(const Pass& pass, const Trace& trace, std::size_t block, InOut dx,
                       float dAux, float dZ) const;
    void backwardEmbedding(const Pass& pass, const Trace& trace, const Tensor& dx) const;

    ModelSpec spec_;
    VitNames names_;
    ParameterTable table_;
    std::vector<VitBlock> blocks_;
    std::int64_t moeBlocks_ = 0;
    std::optional<Linear> projection_, classifier_;
    std::optional<LayerNorm> norm_;
    Workspace shown_;
    std::optional<Trace> trace_;
};

}  // namespace core
