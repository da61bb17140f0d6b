// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/run/event.h"
#include "core/run/job_spec.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace core {

enum class RunPhase { New, Running, Paused, Stopping, Stopped, Finished, Failed, Crashed };
std::string_view runPhaseName(RunPhase phase) noexcept;

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
    /// Makes a new run (refused when the folder exists and is not empty) and writes job.json.
    static RunDirectory create(const Path& path, const JobSpec& job);
    /// BadInput when it is not a run, or newer than this program.
    static RunDirectory open(const Path& path);
    static bool isRun(const Path& path) noexcept;

    const Path& path() const noexcept { return path_; }
    JobSpec job() const;
    Path eventsFile() const { return path_ / "events.jsonl"; }
    Path controlFile() const { return path_ / "control.jsonl"; }
    Path lockFile() const { return path_ / "run.lock"; }
    Path logFile() const { return path_ / "trainer.log"; }
    Path checkpointFolder(std::int64_t step) const;
    /// Whole checkpoints, ascending.
    std::vector<std::int64_t> checkpoints() const;
    RunStatus status() const;

    /// Appends an order: pause, resume, checkpoint, stop, stop-and-save, finish-epoch, or set with
    /// "key=value".
    void order(const std::string& command, const std::string& argument = {}) const;

  private:
    explicit RunDirectory(Path path) : path_(std::move(path)) {}
    Path path_;
};

/// MODEL of the command line -> something Checkpoint::open takes: RUN -> its newest whole
/// checkpoint, RUN@500 / RUN@step-00000500.
Path resolveModel(const std::string& model);

}  // namespace core
