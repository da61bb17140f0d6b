// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/run/event.h"
#include "core/run/run_directory.h"
#include "ui/charts/series.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ui {

/// The load per expert of one MoE block over the run, one row per router event.
class LoadHistory {
  public:
    void append(double step, const std::vector<double>& loads);
    void cutAfter(double step);
    bool empty() const noexcept { return steps_.empty(); }
    double lastStep() const { return steps_.back(); }
    /// The step of the row that `at` gives.
    double stepAt(double step) const { return steps_[indexAt(step)]; }
    /// The newest row whose step is not above `step`; the first one when all are. REQUIRES: not
    /// empty.
    const std::vector<double>& at(double step) const { return loads_[indexAt(step)]; }
    const std::vector<double>& last() const { return loads_.back(); }

  private:
    std::size_t indexAt(double step) const;

    std::vector<double> steps_;
    std::vector<std::vector<double>> loads_;
};

/// Names of the series of RunMetrics; those of one block are "router/BLOCK/unrouted" (BLOCK "*":
/// the mean over blocks, "encoder.*": over those of one stack), those of an evaluation
/// "eval/SPLIT/loss".
namespace metric {
inline constexpr const char* kLoss = "loss";
inline constexpr const char* kAuxLoss = "aux_loss";
inline constexpr const char* kZLoss = "z_loss";
inline constexpr const char* kLearningRate = "lr";
inline constexpr const char* kGradientNorm = "grad_norm";
inline constexpr const char* kThroughput = "examples_per_second";
inline constexpr const char* kTokenThroughput = "tokens_per_second";  ///< without padding
inline constexpr const char* kExamples = "examples";                  ///< since step 0
inline constexpr const char* kTokens = "tokens";                      ///< since step 0
inline constexpr const char* kSeconds = "seconds";                    ///< of training since step 0
inline constexpr const char* kAllBlocks = "*";
/// The block name of the mean over one stack: "encoder.*".
std::string allOf(const std::string& stack);
std::string router(const std::string& block, const std::string& quantity);
std::string eval(const std::string& split, const std::string& quantity);
}  // namespace metric

/// Everything that the events of a run have said so far, as series over the step. A `hello` that
/// goes on from a step makes void what came after it, so curves never overlap.
class RunMetrics {
  public:
    void apply(const core::Event& event);

    /// nullptr when nothing of that name has come.
    SeriesPtr find(const std::string& name) const;
    const std::map<std::string, std::shared_ptr<Series>>& all() const noexcept { return series_; }
    /// MoE blocks in the order of the model, as they have come.
    const std::vector<std::string>& blocks() const noexcept { return blocks_; }
    /// The stacks of `blocks`, encoders first.
    std::vector<std::string> stacks() const;
    /// REQUIRES: one of `blocks`.
    const LoadHistory& loads(const std::string& block) const;

    struct Alarm {
        double time = 0;
        std::int64_t step = 0;
        std::string kind, block, message;
    };
    const std::vector<Alarm>& alarms() const noexcept { return alarms_; }

    struct Sample {
        std::int64_t step = 0;
        std::uint64_t number = 0;  ///< its own, growing
        core::SampleEvent text;    ///< cut to what can be shown
    };
    /// The newest few hundred, oldest first.
    const std::vector<Sample>& samples() const noexcept { return samples_; }
    const std::optional<core::HelloEvent>& hello() const noexcept { return hello_; }
    /// Of the present or last trainer.
    const std::optional<core::ErrorEvent>& error() const noexcept { return error_; }
    /// Trainers that have begun.
    int starts() const noexcept { return starts_; }
    std::optional<std::int64_t> lastCheckpoint() const noexcept { return lastCheckpoint_; }
    std::int64_t step() const noexcept { return step_; }
    /// Median of the last steps; 0 before the first.
    double secondsPerStep() const;
    /// What the run is doing, given whether a trainer holds its lock.
    core::RunPhase phase(bool alive) const;
    /// Changes whenever series, blocks or alarms came or went (not when they grew).
    std::uint64_t shape() const noexcept { return shape_; }

  private:
    void begin(const core::HelloEvent& hello, std::int64_t from);
    void step(const core::StepEvent& event, std::int64_t at);
    void router(const core::RouterEvent& event, std::int64_t at);
    void evaluation(const core::EvalEvent& event, std::int64_t at);
    void sample(const core::SampleEvent& event, std::int64_t at);
    void append(const std::string& name, std::int64_t at, double value);
    /// The mean over blocks of a stack, over all where it is empty.
    void average(const std::string& stack, const char* quantity, std::int64_t at);
    void accumulate(const std::string& name, std::int64_t at, double value);

    std::map<std::string, std::shared_ptr<Series>> series_;
    std::vector<std::string> blocks_;
    std::map<std::string, LoadHistory> loads_;
    std::vector<Alarm> alarms_;
    std::vector<Sample> samples_;
    std::uint64_t samplesSeen_ = 0;
    std::optional<core::HelloEvent> hello_;
    std::optional<core::ErrorEvent> error_;
    std::optional<core::DoneEvent> done_;
    std::string state_;
    std::optional<std::int64_t> lastCheckpoint_;
    std::int64_t step_ = 0;
    int starts_ = 0;
    std::deque<double> recentSeconds_;
    std::uint64_t shape_ = 0;
};

}  // namespace ui
