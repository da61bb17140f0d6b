// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_loader.h"
#include "core/model/model.h"
#include "core/model/router_stats.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

namespace core {

struct EvalResult {
    std::int64_t examples = 0;
    double loss = 0;
    double accuracy = 0;
    double seconds = 0;
    std::vector<RouterStats> routers;
};

/// Loss and accuracy over a whole dataset (batches of `batch`, the last one smaller), no
/// augmentation. `cancel` may be nullptr.
EvalResult evaluate(Model& model, const ImageDataset& dataset, const LoaderOptions& options,
                    const LossSpec& loss, const std::atomic<bool>* cancel);

struct FewShotResult {
    std::int64_t shots = 0;
    double accuracy = 0;  ///< mean over draws, at the best l2
    double l2 = 0;
    int draws = 0;
};

/// Linear few-shot probe as in the paper's code (method 1.6): whiten by the train shots, append
/// constant 100, targets 2 * onehot - 1, ridge over l2 in {2^-10 ... 2^19} by eigendecomposition,
/// argmax accuracy on `test`, mean over `draws` seeds.
FewShotResult fewShot(Model& model, const ImageDataset& train, const ImageDataset& test,
                      const LoaderOptions& options, std::int64_t shots, int draws,
                      std::uint64_t seed);

}  // namespace core
