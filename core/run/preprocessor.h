// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/data/data_source.h"

#include <optional>

namespace core {

/// image_mean and image_std of a model folder's preprocessor_config.json (as transformers writes
/// it); empty where there is none, or where they are not lists of numbers of one length.
std::optional<Normalization> readPreprocessor(const Path& folder);

/// Makes preprocessor_config.json say `normalization` and `shape`, so that an exported model is fed
/// by other tools as it was trained here; other keys of an existing file stay.
void writePreprocessor(const Path& folder, const Normalization& normalization,
                       const ImageShape& shape);

}  // namespace core
