// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace core {

/// Whether block `index` is sparse when every `step`-th one is: the last of each `step` blocks
/// (Flaxformer's MIXED layout; the odd ones for step 2). Other programs count differently: Hugging
/// Face's SwitchTransformers takes index % step == 1, which is the same for step 2 alone.
constexpr bool isInterspersed(int index, int step) { return index % step == step - 1; }

}  // namespace core
