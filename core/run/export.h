// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/surgery/convert.h"

namespace core {

/// convertCheckpoint as people export, on the command line and in the window alike: a folder also
/// gets a model card (README.md, with loss.svg where there was a training) when there is something
/// to tell: a plan, a checkpoint of a run, or experts. A README.md of the source that is not ours
/// stays, ours is then UPCYCLING.md; one of ours is carried on when there is nothing new to tell.
/// A run whose facts cannot be read is said in `leftOut`, its checkpoint is exported all the same.
ConvertResult exportCheckpoint(const Checkpoint& source, const SurgeryPlan& plan,
                               const Path& target, ConvertOptions options,
                               const std::function<void(const ConvertProgress&)>& progress,
                               const std::atomic<bool>& cancel);

/// Files of a model folder that are a card of ours; a checkpoint of a run does not carry them on.
std::set<std::string> modelCardFiles(const Path& folder);

}  // namespace core
