// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/parameter.h"
#include "core/ops/backend.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

enum class OptimizerKind { AdamW, Adafactor, Sgd };
std::string_view optimizerName(OptimizerKind kind) noexcept;  ///< "adamw", "adafactor", "sgd"
std::optional<OptimizerKind> optimizerFromName(std::string_view name) noexcept;

struct OptimizerSpec {
    OptimizerKind kind = OptimizerKind::AdamW;
    double weightDecay = 0.0;  ///< of parameters with `decay`; not multiplied by lr in Adafactor
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;   ///< > 0 in f32: an expert without tokens has moments of 0
    double momentum = 0.9;   ///< SGD
    bool nesterov = false;   ///< SGD
    double decayRate = 0.8;  ///< Adafactor
    std::int64_t minDimToFactor = 128;
    /// Global step at which the moments begin (the start step when they are reset): the age that
    /// AdamW's bias correction and Adafactor's decay see is step - stepOffset.
    std::int64_t stepOffset = 0;
};

/// A tensor of optimizer state, f32. Slots: "m", "v" (AdamW), "momentum" (SGD), "row", "column",
/// "full" (Adafactor).
struct OptimizerState {
    std::string slot;
    std::size_t parameter = 0;  ///< index into the parameters
    /// The file tensors that `value` belongs to, in memory order, with the shape of their share
    /// (factored: [rows] or [columns]).
    std::vector<ParameterPart> parts;
    Tensor value;
};

/// Updates parameters from their gradients. State starts at zero.
class Optimizer {
  public:
    virtual ~Optimizer() = default;
    /// `step`: global number of updates done before (from 0; continues a carried state);
    /// `scale` (F32 [1] on the device) multiplies every gradient; not finite: nothing changes.
    virtual void update(std::vector<Parameter>& parameters, double lr, const Tensor& scale,
                        std::int64_t step) = 0;
    std::vector<OptimizerState>& state() { return state_; }
    /// Per parameter the global step at which its moments began: `stepOffset`, unless it was loaded
    /// (a router that is new in a carried run begins later than the rest).
    std::vector<std::int64_t>& starts() { return starts_; }

  protected:
    Optimizer(const OptimizerSpec& spec, std::size_t parameters)
        : starts_(parameters, spec.stepOffset) {}

    std::vector<OptimizerState> state_;

  private:
    std::vector<std::int64_t> starts_;
};

/// `parameters` stay the ones that `update` gets. A parameter of several parts of one shape
/// (experts, fused projections) counts as that many parameters side by side in Adafactor; a part is
/// factored when it is a matrix (sizes of 1 left out) with both sides >= minDimToFactor.
std::unique_ptr<Optimizer> makeOptimizer(const OptimizerSpec& spec,
                                         const std::vector<Parameter>& parameters,
                                         std::shared_ptr<Backend> backend);

}  // namespace core
