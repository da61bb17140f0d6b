// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint_writer.h"
#include "core/surgery/layout_choice.h"
#include "core/surgery/report.h"

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace core {

struct ConvertOptions {
    FileFormat format = FileFormat::Safetensors;
    LayoutChoice layout = LayoutChoice::Hf;
    std::optional<DType> dtype;  ///< of floating tensors; empty = keep
    std::uint64_t maxShardBytes = 0;
    bool force = false;
    std::map<std::string, std::string>
        extraFiles;  ///< name -> content, beside the weights (directory targets)
    std::set<std::string> notCarried = {};  ///< files of the source's folder that stay behind
};

struct ConvertProgress {
    std::uint64_t bytesDone = 0;
    std::uint64_t bytesTotal = 0;
    std::string tensor;
};

struct ConvertResult {
    std::uint64_t tensors = 0;
    std::uint64_t bytes = 0;
    std::uint64_t overflowed = 0;  ///< finite values that the narrower dtype made infinite
    std::vector<std::string>
        leftOut;  ///< files beside the source and tensors that were not carried, and why
    std::vector<std::string> notes;  ///< what the layout's programs will compute otherwise
};

/// The one streaming executor of upcycling, conversion and export: one bounded piece of a tensor in
/// memory, output beside `target` and renamed when whole. Config, unknown config keys and unknown
/// small files of the source folder (tokenizers ...) are carried, and training.json, so that a run
/// can continue the schedule; optimizer state is not. A source without a config.json gets a full
/// one where tensors and layout tell it. A model that transformers does not know gets its modelling
/// file and the keys of config.json that name it (modeling.h). In another layout than transformers'
/// a tensor whose axes change is in memory as a whole. Same input, plan and seed -> the same bytes.
/// `cancel` -> Stopped, nothing remains. The source is never changed: a target that is one of its
/// files, holds it, or lies in its folder (when that is a model folder, with a config.json) is
/// refused.
ConvertResult convertCheckpoint(const Checkpoint& source, const SurgeryPlan& plan,
                                const Path& target, const ConvertOptions& options,
                                const std::function<void(const ConvertProgress&)>& progress,
                                const std::atomic<bool>& cancel);

/// Refuses the target where convertCheckpoint would; nothing is left there.
void checkConversionTarget(const Checkpoint& source, const Path& target,
                           const ConvertOptions& options);

/// What convertCheckpoint would write, for --dry-run and for the export dialog: bytes of tensor
/// data.
std::uint64_t convertedBytes(const Checkpoint& source, const SurgeryPlan& plan,
                             const ConvertOptions& options);

}  // namespace core
