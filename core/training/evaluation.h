// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_loader.h"
#include "core/model/model.h"
#include "core/model/router_stats.h"

#include <atomic>
#include <cstdint>
#include <functional>
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

/// Loss (without aux losses) and accuracy (the first of the largest logits; NaN is never right)
/// over the labels that count of one ordered pass of `batches`: per image, or per target token with
/// the true tokens before it. `goOn` is told the examples done after every batch but the last, and
/// false ends it.
EvalResult evaluate(Model& model, BatchSource& batches, const LossSpec& loss,
                    const std::function<bool(std::int64_t done)>& goOn);

/// The same over a whole dataset in its order (batches of `batch`, the last one smaller), no
/// augmentation. `cancel` may be nullptr; when it becomes true the result is of the `examples` seen
/// so far.
EvalResult evaluate(Model& model, const ImageDataset& dataset, const LoaderOptions& options,
                    const LossSpec& loss, const std::atomic<bool>* cancel);

EvalResult evaluate(Model& model, const ImageDataset& dataset, const LoaderOptions& options,
                    const LossSpec& loss, const std::function<bool(std::int64_t done)>& goOn);

struct FewShotResult {
    std::int64_t shots = 0;
    double accuracy = 0;  ///< mean over draws, at the best l2
    double l2 = 0;
    int draws = 0;
};

/// Linear few-shot probe on the pre-logits, as V-MoE's evaluation does it: whiten by the train
/// shots, append a constant 100, targets 2 * onehot - 1, ridge for every l2 in {2^-10 ... 2^19},
/// argmax accuracy on `test`, mean over `draws` draws of `shots` images a class; the best l2
/// counts. BadInput when a class of `train` has fewer images, or when a feature is not finite.
FewShotResult fewShot(Model& model, const ImageDataset& train, const ImageDataset& test,
                      const LoaderOptions& options, std::int64_t shots, int draws,
                      std::uint64_t seed);

}  // namespace core
