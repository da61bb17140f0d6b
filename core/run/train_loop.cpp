// SPDX-License-Identifier: Apache-2.0
#include "core/run/train_loop.h"

#include "core/base/error.h"
#include "core/run/evaluate_in_pieces.h"
#include "core/run/job_spec.h"
#include "core/run/stop_request.h"
#include "core/training/text_generation.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

namespace core {
namespace {

constexpr int kMostNonFinite = 3;
constexpr std::size_t kMostUncollected = 1;  ///< steps begun while the last one is computed
constexpr std::int64_t kSampleExample = 4;   ///< the first ones may be a file's head
constexpr std::chrono::milliseconds kPausePoll{50};

double steadySeconds() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(now).count();
}

std::deque<std::pair<std::int64_t, double>> ratesFrom(const PastRun& past, std::int64_t step) {
    std::deque<std::pair<std::int64_t, double>> rates = past.learningRates;
    while (!rates.empty() && rates.front().first < step) rates.pop_front();
    return rates;
}

bool isDue(std::int64_t step, std::int64_t every, std::int64_t steps) {
    return step == steps || (every > 0 && step % every == 0);
}

}  // namespace

TrainLoop::TrainLoop(const RunDirectory& run, const JobSpec& job, Session& session, EventLog& log,
                     const PastRun& past)
    : run_(run),
      job_(job),
      session_(session),
      log_(log),
      orders_(run.controlFile(), past.controlOffset),
      rates_(ratesFrom(past, session.state.step)),
      pace_(job.trainer.steps),
      watch_(session.model->spec()),
      savedStep_(session.state.step) {}

TrainOutcome TrainLoop::run() {
    log_.write(step(), StateEvent{"running"});
    obey();
    while (stop_ == Stop::None && step() < job_.trainer.steps) {
        replayLearningRates();
        trainOneStep();
        obey();
        if (stop_ == Stop::None) evaluateIfDue();
        if (stop_ == Stop::None) saveIfDue();
        if (stopAfterEpoch_ && epochIsOver()) stop_ = Stop::Save;
    }
    return finish();
}

void TrainLoop::obey() {
    do {
        if (paused_) std::this_thread::sleep_for(kPausePoll);
        while (const std::optional<Order> order = orders_.next()) obeyOrder(*order);
        const int request = stopRequest();
        if (request >= 2)
            stop_ = Stop::Now;
        else if (request == 1 && stop_ == Stop::None)
            stop_ = Stop::Save;
    } while (paused_ && stop_ == Stop::None);
}

void TrainLoop::obeyOrder(const Order& order) {
    settle();
    log_.write(step(), OrderEvent{order.command, order.argument, orders_.offset()});
    if (order.command == "pause") {
        setPaused(true);
    } else if (order.command == "resume") {
        setPaused(false);
    } else if (order.command == "checkpoint") {
        if (savedStep_ != step()) save();
    } else if (order.command == "stop") {
        stop_ = Stop::Now;
    } else if (order.command == "stop-and-save") {
        if (stop_ == Stop::None) stop_ = Stop::Save;
    } else if (order.command == "finish-epoch") {
        stopAfterEpoch_ = true;
        epoch_ = session_.batches->position().epoch;
        if (epochIsOver()) stop_ = Stop::Save;
    } else if (order.command == "set") {
        rates_.clear();
        setLearningRate(orderedRate(order.argument));
    }
}

void TrainLoop::setPaused(bool paused) {
    if (std::exchange(paused_, paused) == paused) return;
    log_.write(step(), StateEvent{paused ? "paused" : "running"});
}

void TrainLoop::setLearningRate(double lr) {
    session_.state.schedule.lr = lr;
    session_.trainer->setLearningRate(lr);
}

void TrainLoop::replayLearningRates() {
    while (!rates_.empty() && rates_.front().first <= step()) {
        setLearningRate(rates_.front().second);
        rates_.pop_front();
    }
}

bool TrainLoop::epochIsOver() const {
    const DataPosition position = session_.batches->position();
    return position.epoch > epoch_ || (position.example == 0 && step() > 0);
}

void TrainLoop::trainOneStep() {
    const bool observe = pace_.due(step() + 1, steadySeconds());
    session_.trainer->begin(observe);
    while (const std::optional<StepMetrics> metrics =
               session_.trainer->collect(session_.trainer->uncollected() > kMostUncollected))
        report(*metrics);
}

