// SPDX-License-Identifier: Apache-2.0
#include "core/model/model.h"
#include "core/model/t5_tensors_internal.h"

#include <fmt/format.h>

#include <cmath>

namespace core {
namespace {

/// Standard deviations as transformers starts a T5 (Mesh TensorFlow's): attention without a scale
/// of its scores, so queries are drawn small.
struct Spreads {
    explicit Spreads(const T5Spec& t5)
        : embedding(t5.initializerFactor),
          fromModel(embedding / std::sqrt(static_cast<double>(t5.dModel))),
          query(fromModel / std::sqrt(static_cast<double>(t5.dKv))),
          fromHeads(embedding / std::sqrt(static_cast<double>(t5.heads * t5.dKv))),
          fromInner(embedding / std::sqrt(static_cast<double>(t5.dFf))) {}
    double embedding, fromModel, query, fromHeads, fromInner;
};

class Tensors {
  public:
    explicit Tensors(const ModelSpec& spec)
        : t5_(spec.t5),
          model_(configAxis("d_model", t5_.dModel)),
          inner_(configAxis("d_ff", t5_.dFf)),
          heads_{t5_.heads * t5_.dKv,
                 fmt::format("num_heads = {} and d_kv = {}", t5_.heads, t5_.dKv)},
          vocab_(configAxis("vocab_size", t5_.vocab)),
          std_(t5_) {}

    std::vector<ExpectedTensor> all(const ModelSpec& spec) {
        TensorList(list_, {}).add("shared.weight", {vocab_, model_}, true, std_.embedding);
        for (const char* stack : {"encoder", "decoder"}) {
            bool any = false;
            for (const BlockSpec& block : spec.blocks)
                if (block.stack == stack) {
                    addBlock(block);
                    any = true;
                }
            if (any) norm(fmt::format("{}.final_layer_norm", stack), "");
        }
        if (!t5_.tiedEmbeddings && t5_.decoderLayers > 0)
            TensorList(list_, {}).add("lm_head.weight", {vocab_, model_}, true, std_.embedding);
        return std::move(list_);
    }

  private:
    void norm(const std::string& place, const std::string& block) {
        TensorList(list_, {place, block}).add(".weight", {model_}, false, 0);
    }

    void addAttention(const std::string& place, const std::string& block, bool relative) {
        TensorList list(list_, {place, block});
        list.add("q.weight", {heads_, model_}, true, std_.query);
        list.add("k.weight", {heads_, model_}, true, std_.fromModel);
        list.add("v.weight", {heads_, model_}, true, std_.fromModel);
        list.add("o.weight", {model_, heads_}, true, std_.fromHeads);
        if (relative)
            list.add("relative_attention_bias.weight",
                     {configAxis("relative_attention_num_buckets", t5_.relativeBuckets),
                      configAxis("num_heads", t5_.heads)},
                     true, std_.fromModel);
    }

    void addMatrices(TensorList list) {
        for (const char* name : {"wi", "wi_0", "wi_1"})
            if (t5_.gated == (std::string_view(name) != "wi"))
                list.add(std::string(name) + ".weight", {inner_, model_}, true, std_.fromModel)
                    .neuronAxis = 0;
        list.add("wo.weight", {model_, inner_}, true, std_.fromInner).neuronAxis = 1;
    }

    void addMlp(const std::string& place, const BlockSpec& block) {
        if (!block.moe)
            return addMatrices(TensorList(
                list_,
                {place + (t5_.switchNames ? "mlp." : "DenseReluDense."), block.name, 0, true}));
        TensorList(list_, {place, block.name, 0, true})
            .add("mlp.router.classifier.weight", {expertsAxis(block), model_}, true,
                 std_.embedding);
        addMatrices(TensorList(
            list_, {place + "mlp.experts.expert_{e}.", block.name, block.moe->experts, true}));
    }

    void addBlock(const BlockSpec& block) {
        const std::string place = fmt::format("{}.block.{}.", block.stack, block.index);
        int layer = 0;
        const auto next = [&] { return fmt::format("{}layer.{}.", place, layer++); };
        const auto close = [&](const std::string& sublayer) {
            norm(sublayer + "layer_norm", block.name);
        };
        const std::string attention = next();
        addAttention(attention + "SelfAttention.", block.name, block.index == 0);
        close(attention);
        if (block.stack == "decoder") {
            const std::string cross = next();
            addAttention(cross + "EncDecAttention.", block.name, false);
            close(cross);
        }
        const std::string mlp = next();
        addMlp(mlp, block);
        close(mlp);
    }

    const T5Spec& t5_;
    ExpectedAxis model_, inner_, heads_, vocab_;
    Spreads std_;
    std::vector<ExpectedTensor> list_;
};

}  // namespace

std::vector<ExpectedTensor> t5Tensors(const ModelSpec& spec) { return Tensors(spec).all(spec); }

T5Extra t5Extra(const T5Spec& t5, std::string_view tensor) {
    if (tensor == "encoder.embed_tokens.weight" || tensor == "decoder.embed_tokens.weight" ||
        (tensor == "lm_head.weight" && t5.tiedEmbeddings))
        return T5Extra::TiedCopy;
    return tensor == "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"
               ? T5Extra::Stray
               : T5Extra::None;
}

bool repeatsParameter(const ModelSpec& spec, std::string_view tensor) {
    return spec.family == Family::T5 && t5Extra(spec.t5, tensor) == T5Extra::TiedCopy;
}

std::vector<std::string> tensorNotes(const ModelSpec& spec, std::span<const TensorInfo> tensors) {
    std::vector<std::string> notes;
    if (spec.family != Family::T5) return notes;
    for (const TensorInfo& tensor : tensors)
        if (t5Extra(spec.t5, tensor.name) == T5Extra::TiedCopy)
            notes.push_back(tensor.name + " stands for shared.weight once more (tied weights)");
    return notes;
}

}  // namespace core
