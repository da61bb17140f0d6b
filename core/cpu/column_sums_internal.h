// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/kernels.h"

namespace core::cpu {

/// sums [columns] += column sums of x [rows, columns]: in double by thread, then added in the order
/// of the threads. scratch: threads() * columns doubles.
void addColumnSums(const Kernels& kernels, float* sums, const float* x, std::int64_t rows,
                   std::int64_t columns, double* scratch);

}  // namespace core::cpu
