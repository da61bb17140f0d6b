// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/data_source.h"

#include <cstdint>
#include <memory>

namespace core {

struct SyntheticSpec {
    ImageShape shape;
    std::int64_t classes = 10;
    std::int64_t examples = 1024;
};

/// Made-up images for benchmarks: f32 N(0, 1), taken as normalised, uniform labels, by (seed,
/// split). They are made beforehand, so that reading is a copy: as many different pictures as fit
/// in 32 MiB (at least one), used over again for further examples with labels of their own.
std::shared_ptr<const ImageDataset> makeSyntheticImages(const SyntheticSpec& spec, Split split,
                                                        std::uint64_t seed);

}  // namespace core
