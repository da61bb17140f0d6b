// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/run/job_spec.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace core {
namespace {

/// With 0 the first step of an expert that got no token is 0 / 0; smaller ones are 0 in f32.
constexpr double kLeastEpsilon = 1e-30;
constexpr std::int64_t kMostSteps = std::int64_t{1} << 40;
constexpr std::int64_t kLargestBatch = 1 << 20;
constexpr int kMostThreads = 4096;

class Checker {
  public:
    explicit Checker(std::string where) : where_(std::move(where)) {}

    template <typename T>
    void range(const char* key, T value, T least, T most) const {
        if (value >= least && value <= most) return;
        fail(key, fmt::format("{}", value), fmt::format("{} to {}", least, most));
    }
    void finite(const char* key, double value, double least) const {
        if (std::isfinite(value) && value >= least) return;
        fail(key, fmt::format("{}", value), fmt::format("a finite number from {}", least));
    }
    void share(const char* key, double value, bool withOne) const {
        if (value >= 0 && (value < 1 || (withOne && value == 1.0))) return;
        fail(key, fmt::format("{}", value),
             withOne ? "a number from 0 to 1" : "a number from 0 to below 1");
    }
    [[noreturn]] void fail(const char* key, const std::string& found,
                           const std::string& expected) const {
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: key {} is {}, expected {}", where_, key, found, expected),
                    "correct this key");
    }

  private:
    std::string where_;
};

void checkNormalization(const Checker& check, const Normalization& normalization) {
    for (const float mean : normalization.mean)
        if (!std::isfinite(mean)) check.fail("normalization.mean", "not finite", "finite numbers");
    for (const float std : normalization.std)
        if (!std::isfinite(std) || std <= 0)
            check.fail("normalization.std", fmt::format("{}", std), "numbers above 0");
    if (normalization.mean.size() != normalization.std.size())
        check.fail("normalization", "lists of different lengths", "as many means as stds");
}

}  // namespace

void validateNumbers(const JobSpec& job, const std::string& where) {
    const Checker check(where);
    const TrainerSpec& trainer = job.trainer;
    check.range<std::int64_t>("steps", trainer.steps, 1, kMostSteps);
    check.range<std::int64_t>("batch", job.batch, 1, kLargestBatch);
    check.range<std::int64_t>("microbatch", trainer.microbatch, 0, job.batch);
    check.finite("clip", trainer.clip, 0);
    check.share("loss.label_smoothing", static_cast<double>(trainer.loss.labelSmoothing), false);
    check.finite("loss.aux", static_cast<double>(trainer.loss.aux), 0);
    check.finite("loss.z", static_cast<double>(trainer.loss.z), 0);
    check.finite("loss.logit_z", static_cast<double>(trainer.loss.logitZ), 0);
    if (trainer.dropout) check.share("dropout", static_cast<double>(*trainer.dropout), false);
    check.range<std::int64_t>("text.batch_tokens", job.text.batchTokens, 0, kMostSteps);
    check.finite("optimizer.weight_decay", trainer.optimizer.weightDecay, 0);
    check.share("optimizer.beta1", trainer.optimizer.beta1, false);
    check.share("optimizer.beta2", trainer.optimizer.beta2, false);
    check.finite("optimizer.epsilon", trainer.optimizer.epsilon, kLeastEpsilon);
    check.share("optimizer.momentum", trainer.optimizer.momentum, false);
    check.finite("optimizer.decay_rate", trainer.optimizer.decayRate, 0);
    check.range<std::int64_t>("optimizer.min_dim_to_factor", trainer.optimizer.minDimToFactor, 1,
                              kMostSteps);
    check.range<std::int64_t>("optimizer.step_offset", trainer.optimizer.stepOffset, 0, kMostSteps);
    check.finite("schedule.lr", trainer.schedule.lr, 0);
    check.range<std::int64_t>("schedule.warmup", trainer.schedule.warmup, 0, kMostSteps);
    check.range<std::int64_t>("schedule.cooldown", trainer.schedule.cooldown, 0, kMostSteps);
    check.range<std::int64_t>("schedule.timescale", trainer.schedule.timescale, 1, kMostSteps);
    check.range<std::int64_t>("schedule.start_step", trainer.schedule.startStep, 0, kMostSteps);
    check.share("schedule.final_fraction", trainer.schedule.finalFraction, true);
    check.range("augmentation.crop_padding", job.augmentation.cropPadding, 0, 1024);
    checkNormalization(check, job.normalization);
    check.range<std::int64_t>("eval_every", job.evalEvery, 0, kMostSteps);
    check.range<std::int64_t>("eval_examples", job.evalExamples, 0, kMostSteps);
    check.range<std::int64_t>("checkpoint_every", job.checkpointEvery, 0, kMostSteps);
    check.range("keep", job.keep, 0, 1 << 30);
    check.range("threads", job.threads, 0, kMostThreads);
}

}  // namespace core
