// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/runs/run_metrics.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>
#include <tuple>

namespace ui {
namespace {

constexpr std::size_t kRecentSteps = 51;
constexpr std::size_t kMostSamples = 400;
constexpr std::size_t kMostSampleBytes = std::size_t{32} << 10;

std::string_view stackOf(const std::string& block) {
    return std::string_view(block).substr(0, block.rfind('.'));
}

/// "encoder.10" after "encoder.9", encoders before decoders.
std::tuple<bool, std::string_view, int> orderOf(const std::string& block) {
    const std::size_t dot = block.rfind('.');
    const std::string_view stack = stackOf(block);
    int index = 0;
    if (dot != std::string::npos) {
        std::from_chars(block.data() + dot + 1, block.data() + block.size(), index);
    }
    return {stack == "decoder", stack, index};
}

}  // namespace

namespace metric {

std::string router(const std::string& block, const std::string& quantity) {
    return "router/" + block + "/" + quantity;
}

std::string allOf(const std::string& stack) { return stack + ".*"; }

std::string eval(const std::string& split, const std::string& quantity) {
    return "eval/" + split + "/" + quantity;
}

}  // namespace metric

void LoadHistory::append(double step, const std::vector<double>& loads) {
    steps_.push_back(step);
    loads_.push_back(loads);
}

void LoadHistory::cutAfter(double step) {
    const auto end = std::upper_bound(steps_.begin(), steps_.end(), step);
    loads_.resize(static_cast<std::size_t>(std::distance(steps_.begin(), end)));
    steps_.erase(end, steps_.end());
}

std::size_t LoadHistory::indexAt(double step) const {
    const auto after = std::upper_bound(steps_.begin(), steps_.end(), step);
    return static_cast<std::size_t>(
        std::max<std::ptrdiff_t>(0, std::distance(steps_.begin(), after) - 1));
}

void RunMetrics::apply(const core::Event& event) {
    if (const auto* hello = std::get_if<core::HelloEvent>(&event.what)) {
        begin(*hello, event.step);
    } else if (const auto* done = std::get_if<core::StepEvent>(&event.what)) {
        step(*done, event.step);
    } else if (const auto* routed = std::get_if<core::RouterEvent>(&event.what)) {
        router(*routed, event.step);
    } else if (const auto* result = std::get_if<core::EvalEvent>(&event.what)) {
        evaluation(*result, event.step);
    } else if (const auto* filled = std::get_if<core::SampleEvent>(&event.what)) {
        sample(*filled, event.step);
    } else if (std::holds_alternative<core::CheckpointEvent>(event.what)) {
        lastCheckpoint_ = event.step;
    } else if (const auto* state = std::get_if<core::StateEvent>(&event.what)) {
        state_ = state->state;
    } else if (const auto* alarm = std::get_if<core::AlarmEvent>(&event.what)) {
        alarms_.push_back({event.time, event.step, alarm->kind, alarm->block, alarm->message});
        ++shape_;
    } else if (const auto* error = std::get_if<core::ErrorEvent>(&event.what)) {
        error_ = *error;
    } else if (const auto* end = std::get_if<core::DoneEvent>(&event.what)) {
        done_ = *end;
    }
}

void RunMetrics::begin(const core::HelloEvent& hello, std::int64_t from) {
    const auto start = static_cast<double>(from);
    for (const auto& [name, series] : series_) series->cutAfter(start);
    for (auto& [block, history] : loads_) history.cutAfter(start);
    std::erase_if(alarms_, [from](const Alarm& alarm) { return alarm.step > from; });
    std::erase_if(samples_, [from](const Sample& sample) { return sample.step > from; });
    if (lastCheckpoint_ > from) lastCheckpoint_ = from;
    hello_ = hello;
    ++starts_;
    error_.reset();
    done_.reset();
    state_.clear();
    step_ = from;
    recentSeconds_.clear();
    ++shape_;
}

void RunMetrics::step(const core::StepEvent& event, std::int64_t at) {
    step_ = at;
    append(metric::kLoss, at, event.loss);
    append(metric::kAuxLoss, at, event.auxLoss);
    append(metric::kZLoss, at, event.zLoss);
    append(metric::kLearningRate, at, event.lr);
    append(metric::kGradientNorm, at, event.gradNorm);
    if (event.seconds > 0) {
        append(metric::kThroughput, at, static_cast<double>(event.examples) / event.seconds);
        append(metric::kTokenThroughput, at, static_cast<double>(event.tokens) / event.seconds);
        recentSeconds_.push_back(event.seconds);
        if (recentSeconds_.size() > kRecentSteps) recentSeconds_.pop_front();
    }
    accumulate(metric::kExamples, at, static_cast<double>(event.examples));
    accumulate(metric::kTokens, at, static_cast<double>(event.tokens));
    accumulate(metric::kSeconds, at, event.seconds > 0 ? event.seconds : 0);
}

void RunMetrics::router(const core::RouterEvent& event, std::int64_t at) {
    const core::RouterStats& stats = event.stats;
    if (!loads_.contains(stats.block)) {
        const auto place = std::lower_bound(
            blocks_.begin(), blocks_.end(), stats.block,
            [](const std::string& a, const std::string& b) { return orderOf(a) < orderOf(b); });
        blocks_.insert(place, stats.block);
        ++shape_;
    }
    LoadHistory& history = loads_[stats.block];
    if (!history.empty()) history.cutAfter(static_cast<double>(at) - 0.5);
    history.append(static_cast<double>(at), stats.load);
    append(metric::router(stats.block, "unrouted"), at, stats.unrouted);
    append(metric::router(stats.block, "dropped"), at, stats.dropped);
    append(metric::router(stats.block, "entropy"), at, stats.entropy);
    append(metric::router(stats.block, "combine_sum"), at, stats.combineSum);
    append(metric::router(stats.block, "cv"), at, stats.cv);
    for (const char* quantity : {"unrouted", "dropped", "entropy"}) {
        average({}, quantity, at);
        average(std::string(stackOf(stats.block)), quantity, at);
    }
}

/// Mean over the blocks that have said something at this step; the events of one step come one
/// after another, so the last point is made anew with each.
void RunMetrics::average(const std::string& stack, const char* quantity, std::int64_t at) {
    double sum = 0;
    int count = 0;
    for (const std::string& block : blocks_) {
        if (!stack.empty() && stackOf(block) != stack) continue;
        const SeriesPtr series = find(metric::router(block, quantity));
        if (series == nullptr || series->empty()) continue;
        if (series->x().back() != static_cast<double>(at)) continue;
        sum += series->y().back();
        ++count;
    }
    append(metric::router(stack.empty() ? metric::kAllBlocks : metric::allOf(stack), quantity), at,
           sum / count);
}

void RunMetrics::evaluation(const core::EvalEvent& event, std::int64_t at) {
    append(metric::eval(event.split, "loss"), at, event.loss);
    if (event.accuracy) append(metric::eval(event.split, "accuracy"), at, *event.accuracy);
    for (const auto& [name, value] : event.metrics) {
        append(metric::eval(event.split, name), at, value);
    }
}

void RunMetrics::sample(const core::SampleEvent& event, std::int64_t at) {
    const auto bounded = [](const std::string& text) { return text.substr(0, kMostSampleBytes); };
    if (samples_.size() >= kMostSamples) samples_.erase(samples_.begin());
    samples_.push_back(
        {at, samplesSeen_++, {bounded(event.input), bounded(event.filled), bounded(event.truth)}});
}

std::vector<std::string> RunMetrics::stacks() const {
    std::vector<std::string> stacks;
    for (const std::string& block : blocks_)
        if (stacks.empty() || stacks.back() != stackOf(block)) stacks.emplace_back(stackOf(block));
    return stacks;
}

void RunMetrics::append(const std::string& name, std::int64_t at, double value) {
    std::shared_ptr<Series>& series = series_[name];
    if (series == nullptr) {
        series = std::make_shared<Series>();
        ++shape_;
    }
    const auto x = static_cast<double>(at);
    if (!series->empty() && series->x().back() >= x) series->cutAfter(x - 0.5);  // the later counts
    series->append(x, value);
}

void RunMetrics::accumulate(const std::string& name, std::int64_t at, double value) {
    const SeriesPtr series = find(name);
    double before = 0;
    if (series != nullptr && !series->empty()) {
        const auto x = static_cast<double>(at);
        const auto passed = std::lower_bound(series->x().begin(), series->x().end(), x);
        const auto index = std::distance(series->x().begin(), passed);
        before = index == 0 ? 0 : series->y()[static_cast<std::size_t>(index - 1)];
    }
    append(name, at, before + value);
}

SeriesPtr RunMetrics::find(const std::string& name) const {
    const auto found = series_.find(name);
    return found == series_.end() ? nullptr : found->second;
}

const LoadHistory& RunMetrics::loads(const std::string& block) const {
    return loads_.find(block)->second;
}

double RunMetrics::secondsPerStep() const {
    if (recentSeconds_.empty()) return 0;
    std::vector<double> sorted(recentSeconds_.begin(), recentSeconds_.end());
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return *middle;
}

core::RunPhase RunMetrics::phase(bool alive) const {
    using core::RunPhase;
    if (done_) return done_->reason == "finished" ? RunPhase::Finished : RunPhase::Stopped;
    if (alive) {
        return state_ == "paused"     ? RunPhase::Paused
               : state_ == "stopping" ? RunPhase::Stopping
                                      : RunPhase::Running;
    }
    if (error_) return RunPhase::Failed;
    return hello_ ? RunPhase::Crashed : RunPhase::New;
}

}  // namespace ui
