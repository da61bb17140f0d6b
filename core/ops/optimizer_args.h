// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace core {

/// AdamW (Loshchilov & Hutter 2019), as torch.optim.AdamW: decoupled decay, bias correction by
/// `step` (from 1).
struct AdamWArgs {
    float lr = 1e-3F;
    double beta1 = 0.9;  ///< double, as 1 - beta2 needs its digits
    double beta2 = 0.999;
    float epsilon = 1e-8F;
    float weightDecay = 0.0F;
    std::int64_t step = 1;
};

/// SGD with momentum as torch.optim.SGD (buf = mu*buf + g; w -= lr*(g + mu*buf when nesterov, else
/// buf)); L2 decay is added to g.
struct SgdArgs {
    float lr = 1e-2F;
    float momentum = 0.9F;
    float weightDecay = 0.0F;
    bool nesterov = false;
    bool firstStep = false;  ///< buf = g
};

/// Adafactor (Shazeer & Stern 2018) with T5X semantics: no momentum, beta2_t = 1 - (t +
/// 1)^-decayRate with t = step - stepOffset (step from 0), RMS clipping of the update, parameter
/// scale max(RMS(w), epsilon2). A weight of [batch, rows, columns] (batch = expert axis, never
/// averaged or factored over; 1 otherwise) is factored when rows and columns are both >=
/// minDimToFactor; then rowMoment is [batch, rows], columnMoment [batch, columns], else fullMoment
/// has the weight's shape. Each batch entry is a parameter of its own: own parameter scale, own
/// clipping. Weight decay is not multiplied by the learning rate: w = (1 - weightDecay) * w -
/// update.
struct AdafactorArgs {
    float lr = 1e-2F;
    float decayRate = 0.8F;
    float clippingThreshold = 1.0F;  ///< of the RMS of the update; 0 = no clipping
    float epsilon1 = 1e-30F;
    float epsilon2 = 1e-3F;
    float weightDecay = 0.0F;
    bool multiplyByParameterScale = true;
    bool factored = false;
    std::int64_t batch = 1;
    std::int64_t rows = 1;
    std::int64_t columns = 1;
    std::int64_t step = 0;  ///< already reduced by the step offset
};

}  // namespace core
