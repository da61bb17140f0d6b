// SPDX-License-Identifier: Apache-2.0
#include "core/run/past_run.h"

#include "core/run/control.h"
#include "core/run/event_tail.h"

#include <algorithm>

namespace core {
namespace {

void rememberRate(PastRun& past, std::int64_t step, double lr) {
    while (!past.learningRates.empty() && past.learningRates.back().first > step)
        past.learningRates.pop_back();
    past.learningRates.emplace_back(step, lr);
}

void see(PastRun& past, const Event& event) {
    past.step = event.step;
    if (std::holds_alternative<HelloEvent>(event.what)) {
        past.began = true;
        past.finished = false;
    } else if (const auto* order = std::get_if<OrderEvent>(&event.what)) {
        past.controlOffset = std::max(past.controlOffset, order->controlOffset);
        if (order->command == "set") rememberRate(past, event.step, orderedRate(order->argument));
    } else if (const auto* done = std::get_if<DoneEvent>(&event.what)) {
        past.controlOffset = std::max(past.controlOffset, done->controlOffset);
        past.finished = done->reason == "finished";
    }
}

}  // namespace

PastRun readPastRun(const Path& eventsFile) {
    PastRun past;
    EventTail tail(eventsFile);
    do {
        for (const Event& event : tail.poll().events) see(past, event);
    } while (!tail.atEnd());
    return past;
}

}  // namespace core
