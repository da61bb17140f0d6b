// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/model/vit_tensors_internal.h"

#include <fmt/format.h>

namespace core {
namespace {

constexpr std::string_view kExpert = "{e}";

/// Appends tensors under one place of the tree; `experts` > 0 for those that each expert has.
class List {
  public:
    List(std::vector<ExpectedTensor>& tensors, std::string place, std::int64_t experts, bool mlp)
        : tensors_(tensors), place_(std::move(place)), experts_(experts), mlp_(mlp) {}

    void add(const std::string& name, std::vector<ExpectedAxis> axes, bool decay) {
        tensors_.push_back({place_ + name, std::move(axes), experts_, decay, mlp_});
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

  private:
    std::vector<ExpectedTensor>& tensors_;
    std::string place_;
    std::int64_t experts_;
    bool mlp_;
};

ExpectedAxis axis(const char* key, std::int64_t size) {
    return {size, fmt::format("{} = {}", key, size)};
}

void addBlock(std::vector<ExpectedTensor>& tensors, const BlockSpec& block, const VitSpec& vit,
              const VitNames& names) {
    const ExpectedAxis hidden = axis("hidden_size", vit.hidden);
    const ExpectedAxis inner = axis("intermediate_size", vit.intermediate);
    const std::string place = names.block(block.index);
    List list(tensors, place, 0, false);
    for (const char* which : {"query", "key", "value"})
        list.linear(std::string("attention.attention.") + which, hidden, hidden, vit.qkvBias);
    list.linear("attention.output.dense", hidden, hidden);
    if (block.moe) {
        const ExpectedAxis experts{
            block.moe->experts,
            fmt::format("upcycling.blocks.{}.experts = {}", block.name, block.moe->experts)};
        List(tensors, place, 0, true).add("mlp.router.classifier.weight", {experts, hidden}, true);
        List each(tensors, place + "mlp.experts.expert_{e}.", block.moe->experts, true);
        each.linear("intermediate.dense", inner, hidden);
        each.linear("output.dense", hidden, inner);
    } else {
        List mlp(tensors, place, 0, true);
        mlp.linear("intermediate.dense", inner, hidden);
        mlp.linear("output.dense", hidden, inner);
    }
    list.norm("layernorm_before", hidden);
    list.norm("layernorm_after", hidden);
}

}  // namespace

Shape ExpectedTensor::shape() const {
    std::vector<std::int64_t> sizes;
    for (const ExpectedAxis& a : axes) sizes.push_back(a.size);
    return Shape(std::move(sizes));
}

std::string expertName(const std::string& name, std::int64_t e) {
    std::string result = name;
    const std::size_t at = result.find(kExpert);
    CORE_CHECK(at != std::string::npos, "an expert's tensor name, found " + name);
    return result.replace(at, kExpert.size(), std::to_string(e));
}

std::vector<ExpectedTensor> vitTensors(const ModelSpec& spec, const VitNames& names) {
    const VitSpec& vit = spec.vit;
    const ExpectedAxis hidden = axis("hidden_size", vit.hidden);
    const ExpectedAxis patch = axis("patch_size", vit.patchSize);
    const ExpectedAxis one{1, "1"};
    const ExpectedAxis positions{vit.tokens(),
                                 fmt::format("image_size = {} and patch_size = {} ({} positions)",
                                             vit.imageSize, vit.patchSize, vit.tokens())};
    const ExpectedAxis classes{
        vit.classes, vit.labels.empty() ? fmt::format("num_labels = {}", vit.classes)
                                        : fmt::format("id2label with {} classes", vit.classes)};
    std::vector<ExpectedTensor> tensors;
    List embeddings(tensors, names.prefix + "embeddings.", 0, false);
    embeddings.add("cls_token", {one, one, hidden}, false);
    embeddings.add("position_embeddings", {one, positions, hidden}, false);
    embeddings.add("patch_embeddings.projection.weight",
                   {hidden, axis("num_channels", vit.channels), patch, patch}, true);
    embeddings.add("patch_embeddings.projection.bias", {hidden}, false);
    for (const BlockSpec& block : spec.blocks) addBlock(tensors, block, vit, names);
    List(tensors, names.prefix, 0, false).norm("layernorm", hidden);
    List(tensors, "", 0, false).linear("classifier", classes, hidden);
    return tensors;
}

}  // namespace core
