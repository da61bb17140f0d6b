// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_source.h"
#include "core/data/data_source.h"
#include "core/model/spec.h"
#include "core/run/job_spec.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace core {

class Tokenizer;

/// One ordered pass over a part of the data.
struct DataPass {
    std::unique_ptr<BatchSource> batches;
    std::optional<std::int64_t> examples;  ///< empty where only reading it all would tell
};

/// What a job trains and is watched on, whatever it is made of. One thread uses it at a time; it
/// outlives the batches that it gives.
class JobData {
  public:
    JobData() = default;
    JobData(const JobData&) = delete;
    JobData& operator=(const JobData&) = delete;
    virtual ~JobData() = default;

    /// Endless shuffled batches from `start` on.
    virtual std::unique_ptr<BatchSource> training(const DataPosition& start) = 0;
    /// A pass over a part, or over `examples` of it drawn by the job's seed (0 = all).
    virtual DataPass pass(Split part, std::int64_t examples) = 0;
    /// The part that training watches, and the one that a finished model is measured on.
    virtual Split watchedPart() const = 0;
    virtual Split measuredPart() const = 0;
    /// Examples of a pass over the training part; empty where only reading it all would tell.
    virtual std::optional<std::int64_t> trainingExamples() = 0;
    /// Throws BadInput where the model cannot learn from the data; returns warnings.
    virtual std::vector<std::string> check() = 0;
    /// What texts are made of; nullptr for images.
    virtual std::shared_ptr<const Tokenizer> tokenizer() const { return nullptr; }
};

/// Where a job's model has its tokenizer: the checkpoint's folder, or that of scratch:CONFIG.json.
Path tokenizerFolder(const JobSpec& job);

/// `folder`: where the model's tokenizer lies when the job names none.
/// BadInput when the data cannot be read or are not for a model of this family.
std::unique_ptr<JobData> openJobData(const JobSpec& job, const ModelSpec& spec, const Path& folder);
std::unique_ptr<JobData> openImageData(const JobSpec& job, const ModelSpec& spec);
std::unique_ptr<JobData> openTextData(const JobSpec& job, const ModelSpec& spec,
                                      const Path& folder);

}  // namespace core
