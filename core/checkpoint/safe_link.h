// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

namespace core {

/// Whether `path`, a file of the checkpoint folder `folder`, may be followed: it is no link, or one
/// that stays in the folder or leads to the `blobs` folder of a Hugging Face cache
/// (…/snapshots/REVISION/NAME -> …/blobs/HASH).
bool isSafeLink(const Path& path, const Path& folder);

}  // namespace core
