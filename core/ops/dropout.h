// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>

namespace core::ops {

/// y[i] = x[i] / (1 - rate) where CounterRandom(key).uniform(i) >= rate, else 0; i counts elements
/// row by row. Same shapes; y may be x. 0 <= rate < 1; rate 0 copies. The gradient is the same call
/// on dy with the same rate and key.
void dropout(Backend& backend, Out y, const Tensor& x, float rate, std::uint64_t key);

}  // namespace core::ops
