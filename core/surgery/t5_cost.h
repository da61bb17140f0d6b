// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/spec.h"
#include "core/surgery/report.h"

namespace core {

/// Fills the FLOPs of `cost` for a T5 (report.h says what is counted).
void addT5Flops(const ModelSpec& spec, ModelCost& cost);

/// Experts that a token uses on average: at most C by capacity, at most K by choice.
double expertsUsed(const MoeSpec& moe);

}  // namespace core
