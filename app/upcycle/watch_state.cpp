// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/watch_state.h"

#include <algorithm>

namespace upcycle {
namespace {

constexpr std::size_t kRecent = 31;
constexpr std::size_t kMostAlarms = 3;

}  // namespace

void WatchState::see(const core::Event& event) {
    if (const auto* hello = std::get_if<core::HelloEvent>(&event.what)) {
        steps = hello->steps;
        device = hello->device;
        state = "running";
        ended = false;
        seconds_.clear();
        losses.resize(std::min(losses.size(),
                               static_cast<std::size_t>(std::max<std::int64_t>(event.step, 0))));
    } else if (const auto* done = std::get_if<core::StepEvent>(&event.what)) {
        last = *done;
        losses.push_back(done->loss);
        seconds_.push_back(done->seconds);
        if (seconds_.size() > kRecent) seconds_.pop_front();
    } else if (const auto* router = std::get_if<core::RouterEvent>(&event.what)) {
        routers[router->stats.block] = *router;
    } else if (const auto* result = std::get_if<core::EvalEvent>(&event.what)) {
        eval = *result;
        evalStep = event.step;
    } else if (const auto* now = std::get_if<core::StateEvent>(&event.what)) {
        state = now->state;
    } else if (const auto* alarm = std::get_if<core::AlarmEvent>(&event.what)) {
        alarms.push_back(alarm->message);
        if (alarms.size() > kMostAlarms) alarms.pop_front();
    } else if (const auto* error = std::get_if<core::ErrorEvent>(&event.what)) {
        state = "failed: " + error->message;
        ended = true;
    } else if (const auto* end = std::get_if<core::DoneEvent>(&event.what)) {
        state = end->reason;
        ended = true;
    }
    step = event.step;
}

double WatchState::secondsPerStep() const {
    if (seconds_.empty()) return 0;
    std::vector<double> sorted(seconds_.begin(), seconds_.end());
    std::nth_element(sorted.begin(), sorted.begin() + std::ssize(sorted) / 2, sorted.end());
    return sorted[sorted.size() / 2];
}

}  // namespace upcycle
