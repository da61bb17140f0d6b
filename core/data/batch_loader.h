// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_source.h"
#include "core/data/data_source.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace core {

struct LoaderOptions {
    std::int64_t batch = 32;
    ImageShape shape;
    Normalization normalization;
    Augmentation augmentation;
    std::uint64_t seed = 0;
    bool shuffle = true;
    bool dropLast = true;  ///< training: only whole batches (an epoch's rest begins no batch)
    int workers = 0;       ///< reading threads; 0 = as many as the dataset suggests
};

/// The same for one pass over everything in order, without augmentation.
LoaderOptions inOrder(LoaderOptions options);

/// Batches ahead of the trainer on threads of its own. Batch content depends on (seed, position)
/// alone, not on the number of threads: shuffling is a keyed permutation per epoch, augmentation is
/// keyed by (seed, epoch, example).
class BatchLoader final : public BatchSource {
  public:
    /// BadInput when the dataset has no whole batch, when the normalisation does not fit the
    /// channels, or when `start` lies beyond the dataset.
    BatchLoader(std::shared_ptr<const ImageDataset> dataset, const LoaderOptions& options,
                const DataPosition& start);
    ~BatchLoader() override;
    BatchLoader(const BatchLoader&) = delete;
    BatchLoader& operator=(const BatchLoader&) = delete;

    /// Blocks until the next batch is ready. Rethrows the loader thread's Error, then and ever
    /// after. Without shuffle it ends after one epoch: nullopt.
    std::optional<HostBatch> next() override;
    /// Position after the batches given so far: what a checkpoint stores. An epoch without another
    /// batch counts as the beginning of the next one.
    DataPosition position() const override;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace core
