// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/router_stats.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace core {

// One struct per event of events.jsonl; a non-finite number is null with "finite": false beside it
// (NaN here).

struct HelloEvent {
    int schema = 1;
    std::string program, version, device, deviceReason, dtype, model;
    int threads = 0;
    std::int64_t parameters = 0;
    std::int64_t steps = 0;
};
struct StepEvent {
    double loss = 0, auxLoss = 0, zLoss = 0, lr = 0, gradNorm = 0;
    std::int64_t examples = 0, tokens = 0;
    double seconds = 0;
    bool applied = true;
};
struct RouterEvent {
    RouterStats stats;
    std::int64_t experts = 0;
};
struct EvalEvent {
    std::string split;
    double loss = 0;
    std::optional<double> accuracy;
    std::map<std::string, double> metrics;
};
struct CheckpointEvent {
    std::string path;
};
struct StateEvent {
    std::string state;
};
struct AlarmEvent {
    std::string kind, block, message;
};
struct ErrorEvent {
    std::string kind, message, hint;
};
struct DoneEvent {
    std::string reason;
};
struct UnknownEvent {
    std::string name;
};

struct Event {
    double time = 0;  ///< Unix seconds
    std::int64_t step = 0;
    std::variant<HelloEvent, StepEvent, RouterEvent, EvalEvent, CheckpointEvent, StateEvent,
                 AlarmEvent, ErrorEvent, DoneEvent, UnknownEvent>
        what;
};

/// One line without the newline.
std::string toJsonLine(const Event& event);
/// Empty for a torn or malformed line; UnknownEvent for names we do not know.
std::optional<Event> eventFromJsonLine(std::string_view line);

}  // namespace core
