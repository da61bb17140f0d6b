// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/checkpoint/readers.h"

namespace core {

std::shared_ptr<const Checkpoint> openTorch(const Path& file, CheckpointPlace) {
    throw Error(ErrorKind::BadInput, file.string() + ": torch files are not read yet",
                "convert it first");
}

std::shared_ptr<const Checkpoint> openTorchShards(const Path& index, CheckpointPlace) {
    throw Error(ErrorKind::BadInput, index.string() + ": torch files are not read yet",
                "convert it first");
}

}  // namespace core
