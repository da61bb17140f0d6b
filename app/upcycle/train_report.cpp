// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/train_report.h"

#include "app/upcycle/output.h"
#include "core/base/text.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace upcycle {
namespace {

constexpr int kStderr = 2;

struct ToText {
    std::int64_t step;

    std::string operator()(const core::HelloEvent& e) const {
        const std::string begin =
            e.resumedFrom ? fmt::format("goes on from step {}", *e.resumedFrom) : "starts";
        return fmt::format("{} of {} steps, {} parameters, on {} ({})", begin, e.steps,
                           core::formatCount(static_cast<double>(e.parameters)), e.device,
                           e.deviceReason);
    }
    std::string operator()(const core::StepEvent&) const { return {}; }
    std::string operator()(const core::RouterEvent&) const { return {}; }
    std::string operator()(const core::EvalEvent& e) const {
        std::string text = fmt::format("step {}: {} loss {:.4f}", step, e.split, e.loss);
        if (e.accuracy) text += fmt::format(", accuracy {:.2f} %", 100 * *e.accuracy);
        return text;
    }
    std::string operator()(const core::SampleEvent&) const { return {}; }
    std::string operator()(const core::CheckpointEvent& e) const {
        return fmt::format("step {}: wrote {}", step, e.path);
    }
    std::string operator()(const core::StateEvent& e) const {
        return fmt::format("step {}: {}", step, e.state);
    }
    std::string operator()(const core::AlarmEvent& e) const {
        return fmt::format("step {}: warning: {}", step, e.message);
    }
    std::string operator()(const core::ErrorEvent& e) const {
        return fmt::format("step {}: failed: {}", step, e.message);
    }
    std::string operator()(const core::OrderEvent& e) const {
        return fmt::format("step {}: order {}{}{}", step, e.command, e.argument.empty() ? "" : " ",
                           e.argument);
    }
    std::string operator()(const core::DoneEvent& e) const {
        return fmt::format("step {}: {}", step, e.reason);
    }
    std::string operator()(const core::UnknownEvent&) const { return {}; }
};

bool isStderr(const core::Path& path) {
    struct stat file {};
    struct stat stream {};
    return ::stat(path.c_str(), &file) == 0 && ::fstat(kStderr, &stream) == 0 &&
           file.st_ino == stream.st_ino && file.st_dev == stream.st_dev;
}

}  // namespace

std::string eventText(const core::Event& event) {
    return std::visit(ToText{event.step}, event.what);
}

std::string throughputText(const core::StepEvent& step, bool texts) {
    const std::int64_t count = texts ? step.tokens : step.examples;
    const double rate = step.seconds > 0 ? static_cast<double>(count) / step.seconds : 0;
    return texts ? core::formatCount(rate) + " tokens/s" : fmt::format("{:.0f} examples/s", rate);
}

TrainReport::TrainReport(const core::Path& logFile, bool texts)
    : progress_("training"), texts_(texts) {
    if (!isStderr(logFile)) log_ = core::File::openForAppending(logFile);
}

void TrainReport::say(const std::string& line) {
    if (line.empty()) return;
    progress_.clear();
    note(line);
    if (log_.isOpen()) log_.append(line + "\n");
}

void TrainReport::seeStep(const core::StepEvent& event) {
    loss_ = event.loss;
    progress_.update(static_cast<double>(step_ - first_), static_cast<double>(steps_ - first_),
                     fmt::format("step {}/{}, loss {:.4f}, {}", step_, steps_, event.loss,
                                 throughputText(event, texts_)));
}

void TrainReport::see(const core::Event& event) {
    step_ = event.step;
    if (const auto* hello = std::get_if<core::HelloEvent>(&event.what)) {
        first_ = event.step;
        steps_ = hello->steps;
    }
    if (const auto* eval = std::get_if<core::EvalEvent>(&event.what)) accuracy_ = eval->accuracy;
    if (const auto* step = std::get_if<core::StepEvent>(&event.what))
        seeStep(*step);
    else if (!std::holds_alternative<core::ErrorEvent>(event.what))
        say(eventText(event));
}

}  // namespace upcycle
