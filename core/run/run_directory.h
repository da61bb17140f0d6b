// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/event.h"
#include "core/run/job_spec.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// Crashed: the trainer died (lock free) without `done` or `error`.
enum class RunPhase { New, Running, Paused, Stopping, Stopped, Finished, Failed, Crashed };
std::string_view runPhaseName(RunPhase phase) noexcept;  ///< "new", "running" ...

/// The facts of a run for `status`, the run table and the window.
struct RunStatus {
    RunPhase phase = RunPhase::New;
    bool alive = false;  ///< a trainer holds run.lock
    std::int64_t step = 0, steps = 0;
    std::optional<double> loss, accuracy;
    double secondsPerStep = 0;  ///< recent median
    std::string message;        ///< of the last error
    std::vector<std::int64_t> checkpoints;
};

/// RUN/: job.json, events.jsonl, control.jsonl, run.lock, trainer.log, checkpoints/step-00000500/.
/// The only contract between trainer and whoever watches or steers.
class RunDirectory {
  public:
    /// Makes a new run (refused when the folder exists and is not empty) and writes job.json; whole
    /// or not at all.
    static RunDirectory create(const Path& path, const JobSpec& job);
    /// BadInput when it is not a run, or newer than this program.
    static RunDirectory open(const Path& path);
    static bool isRun(const Path& path) noexcept;

    const Path& path() const noexcept { return path_; }
    JobSpec job() const;
    Path jobFile() const { return path_ / "job.json"; }
    Path eventsFile() const { return path_ / "events.jsonl"; }
    Path controlFile() const { return path_ / "control.jsonl"; }
    Path lockFile() const { return path_ / "run.lock"; }
    Path logFile() const { return path_ / "trainer.log"; }
    Path checkpointsFolder() const { return path_ / "checkpoints"; }
    /// RUN/checkpoints/step-00000500.
    Path checkpointFolder(std::int64_t step) const;
    /// Whole checkpoints, ascending: names with ".tmp" and folders without weights or
    /// training.json do not count.
    std::vector<std::int64_t> checkpoints() const;
    /// Cheap: reads job.json and the last few MB of events.jsonl.
    RunStatus status() const;

    /// Appends an order: pause, resume, checkpoint, stop, stop-and-save, finish-epoch, or set with
    /// "key=value" (key: lr). Usage for any other.
    void order(const std::string& command, const std::string& argument = {}) const;

  private:
    explicit RunDirectory(Path path) : path_(std::move(path)) {}
    Path path_;
};

/// One line of control.jsonl.
struct Order {
    std::string command, argument;
};

/// MODEL of the command line -> something Checkpoint::open takes: RUN -> its newest whole
/// checkpoint, RUN@500 / RUN@step-00000500. Other paths come back as they are.
Path resolveModel(const std::string& model);

}  // namespace core
