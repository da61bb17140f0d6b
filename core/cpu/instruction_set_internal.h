// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/cpu/kernels/kernels.h"
#include "core/cpu/kernels/product_kernels.h"

namespace core::cpu {

enum class InstructionSet { Baseline, Avx2, Avx512, Avx512Bf16 };

/// What the processor has, lowered by UPCYCLER_ISA. Throws Usage for an unknown word.
InstructionSet instructionSet();

const Kernels& kernelsFor(InstructionSet set);

/// Of the instruction set in use.
const ProductTable& productTable();

}  // namespace core::cpu
