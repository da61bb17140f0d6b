// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/dropout.h"

namespace core {

/// What stands between the two matrices of an MLP: a = dropout(f(before) * gate), or without a gate
/// a = dropout(f(before)). The same for a dense MLP's rows and an expert's slots.
struct Gate {
    Activation activation = Activation::Relu;

    struct Saved {
        Tensor before;  ///< [m, inner], before the activation
        Tensor gate;    ///< like before, or undefined
        Tensor after;   ///< like before: a
        Dropout dropout;
    };
    /// Overwrites saved.after.
    void forward(const Pass& pass, const Saved& saved) const;
    /// `d` is a's gradient and becomes before's; dGate (undefined without a gate) is overwritten.
    void backward(const Pass& pass, InOut d, Out dGate, const Saved& saved) const;
};

}  // namespace core
