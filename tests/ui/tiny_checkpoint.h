// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/file.h"

#include <vector>

namespace ui::testing {

/// A dense ViT of four blocks for 8x8x1 images and 3 classes, random weights, HF layout.
void writeTinyCheckpoint(const core::Path& folder);

/// Logits of MODEL for a fixed batch of made-up images, on the CPU in f32.
std::vector<float> logitsOf(const core::Path& model);

/// Makes `upcycle` of this build stand beside the test program, where the window looks for it.
void placeTrainer();

}  // namespace ui::testing
