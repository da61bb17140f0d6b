// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/control.h"
#include "core/run/event_log.h"
#include "core/run/past_run.h"
#include "core/run/router_watch.h"
#include "core/run/session.h"
#include "core/run/train_run.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

namespace core {

/// The trainer's loop: steps, events, evaluations, checkpoints, and orders in between.
class TrainLoop {
  public:
    TrainLoop(const RunDirectory& run, const JobSpec& job, Session& session, EventLog& log,
              const PastRun& past);
    TrainOutcome run();
    std::int64_t step() const { return session_.trainer->stepsDone(); }

  private:
    enum class Stop { None, Now, Save };

    /// Orders and signals; returns only when the run is not paused.
    void obey();
    void obeyOrder(const Order& order);
    void setLearningRate(double lr);
    void replayLearningRates();
    void setPaused(bool paused);
    bool epochIsOver() const;

    void trainOneStep();
    /// Reports the steps that are still computed, so that what comes next comes after them.
    void settle();
    void report(const StepMetrics& metrics);
    void countNonFinite(const StepMetrics& metrics);
    /// Every N steps, and at the end. An evaluation that a stop interrupts is dropped.
    void evaluateIfDue();
    /// Of a text: what the model makes of a held-out input, always the same one. Dropped likewise.
    void showSample();
    /// Not after a step that was not finite: the weights may be what is wrong.
    void saveIfDue();
    /// Older checkpoints go when the newest step was finite.
    void save();
    TrainOutcome finish();

    const RunDirectory& run_;
    const JobSpec& job_;
    Session& session_;
    EventLog& log_;
    OrderReader orders_;
    std::deque<std::pair<std::int64_t, double>> rates_;  ///< to be set again after a resume
    RouterPace pace_;
    RouterWatch watch_;
    Stop stop_ = Stop::None;
    bool paused_ = false;
    bool stopAfterEpoch_ = false;
    std::uint64_t epoch_ = 0;  ///< in which finish-epoch came
    std::int64_t savedStep_;
    int nonFinite_ = 0;  ///< steps in a row
};

}  // namespace core
