// SPDX-License-Identifier: Apache-2.0
#include "core/run/run_record.h"

#include "core/run/event_tail.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <system_error>

namespace core {
namespace {

template <typename F>
void forEachEvent(const Path& file, F body) {
    EventTail tail(file);
    std::size_t index = 0;
    do {
        for (const Event& event : tail.poll().events) body(index++, event);
    } while (!tail.atEnd());
}

/// Which events a later resume has not made void.
class Validity {
  public:
    Validity(const Path& file, std::int64_t step) : step_(step) {
        forEachEvent(file, [&](std::size_t index, const Event& event) {
            if (std::holds_alternative<HelloEvent>(event.what))
                resumes_.push_back({index, event.step});
        });
        std::int64_t least = std::numeric_limits<std::int64_t>::max();
        for (auto resume = resumes_.rbegin(); resume != resumes_.rend(); ++resume)
            least = resume->step = std::min(least, resume->step);
    }

    /// Events come in their order.
    bool holds(std::size_t index, const Event& event) {
        while (!resumes_.empty() && resumes_.front().index <= index) resumes_.pop_front();
        return event.step <= step_ && (resumes_.empty() || event.step <= resumes_.front().step);
    }

  private:
    struct Resume {
        std::size_t index;
        std::int64_t step;  ///< the least of this and the later ones
    };
    std::deque<Resume> resumes_;
    std::int64_t step_;
};

/// Gathers what the events say, told one after another.
class Gatherer {
  public:
    explicit Gatherer(RunRecord& record) : record_(record) {}

    void see(const Event& event) {
        if (const auto* hello = std::get_if<HelloEvent>(&event.what)) {
            record_.hello = *hello;
        } else if (const auto* step = std::get_if<StepEvent>(&event.what)) {
            record_.seconds += step->seconds;
            record_.curve.training.emplace_back(event.step, step->loss);
        } else if (const auto* eval = std::get_if<EvalEvent>(&event.what)) {
            record_.evals[eval->split] = *eval;
            record_.evalSteps[eval->split] = event.step;
            evaluations_[eval->split].emplace_back(event.step, eval->loss);
        } else if (const auto* router = std::get_if<RouterEvent>(&event.what)) {
            seeRouter(event.step, router->stats);
        }
    }

    void finish() {
        for (auto& [split, points] : evaluations_)
            if (points.size() > record_.curve.evaluation.size()) {
                record_.curve.evaluation = std::move(points);
                record_.curve.evaluationName = split;
            }
    }

  private:
    void seeRouter(std::int64_t step, const RouterStats& stats) {
        auto& all = record_.routers;
        const auto same = std::find_if(all.begin(), all.end(), [&](const RouterStats& known) {
            return known.block == stats.block;
        });
        if (same == all.end())
            all.push_back(stats);
        else
            *same = stats;
        record_.routerStep = step;
    }

    RunRecord& record_;
    std::map<std::string, std::vector<std::pair<std::int64_t, double>>> evaluations_;
};

}  // namespace

RunRecord readRunRecord(const RunDirectory& run, std::int64_t step) {
    RunRecord record;
    record.job = run.job();
    record.state = readTrainingState(run.checkpointFolder(step)).value_or(TrainingState{});
    Validity valid(run.eventsFile(), step);
    Gatherer gatherer(record);
    forEachEvent(run.eventsFile(), [&](std::size_t index, const Event& event) {
        if (valid.holds(index, event)) gatherer.see(event);
    });
    gatherer.finish();
    return record;
}

std::optional<RunCheckpoint> runCheckpointOf(const Path& folder) {
    std::error_code code;
    const Path place = std::filesystem::canonical(folder, code);
    if (code) return std::nullopt;
    const Path root = place.parent_path().parent_path();
    if (!RunDirectory::isRun(root)) return std::nullopt;
    const RunDirectory run = RunDirectory::open(root);
    for (const std::int64_t step : run.checkpoints())
        if (run.checkpointFolder(step) == place) return RunCheckpoint{root, step};
    return std::nullopt;
}

}  // namespace core