void TrainLoop::settle() {
    while (const std::optional<StepMetrics> metrics = session_.trainer->collect(true))
        report(*metrics);
}

void TrainLoop::report(const StepMetrics& metrics) {
    log_.write(metrics.step,
               StepEvent{metrics.loss, metrics.auxLoss, metrics.zLoss, metrics.lr, metrics.gradNorm,
                         metrics.examples, metrics.tokens, metrics.seconds, metrics.applied});
    for (const RouterStats& stats : metrics.routers) {
        log_.write(metrics.step, RouterEvent{stats, static_cast<std::int64_t>(stats.load.size())});
        for (AlarmEvent& alarm : watch_.see(stats)) log_.write(metrics.step, std::move(alarm));
    }
    countNonFinite(metrics);
}

void TrainLoop::countNonFinite(const StepMetrics& metrics) {
    if (metrics.applied) {
        nonFinite_ = 0;
        return;
    }
    ++nonFinite_;
    log_.write(metrics.step,
               AlarmEvent{"non-finite", "",
                          fmt::format("the loss or a gradient of step {} is not finite; the "
                                      "update was skipped",
                                      metrics.step)});
    if (nonFinite_ < kMostNonFinite) return;
    throw Error(ErrorKind::BadInput,
                fmt::format("{}: the loss or a gradient was not finite in {} steps in a row (up to "
                            "step {}); the newest checkpoint is of step {}",
                            run_.path().string(), kMostNonFinite, metrics.step, savedStep_),
                "lower the learning rate (upcycle new ... --lr X) or clip gradients (--clip 1)");
}

void TrainLoop::evaluateIfDue() {
    if (!isDue(step(), job_.evalEvery, job_.trainer.steps)) return;
    settle();
    const Split part = session_.data->watchedPart();
    const DataPass pass = session_.data->pass(part, job_.evalExamples);
    const std::optional<EvalResult> result =
        evaluateInPieces(*session_.model, *pass.batches, job_.trainer.loss, [this](std::int64_t) {
            obey();
            return stop_ == Stop::None;
        });
    if (!result) return;
    log_.write(step(), EvalEvent{std::string(splitName(part)),
                                 result->loss,
                                 result->accuracy,
                                 {{"examples", static_cast<double>(result->examples)},
                                  {"seconds", result->seconds}}});
    showSample();
}

void TrainLoop::showSample() {
    const auto tokenizer = session_.data->tokenizer();
    if (!tokenizer) return;
    const DataPass pass = session_.data->pass(session_.data->watchedPart(), kSampleExample);
    const std::optional<HostBatch> batch = pass.batches->next();
    if (!batch) return;
    const std::int64_t last = batch->inputIds.size(0) - 1;
    HostBatch sample;
    sample.inputIds = batch->inputIds.rows(last, last + 1);
    sample.inputMask = batch->inputMask.rows(last, last + 1);
    sample.labels = batch->labels.rows(last, last + 1);
    const GenerationOptions options{textLengths(job_).targets, 1, 1.0};
    const std::vector<GeneratedText> texts =
        generateTexts(*session_.model, sample, *tokenizer, options, [this] {
            obey();
            return stop_ == Stop::None;
        });
    if (texts.empty()) return;
    log_.write(step(), SampleEvent{texts[0].input, texts[0].made, texts[0].truth});
}

void TrainLoop::saveIfDue() {
    if (savedStep_ == step() || !isDue(step(), job_.checkpointEvery, job_.trainer.steps)) return;
    settle();
    if (nonFinite_ == 0) save();
}

void TrainLoop::save() {
    settle();
    const std::string path = saveSession(run_, session_);
    savedStep_ = step();
    log_.write(step(), CheckpointEvent{path});
    if (nonFinite_ == 0) pruneCheckpoints(run_, job_.keep);
}

TrainOutcome TrainLoop::finish() {
    settle();
    const bool finished = step() >= job_.trainer.steps && stop_ != Stop::Now;
    if (stop_ != Stop::None) log_.write(step(), StateEvent{"stopping"});
    if (stop_ != Stop::Now && savedStep_ != step()) save();
    orders_.skipToEnd();
    log_.write(step(), DoneEvent{finished && stop_ == Stop::None ? "finished" : "stopped",
                                 orders_.offset()});
    return finished && stop_ == Stop::None ? TrainOutcome::Finished : TrainOutcome::Stopped;
}

}  // namespace core
