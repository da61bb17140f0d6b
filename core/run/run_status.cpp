// SPDX-License-Identifier: Apache-2.0
#include "core/base/file.h"
#include "core/run/event_tail.h"
#include "core/run/run_directory.h"

#include <algorithm>
#include <deque>
#include <system_error>

namespace core {
namespace {

constexpr std::uint64_t kWindow = std::uint64_t{8} << 20;
constexpr std::size_t kRecentSteps = 51;

/// What the events say, told one after another.
class Reader {
  public:
    void see(const Event& event) {
        if (const auto* step = std::get_if<StepEvent>(&event.what)) {
            status_.loss = step->loss;
            seconds_.push_back(step->seconds);
            if (seconds_.size() > kRecentSteps) seconds_.pop_front();
        } else if (const auto* eval = std::get_if<EvalEvent>(&event.what)) {
            status_.accuracy = eval->accuracy;
        } else if (const auto* state = std::get_if<StateEvent>(&event.what)) {
            lifePhase_ = state->state == "paused"     ? RunPhase::Paused
                         : state->state == "stopping" ? RunPhase::Stopping
                                                      : RunPhase::Running;
        } else if (const auto* error = std::get_if<ErrorEvent>(&event.what)) {
            end_ = RunPhase::Failed;
            status_.message = error->message;
        } else if (const auto* done = std::get_if<DoneEvent>(&event.what)) {
            end_ = done->reason == "finished" ? RunPhase::Finished : RunPhase::Stopped;
        } else if (std::holds_alternative<HelloEvent>(event.what)) {
            lifePhase_ = RunPhase::Running;
            end_ = RunPhase::Crashed;
            status_.message.clear();
            seconds_.clear();
        }
        if (!std::holds_alternative<OrderEvent>(event.what)) status_.step = event.step;
        seen_ = true;
    }

    RunStatus finish(bool alive) {
        status_.alive = alive;
        status_.phase = alive ? lifePhase_ : seen_ ? end_ : RunPhase::New;
        if (!seconds_.empty()) {
            std::vector<double> sorted(seconds_.begin(), seconds_.end());
            std::nth_element(sorted.begin(), sorted.begin() + std::ssize(sorted) / 2, sorted.end());
            status_.secondsPerStep = sorted[sorted.size() / 2];
        }
        return status_;
    }

  private:
    RunStatus status_;
    RunPhase lifePhase_ = RunPhase::Running;
    RunPhase end_ = RunPhase::Crashed;
    bool seen_ = false;
    std::deque<double> seconds_;
};

}  // namespace

std::string_view runPhaseName(RunPhase phase) noexcept {
    switch (phase) {
        case RunPhase::New:
            return "new";
        case RunPhase::Running:
            return "running";
        case RunPhase::Paused:
            return "paused";
        case RunPhase::Stopping:
            return "stopping";
        case RunPhase::Stopped:
            return "stopped";
        case RunPhase::Finished:
            return "finished";
        case RunPhase::Failed:
            return "failed";
        case RunPhase::Crashed:
            break;
    }
    return "crashed";
}

RunStatus RunDirectory::status() const {
    const bool alive = FileLock::isHeld(lockFile());
    std::error_code code;
    const std::uintmax_t size = std::filesystem::file_size(eventsFile(), code);
    EventTail tail(eventsFile(), code || size <= kWindow ? 0 : size - kWindow);
    Reader reader;
    do {
        for (const Event& event : tail.poll().events) reader.see(event);
    } while (!tail.atEnd());
    RunStatus status = reader.finish(alive);
    status.steps = job().trainer.steps;
    status.checkpoints = checkpoints();
    return status;
}

}  // namespace core
