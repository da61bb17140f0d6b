// SPDX-License-Identifier: Apache-2.0
#include "core/run/train_run.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/run/device.h"
#include "core/run/event_log.h"
#include "core/run/job_memory.h"
#include "core/run/past_run.h"
#include "core/run/session.h"
#include "core/run/start_cancel.h"
#include "core/run/stop_request.h"
#include "core/run/train_loop.h"
#include "core/surgery/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>

namespace core {
namespace {

std::atomic<int> gStopLevel{0};
std::atomic<bool> gStopRequested{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

JobSpec jobWith(JobSpec job, const TrainOptions& options) {
    job.device = options.device.value_or(job.device);
    job.dtype = options.dtype.value_or(job.dtype);
    job.threads = options.threads.value_or(job.threads);
    return job;
}

/// One trainer's way through a run, with what must be known when it fails.
class TrainerProcess {
  public:
    TrainerProcess(const RunDirectory& run, const TrainOptions& options, const PastRun& past)
        : run_(run), past_(past), log_(run.eventsFile(), options.observer) {
        hello_.program = "upcycle";
        hello_.version = UPCYCLER_VERSION;
        if (!past.began) return;
        step_ = past.step;
        hello_.resumedFrom = past.step;
    }

    TrainOutcome run(const TrainOptions& options) {
        job_ = jobWith(run_.job(), options);
        hello_.model = job_.model;
        hello_.steps = job_.trainer.steps;
        hello_.dtype = dtypeOption(job_.dtype);
        requireComputable(job_.dtype);
        DeviceChoice device = makeBackend(job_.device, job_.threads);
        hello_.device = device.backend->name();
        hello_.deviceReason = device.backend->description() + "; " + device.reason;
        if (const std::string how = howComputed(job_.dtype, *device.backend); !how.empty())
            hello_.deviceReason += "; " + how;
        hello_.threads = threads();
        removeLeftovers(run_);
        const std::unique_ptr<Session> session = open(std::move(device.backend));
        TrainLoop loop(run_, job_, *session, log_, past_);
        try {
            return loop.run();
        } catch (...) {
            step_ = loop.step();
            throw;
        }
    }

    void fail(ErrorKind kind, const std::string& message, const std::string& hint) noexcept {
        try {
            introduce();
        } catch (const std::exception&) {
            return;
        }
        log_.tryWrite(step_, {std::string(errorKindName(kind)), message, hint});
    }

    /// The end of a trainer that was stopped before its first step: orders that came are settled.
    TrainOutcome stop() {
        introduce();
        OrderReader orders = openOrders();
        orders.skipToEnd();
        log_.write(step_, DoneEvent{"stopped", orders.offset()});
        return TrainOutcome::Stopped;
    }

  private:
    std::unique_ptr<Session> open(std::shared_ptr<Backend> backend) {
        const std::vector<std::int64_t> steps = run_.checkpoints();
        if (steps.empty()) return start(backend);
        std::vector<AlarmEvent> damaged;
        for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
            std::optional<std::string> damage = findDamage(run_.checkpointFolder(*step));
            if (!damage) return resume(*step, damaged, std::move(backend));
            damaged.push_back(
                {"checkpoint", "",
                 fmt::format("checkpoint {} is damaged and left out: {}", *step, *damage)});
        }
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: every checkpoint is damaged; {}", run_.path().string(),
                                damaged.front().message),
                    "make a new run with: upcycle new");
    }

    std::unique_ptr<Session> start(const std::shared_ptr<Backend>& backend) {
        step_ = 0;
        if (past_.began) hello_.resumedFrom = 0;
        const StartCancel cancel(openOrders());
        for (const std::string& warning : checkJob(job_, run_.path()))
            warnings_.push_back({"job", "", warning});
        auto session = startSession(run_, job_, backend, cancel.flag());
        greet(*session, 0, warnings_);
        log_.write(
            0, CheckpointEvent{std::filesystem::relative(run_.checkpointFolder(0), run_.path())});
        return session;
    }

    std::unique_ptr<Session> resume(std::int64_t step, const std::vector<AlarmEvent>& alarms,
                                    std::shared_ptr<Backend> backend) {
        step_ = step;
        hello_.resumedFrom = step;
        checkMemory(run_.checkpointFolder(step));
        auto session = resumeSession(run_, job_, step, std::move(backend));
        greet(*session, step, alarms);
        return session;
    }

    void checkMemory(const Path& folder) const {
        const ModelSpec spec = readSpec(*Checkpoint::open(folder));
        requireJobMemory(job_, spec, deviceMemory(hello_.device));
    }

    void greet(const Session& session, std::int64_t step, const std::vector<AlarmEvent>& alarms) {
        for (const Parameter& parameter : session.model->parameters())
            hello_.parameters += parameter.shape.elements();
        step_ = step;
        sayHello();
        for (const AlarmEvent& alarm : alarms) log_.write(step, alarm);
    }

    void sayHello() {
        greeted_ = true;
        log_.write(step_, hello_);
    }

    /// The hello of a trainer that ends before it begins, unless there was one.
    void introduce() {
        if (!std::exchange(greeted_, true)) log_.writeUnseen(step_, hello_);
    }

    OrderReader openOrders() const { return {run_.controlFile(), past_.controlOffset}; }

    const RunDirectory& run_;
    const PastRun& past_;
    EventLog log_;
    JobSpec job_;
    HelloEvent hello_;
    std::vector<AlarmEvent> warnings_;
    bool greeted_ = false;
    std::int64_t step_ = 0;
};

}  // namespace

void requestStop(int level) noexcept {
    int known = gStopLevel.load();
    while (known < level && !gStopLevel.compare_exchange_weak(known, level)) {
    }
    gStopRequested.store(true);
}

int stopRequest() noexcept { return gStopLevel.load(); }

const std::atomic<bool>& stopRequested() noexcept { return gStopRequested; }

TrainOutcome trainRun(const Path& path, const TrainOptions& options) {
    const RunDirectory run = RunDirectory::open(path);
    const std::optional<FileLock> lock = FileLock::tryLock(run.lockFile());
    if (!lock)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} is in use: a trainer holds run.lock", path.string()),
                    "watch it with: upcycle watch, or stop it with: upcycle stop");
    const PastRun past = readPastRun(run.eventsFile());
    if (past.finished) return TrainOutcome::Finished;
    TrainerProcess process(run, options, past);
    try {
        return process.run(options);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::Stopped) return process.stop();
        process.fail(error.kind(), error.what(), error.hint());
        throw;
    } catch (const std::bad_alloc&) {
        const Error error(ErrorKind::OutOfMemory, "the memory is full",
                          "take a smaller batch (--batch) or fewer experts");
        process.fail(error.kind(), error.what(), error.hint());
        throw Error(error);
    } catch (const std::exception& error) {
        process.fail(ErrorKind::Internal, error.what(), "this is a bug: please report it");
        throw;
    }
}

}  // namespace core
