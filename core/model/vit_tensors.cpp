// SPDX-License-Identifier: Apache-2.0
#include "core/model/vit_tensors_internal.h"

#include <fmt/format.h>

namespace core {
namespace {

/// Tensors under one place, with the words that a ViT's layers share.
class VitList {
  public:
    VitList(std::vector<ExpectedTensor>& tensors, TensorList::Place place, double std)
        : list_(tensors, std::move(place)), std_(std) {}

    void add(const std::string& name, std::vector<ExpectedAxis> axes, bool decay) {
        list_.add(name, std::move(axes), decay, std_);
    }
    void linear(const std::string& name, const ExpectedAxis& out, const ExpectedAxis& in,
                bool bias = true) {
        add(name + ".weight", {out, in}, true);
        if (bias) add(name + ".bias", {out}, false);
    }
    void norm(const std::string& name, const ExpectedAxis& size) {
        add(name + ".weight", {size}, false);
        add(name + ".bias", {size}, false);
    }
    /// The two layers of an MLP; `inner` is the axis of its neurons.
    void mlp(const ExpectedAxis& hidden, const ExpectedAxis& inner) {
        list_.add("intermediate.dense.weight", {inner, hidden}, true, std_).neuronAxis = 0;
        list_.add("intermediate.dense.bias", {inner}, false, std_).neuronAxis = 0;
        list_.add("output.dense.weight", {hidden, inner}, true, std_).neuronAxis = 1;
        list_.add("output.dense.bias", {hidden}, false, std_);
    }

  private:
    TensorList list_;
    double std_;
};

void addBlock(std::vector<ExpectedTensor>& tensors, const BlockSpec& block, const VitSpec& vit,
              const VitNames& names) {
    const ExpectedAxis hidden = configAxis("hidden_size", vit.hidden);
    const ExpectedAxis inner = configAxis("intermediate_size", vit.intermediate);
    const std::string place = names.block(block.index);
    const auto std = static_cast<double>(vit.initializerRange);
    VitList list(tensors, {place, block.name}, std);
    for (const char* which : {"query", "key", "value"})
        list.linear(std::string("attention.attention.") + which, hidden, hidden, vit.qkvBias);
    list.linear("attention.output.dense", hidden, hidden);
    if (block.moe) {
        VitList(tensors, {place, block.name, 0, true}, std)
            .add("mlp.router.classifier.weight", {expertsAxis(block), hidden}, true);
        VitList(tensors, {place + "mlp.experts.expert_{e}.", block.name, block.moe->experts, true},
                std)
            .mlp(hidden, inner);
    } else {
        VitList(tensors, {place, block.name, 0, true}, std).mlp(hidden, inner);
    }
    list.norm("layernorm_before", hidden);
    list.norm("layernorm_after", hidden);
}

}  // namespace

std::vector<ExpectedTensor> vitTensors(const ModelSpec& spec, const VitNames& names) {
    const VitSpec& vit = spec.vit;
    const ExpectedAxis hidden = configAxis("hidden_size", vit.hidden);
    const ExpectedAxis patch = configAxis("patch_size", vit.patchSize);
    const ExpectedAxis one{1, "1"};
    const ExpectedAxis positions{vit.tokens(),
                                 fmt::format("image_size = {} and patch_size = {} ({} positions)",
                                             vit.imageSize, vit.patchSize, vit.tokens())};
    const ExpectedAxis classes{
        vit.classes, vit.labels.empty() ? fmt::format("num_labels = {}", vit.classes)
                                        : fmt::format("id2label with {} classes", vit.classes)};
    const auto std = static_cast<double>(vit.initializerRange);
    std::vector<ExpectedTensor> tensors;
    VitList embeddings(tensors, {names.prefix + "embeddings.", ""}, std);
    embeddings.add("cls_token", {one, one, hidden}, false);
    embeddings.add("position_embeddings", {one, positions, hidden}, false);
    embeddings.add("patch_embeddings.projection.weight",
                   {hidden, configAxis("num_channels", vit.channels), patch, patch}, true);
    embeddings.add("patch_embeddings.projection.bias", {hidden}, false);
    for (const BlockSpec& block : spec.blocks) addBlock(tensors, block, vit, names);
    VitList(tensors, {names.prefix, ""}, std).norm("layernorm", hidden);
    VitList(tensors, {"", ""}, std).linear("classifier", classes, hidden);
    return tensors;
}

}  // namespace core
