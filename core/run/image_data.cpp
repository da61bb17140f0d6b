// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/run/job_data.h"
#include "core/run/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace core {
namespace {

class ImageData final : public JobData {
  public:
    ImageData(const JobSpec& job, const ModelSpec& spec)
        : job_(job), classes_(spec.vit.classes), options_(loaderOptions(job, spec)) {}

    std::unique_ptr<BatchSource> training(const DataPosition& start) override {
        return std::make_unique<BatchLoader>(open(Split::Train, 0), options_, start);
    }
    DataPass pass(Split part, std::int64_t examples) override {
        auto data = open(part, examples);
        const std::int64_t size = data->size();
        return {std::make_unique<BatchLoader>(std::move(data), inOrder(options_), DataPosition{}),
                size};
    }
    Split watchedPart() const override { return evaluationSplit(job_.data); }
    Split measuredPart() const override {
        const std::vector<Split> parts = splitsOf(job_.data);
        const bool test = std::find(parts.begin(), parts.end(), Split::Test) != parts.end();
        return test ? Split::Test : watchedPart();
    }
    std::optional<std::int64_t> trainingExamples() override {
        return open(Split::Train, 0)->size();
    }

    std::vector<std::string> check() override {
        const auto train = open(Split::Train, 0);
        for (const auto& data : {train, open(watchedPart(), 0)}) requireClasses(*data);
        const BatchLoader probe(train, options_, {});
        if (train->classes() == classes_) return {};
        return {fmt::format("the model distinguishes {} classes, {} has {}", classes_,
                            train->description(), train->classes())};
    }

  private:
    void requireClasses(const ImageDataset& data) const {
        if (data.classes() > classes_)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{} has {} classes, the model distinguishes {}",
                                    data.description(), data.classes(), classes_),
                        "choose other data, or a model with a larger head");
    }

    std::shared_ptr<const ImageDataset> open(Split part, std::int64_t examples) {
        std::shared_ptr<const ImageDataset>& data = opened_[part];
        if (!data) {
            data = openImages(job_.data, part, options_.shape, job_.seed);
            requireClasses(*data);
        }
        return examples > 0 ? sampleExamples(data, examples, job_.seed) : data;
    }

    JobSpec job_;
    std::int64_t classes_;
    LoaderOptions options_;
    std::map<Split, std::shared_ptr<const ImageDataset>> opened_;
};

}  // namespace

std::unique_ptr<JobData> openImageData(const JobSpec& job, const ModelSpec& spec) {
    return std::make_unique<ImageData>(job, spec);
}

Path tokenizerFolder(const JobSpec& job) {
    constexpr std::string_view kScratch = "scratch:";
    if (job.model.starts_with(kScratch))
        return Path(job.model.substr(kScratch.size())).parent_path();
    return Checkpoint::open(job.model)->folder();
}

std::unique_ptr<JobData> openJobData(const JobSpec& job, const ModelSpec& spec,
                                     const Path& folder) {
    return spec.family == Family::T5 ? openTextData(job, spec, folder) : openImageData(job, spec);
}

}  // namespace core
