// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/parameter.h"
#include "core/ops/backend.h"

#include <cstdint>
#include <map>
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
    double weightDecay = 0.0;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double momentum = 0.9;   ///< SGD
    double decayRate = 0.8;  ///< Adafactor
    std::int64_t minDimToFactor = 128;
    std::int64_t stepOffset =
        0;  ///< Adafactor: set to the start step when moments are reset (method 2.2)
};

/// A named tensor of optimizer state, in f32, for checkpoints: "m/" or "v/" (AdamW), "momentum/"
/// (SGD), "row/", "column/", "full/" (Adafactor) + parameter part name.
struct OptimizerState {
    std::string slot;       ///< "m", "v", ...
    std::size_t parameter;  ///< index into the parameters
    Tensor value;           ///< same layout as the parameter (or its factored rows/columns)
};

/// Updates parameters from their gradients. State starts at zero.
class Optimizer {
  public:
    virtual ~Optimizer() = default;
    /// `step`: updates done before (from 0, global: continues a carried state); gradientScale
    /// multiplies every gradient.
    virtual void update(std::vector<Parameter>& parameters, double lr, double gradientScale,
                        std::int64_t step) = 0;
    virtual std::vector<OptimizerState>& state() = 0;
};

std::unique_ptr<Optimizer> makeOptimizer(const OptimizerSpec& spec,
                                         const std::vector<Parameter>& parameters,
                                         std::shared_ptr<Backend> backend);

}  // namespace core
