// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_loader.h"
#include "core/ops/backend.h"

namespace core {

/// Every example once in order, without augmentation; the dataset outlives it.
BatchLoader orderedLoader(const ImageDataset& dataset, const LoaderOptions& options);

}  // namespace core
