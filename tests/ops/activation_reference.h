// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/types.h"
#include "tests/ops/parity.h"

#include <array>
#include <cmath>
#include <numbers>

/// The nonlinearities in double.
namespace parity {

inline constexpr std::array kActivations{core::Activation::GeluErf, core::Activation::GeluTanh,
                                         core::Activation::Relu, core::Activation::Silu};

inline double activation(double x, core::Activation kind) {
    switch (kind) {
        case core::Activation::GeluErf:
            return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
        case core::Activation::GeluTanh:
            return 0.5 * x *
                   (1.0 +
                    std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
        case core::Activation::Relu:
            return x > 0.0 ? x : 0.0;
        case core::Activation::Silu:
            break;
    }
    return x / (1.0 + std::exp(-x));
}

/// By a difference: not for |x| < 1e-5, where ReLU has its kink.
inline double activationSlope(double x, core::Activation kind) {
    return (activation(x + 1e-5, kind) - activation(x - 1e-5, kind)) / 2e-5;
}

/// Random arguments away from ReLU's kink.
inline Values activationArguments(std::int64_t n, std::uint64_t seed = 11, double scale = 3.0) {
    Values x = randomValues(n, seed, scale);
    for (double& value : x)
        if (std::abs(value) < 0.01) value = 0.5;
    return x;
}

}  // namespace parity
