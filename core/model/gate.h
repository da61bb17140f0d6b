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
        Tensor after;   ///< like before: a; ReLU without a gate has both in one place
        Dropout dropout;
    };
    /// Where a forward of [m, inner] keeps what backward needs.
    Saved saved(const Pass& pass, const Shape& inner, bool gated, const Dropout& dropout) const;
    /// With a gate: overwrites saved.after.
    void forward(const Pass& pass, const Saved& saved) const;
    /// `d` is a's gradient and becomes before's; dGate (undefined without a gate) is overwritten.
    void backward(const Pass& pass, InOut d, Out dGate, const Saved& saved) const;

    /// Whether the products on both sides do it all: no gate and no dropout.
    static bool isPlain(const Saved& saved) {
        return !saved.gate.defined() && saved.dropout.rate == 0.0F;
    }
};

}  // namespace core
