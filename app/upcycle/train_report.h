// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/upcycle/progress.h"
#include "core/base/file.h"
#include "core/run/event.h"

#include <cstdint>
#include <optional>
#include <string>

namespace upcycle {

/// What a trainer says on stderr: a progress bar or lines, and a line for everything that is not a
/// step. The lines go to trainer.log as well, unless stderr is that file already.
class TrainReport {
  public:
    /// `texts`: throughput is said in tokens.
    TrainReport(const core::Path& logFile, bool texts);
    void see(const core::Event& event);
    std::int64_t step() const { return step_; }
    double loss() const { return loss_; }
    std::optional<double> accuracy() const { return accuracy_; }

  private:
    void say(const std::string& line);
    void seeStep(const core::StepEvent& event);

    Progress progress_;
    core::File log_;
    bool texts_;
    std::int64_t step_ = 0, first_ = 0, steps_ = 0;
    double loss_ = 0;
    std::optional<double> accuracy_;
};

/// "117 examples/s", of texts real tokens: "15.4 k tokens/s".
std::string throughputText(const core::StepEvent& step, bool texts);

/// A line for people: "eval test: loss 0.41, accuracy 86.10 %"; empty for step and router events.
std::string eventText(const core::Event& event);

}  // namespace upcycle
