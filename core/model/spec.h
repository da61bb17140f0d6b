// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/ops/types.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace core {

enum class Family { Vit, T5, Llama };
std::string_view familyName(Family family) noexcept;

enum class RouterKind { ExpertChoice, TopK };
std::string_view routerName(RouterKind kind) noexcept;  ///< "expert-choice", "top-k"
std::optional<RouterKind> routerFromName(std::string_view name) noexcept;

enum class TopKOrder { SoftmaxTopK, TopKSoftmax };
std::string_view topKOrderName(TopKOrder order) noexcept;  ///< "softmax-topk", "topk-softmax"
std::optional<TopKOrder> topKOrderFromName(std::string_view name) noexcept;

/// The tokens that compete for capacity: the whole microbatch, one sequence (image), or groups of a
/// number of tokens.
struct GroupSize {
    enum class Kind { Batch, Sequence, Tokens };
    Kind kind = Kind::Batch;
    std::int64_t tokens = 0;
    bool operator==(const GroupSize&) const = default;
};
std::string toString(const GroupSize& group);  ///< "batch", "sequence" or a number
std::optional<GroupSize> groupSizeFromName(std::string_view text) noexcept;

/// How one MoE layer routes: an entry of "upcycling".blocks in config.json.
struct MoeSpec {
    std::int64_t experts = 32;
    double capacity = 2.0;  ///< capacity factor C; unused when dropless
    RouterKind router = RouterKind::ExpertChoice;
    bool renormalize = true;
    GroupSize group;
    int k = 2;  ///< Top-K only, like the next four
    TopKOrder order = TopKOrder::SoftmaxTopK;
    bool dropless = false;
    bool batchPriority = false;
    /// > 0: slots per expert whatever the group's size; `capacity` and `dropless` then say what
    /// that is at the model's usual length. SwitchTransformers' expert_capacity; not written.
    std::int64_t fixedSlots = 0;
    bool operator==(const MoeSpec&) const = default;
};

/// One Transformer block. `name` ("encoder.3") names it in every option, file, event and picture.
struct BlockSpec {
    std::string name;
    std::string stack;  ///< "encoder", "decoder"
    int index = 0;
    std::optional<MoeSpec> moe;  ///< empty = dense MLP
};

/// Numbers of a ViT as in HF's ViTConfig.
struct VitSpec {
    std::int64_t imageSize = 224;
    std::int64_t patchSize = 16;
    std::int64_t channels = 3;
    std::int64_t hidden = 768;
    std::int64_t intermediate = 3072;
    std::int64_t heads = 12;
    std::int64_t layers = 12;
    std::int64_t classes = 1000;
    float layerNormEpsilon = 1e-12F;
    Activation activation = Activation::GeluErf;
    bool qkvBias = true;
    std::vector<std::string> labels;  ///< id2label in order, or empty
    float initializerRange = 0.02F;   ///< standard deviation of a random start
    std::int64_t patches() const { return (imageSize / patchSize) * (imageSize / patchSize); }
    std::int64_t tokens() const { return patches() + 1; }
};

/// Numbers of a T5 as in HF's T5Config (also MT5Config and SwitchTransformersConfig).
struct T5Spec {
    std::int64_t vocab = 32128;
    std::int64_t dModel = 512;
    std::int64_t dKv = 64;  ///< per head
    std::int64_t dFf = 2048;
    std::int64_t heads = 8;
    std::int64_t encoderLayers = 6;
    std::int64_t decoderLayers = 6;  ///< 0: an encoder alone (T5EncoderModel)
    std::int64_t relativeBuckets = 32;
    std::int64_t relativeMaxDistance = 128;
    Activation activation = Activation::Relu;
    bool gated = false;          ///< act(wi_0 x) * (wi_1 x) in place of act(wi x)
    bool tiedEmbeddings = true;  ///< shared.weight is the output matrix too (T5 v1.0)
    bool scaledOutput = true;    ///< the output matrix sees the decoder's output times d_model^-0.5
    float layerNormEpsilon = 1e-6F;
    float dropout = 0.1F;
    double initializerFactor = 1.0;
    std::int64_t padToken = 0;
    std::int64_t eosToken = 1;
    std::int64_t decoderStartToken = 0;
    /// A SwitchTransformers checkpoint: its dense MLPs are named mlp.wi, not DenseReluDense.wi.
    bool switchNames = false;
};

/// What the window draws and a file's metadata stores. Llamas are recognised and shown with their
/// blocks alone.
struct ModelSpec {
    Family family = Family::Vit;
    VitSpec vit;                    ///< valid for Family::Vit
    T5Spec t5;                      ///< valid for Family::T5
    std::vector<BlockSpec> blocks;  ///< encoder blocks first
    const BlockSpec* find(std::string_view name) const;
};

/// From config.json (or, without one, from the tensors' shapes) alone, for looking at any readable
/// container: config and tensors may contradict each other, and without a config `vit.heads` is 0
/// (unknown), a gated T5 is taken for the usual gated-gelu, and MoE blocks carry only their number
/// of experts. BadInput: no known family, or a
/// config that cannot be read.
ModelSpec readSpecUnchecked(const Checkpoint& checkpoint);

/// BadInput, naming key and tensor, when the tensors are not those of `spec`: a shape that
/// contradicts a key, a block or expert too many, missing MLP tensors, an unknown number of heads.
void checkAgainstTensors(const ModelSpec& spec, const Checkpoint& checkpoint);

/// From config.json and the tensors (both are checked against each other: a contradiction is
/// BadInput naming key and tensor). MoE blocks come from the config's "upcycling" block.
ModelSpec readSpec(const Checkpoint& checkpoint);

/// From a config.json alone (`scratch:CONFIG.json`); `where` is the file's name for messages.
ModelSpec specFromConfig(const std::string& configText, const std::string& where);

/// Sentences on tensors that are no parameters of their own: what a T5 file repeats of its
/// embedding.
std::vector<std::string> tensorNotes(const ModelSpec& spec, std::span<const TensorInfo> tensors);

/// A config.json of transformers' keys for a ViT or T5 (for checkpoints that came without one).
std::string configTextOf(const ModelSpec& spec);

/// The checkpoint's config.json, or, without one, a full one from what its tensors and its layout
/// show; empty where they do not make a model or the number of heads is unknown.
std::string configTextOf(const Checkpoint& checkpoint);

/// `configText` with its "upcycling" block made to say `spec` (removed when no block is MoE); all
/// other keys, known or not, as they are.
std::string configWithUpcycling(const std::string& configText, const ModelSpec& spec);

/// Throws BadInput, naming the block and the setting, when a MoE layer's numbers cannot work (0 or
/// absurd experts, capacity NaN or
/// <= 0, K > experts, group 0 ...). `causal`: the block is in a causal decoder (Expert Choice and
/// batch priority refused: they would see the future; Top-K is placed there in token order).
void validate(const MoeSpec& moe, const std::string& block, bool causal);

/// Name pieces of a ViT block in the HF layout.
struct VitNames {
    /// "vit." or "" as the checkpoint has it.
    std::string prefix = "vit.";
    std::string block(int index) const;  ///< "vit.encoder.layer.3."
};

/// The prefix that a ViT checkpoint's tensors have ("vit." when there are no tensors).
VitNames vitNames(std::span<const TensorInfo> tensors);

}  // namespace core
