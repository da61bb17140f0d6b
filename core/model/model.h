// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/parameter.h"
#include "core/model/spec.h"
#include "core/ops/backend.h"
#include "core/tensor/workspace.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace core {

/// One microbatch on the backend's device. A family uses the fields it needs.
struct Batch {
    Tensor pixels;             ///< F32 [B, C, H, W]
    Tensor labels;             ///< I64 [B] or (text) [B, T], -100 = ignored; may be undefined
    Tensor inputIds{};         ///< I64 [B, S]
    Tensor inputMask{};        ///< U8 [B, S], 1 = real token; undefined = all real
    Tensor decoderInputIds{};  ///< I64 [B, T]
    Tensor decoderMask{};      ///< U8 [B, T]; undefined = all real
    /// The same on the host, where it is there too: what is checked and counted there need not wait
    /// for the device.
    struct OnHost {
        Tensor labels{}, inputIds{}, inputMask{}, decoderInputIds{}, decoderMask{};
    } onHost{};
};

enum class LossKind { Softmax, Sigmoid };

struct LossSpec {
    LossKind kind = LossKind::Softmax;
    float labelSmoothing = 0.0F;
    float aux = 0.0F;  ///< weight of the balance loss in the total
    float z = 0.0F;    ///< weight of the router z-loss in the total
    /// Weight of the mean of logsumexp(logits)^2 over counted labels (softmax; T5X: 1e-4).
    float logitZ = 0.0F;
};

/// What one MoE layer did in one forward pass (method: load, unrouted, dropped, entropy, combine
/// sum; see router_stats.h).
struct RouterObservation {
    std::string block;
    Tensor probabilities;  ///< F32 [n, E], full softmax, valid until the next forward
    Tensor weights;        ///< F32 [slots]
    Assignment assignment;
    Tensor mask;  ///< U8 [n] or undefined
    double auxLoss = 0;
    double zLoss = 0;
    Tensor auxLossThere{};  ///< F64 [1] on the device, or undefined: what auxLoss is read from
    Tensor zLossThere{};    ///< F64 [1], zLoss
};

struct ForwardOptions {
    LossSpec loss;
    bool training = false;     ///< keeps what backward needs
    bool recompute = false;    ///< keeps only each block's input: backward runs its forward again
    bool lossesLater = false;  ///< leaves them on the device: loss_reading.h
    bool keepOutputs = false;  ///< keeps each block's MLP output for the step-0 report
    /// MLP outputs of another model by block name: they take the place of this model's in the
    /// residual sum, so that every block sees the other model's input.
    std::vector<std::pair<std::string, Tensor>> substituteOutputs;
    std::uint64_t seed = 0;          ///< of this training forward's dropout; a new one every step
    std::optional<float> dropout{};  ///< rate in place of the config's, in [0, 1)
};

struct ForwardResult {
    Tensor logits;             ///< F32 [B, classes]; T5 [B, T, vocab] in the compute type
    Tensor features;           ///< F32 [B, hidden], pre-logits (final norm, cls); T5: none
    std::int64_t counted = 0;  ///< labels that are not ignored
    Tensor lossThere{};        ///< F64 [1] on the device: the sum over counted labels, or undefined
    double loss = 0;           ///< mean cross-entropy over counted labels (0 without labels)
    double auxLoss = 0;        ///< unweighted mean over MoE layers
    double zLoss = 0;
    double logitZLoss = 0;                   ///< unweighted; no part of `loss`
    std::vector<RouterObservation> routers;  ///< in block order
    std::vector<std::pair<std::string, Tensor>>
        mlpOutputs;  ///< per block, when keepOutputs; [n, hidden], before the residual
};

/// Targets of a batch of inputs, made token by token. The model must outlive it and may compute
/// other things between the steps; a step ends the life of a forward's result as a forward does.
class Decoding {
  public:
    Decoding() = default;
    Decoding(const Decoding&) = delete;
    Decoding& operator=(const Decoding&) = delete;
    virtual ~Decoding() = default;
    /// Takes the next token of every row (the first time the decoder's start) and returns the
    /// logits of the one after it, F32 [rows, vocab] on the host.
    virtual Tensor step(std::span<const std::int64_t> tokens) = 0;
    /// Row i goes on from what row from[i] has so far; both decode the same input.
    virtual void reorder(std::span<const std::int64_t> from) = 0;
};

/// A network of one family. Layers are explicit: forward keeps what backward needs, backward
/// accumulates gradients. Tensors of a result live until the next forward.
class Model {
  public:
    virtual ~Model() = default;
    /// Of activations and products: F32 or BF16 (parameters and gradients are F32 in both).
    DType computeType() const noexcept { return computeType_; }
    virtual const ModelSpec& spec() const = 0;
    virtual std::vector<Parameter>& parameters() = 0;
    virtual ForwardResult forward(const Batch& batch, const ForwardOptions& options) = 0;
    /// Gradient of scale * (loss + aux * auxLoss + z * zLoss + logitZ * logitZLoss) of the last
    /// training forward (with labels), added to the parameters' gradients. Once per forward.
    virtual void backward(float scale) = 0;
    /// For the inputs of a batch (inputIds, inputMask), `rows` targets each, of up to `steps`
    /// tokens. BadInput for a family that generates nothing.
    virtual std::unique_ptr<Decoding> startDecoding(const Batch& inputs, std::int64_t rows,
                                                    std::int64_t steps);
    void zeroGradients();
    Backend& backend() const { return *backend_; }
    const std::shared_ptr<Backend>& sharedBackend() const { return backend_; }
    Workspace& workspace() { return workspace_; }

  protected:
    Model(std::shared_ptr<Backend> backend, DType computeType);

  private:
    std::shared_ptr<Backend> backend_;
    DType computeType_;
    Workspace workspace_;
};

/// Whether a file's tensor of this name only repeats a parameter of a model of `spec` (tied
/// weights): it changes with that parameter and is not kept apart from it.
bool repeatsParameter(const ModelSpec& spec, std::string_view tensor);

/// The parameters that a spec asks for (names, shapes, parts; no memory): what checkpoints are
/// checked against. `prefix` as in VitNames. None for families whose tensors are not known.
std::vector<Parameter> describeParameters(const ModelSpec& spec, const VitNames& names = {});

/// A model whose values are zero; gradients are allocated when `gradients`. `dtype`: F32 or BF16,
/// see Model::computeType.
std::unique_ptr<Model> makeModel(const ModelSpec& spec, std::shared_ptr<Backend> backend,
                                 bool gradients, const VitNames& names = {},
                                 DType dtype = DType::F32);

/// Brings the parameters' copies in bf16 up to date with their values.
void refreshCopies(const std::vector<Parameter>& parameters, Backend& backend);

/// Fills the values from a checkpoint (any floating dtype -> f32). BadInput names a missing or
/// misshapen tensor.
void loadParameters(std::vector<Parameter>& parameters, const Checkpoint& checkpoint,
                    Backend& backend);

/// Random start ("scratch"), as transformers does it: N(0, initializer_range) for matrices, cls
/// token and positions, zero biases, ones for norms, experts independent; seeded by hash(seed,
/// tensor name).
void initializeParameters(std::vector<Parameter>& parameters, std::uint64_t seed, Backend& backend);

/// spec + parameters from a checkpoint in one call.
std::unique_ptr<Model> loadModel(const Checkpoint& checkpoint, std::shared_ptr<Backend> backend,
                                 bool gradients, DType dtype = DType::F32);

}  // namespace core
