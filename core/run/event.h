// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/router_stats.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace core {

// One struct per event of events.jsonl; a non-finite number is null with "finite": false beside it
// (NaN here).

/// The newest schema of events.jsonl that this program reads and writes.
constexpr int kEventSchema = 1;

/// First event of every trainer. A second one means a resumed run: everything before it with a
/// larger `step` is void (its own `step` is where it goes on).
struct HelloEvent {
    int schema = kEventSchema;
    std::string program, version, device, deviceReason, dtype, model;
    int threads = 0;
    std::int64_t parameters = 0;
    std::int64_t steps = 0;                   ///< of the whole run
    std::optional<std::int64_t> resumedFrom;  ///< step of the checkpoint; empty at the first start
};
struct StepEvent {
    double loss = 0, auxLoss = 0, zLoss = 0, lr = 0, gradNorm = 0;
    std::int64_t examples = 0, tokens = 0;
    double seconds = 0;
    bool applied = true;  ///< false: not finite, the update was skipped
};
struct RouterEvent {
    RouterStats stats;
    std::int64_t experts = 0;
};
struct EvalEvent {
    std::string split;
    double loss = 0;
    std::optional<double> accuracy;
    std::map<std::string, double> metrics;  ///< further numbers by name, e.g. "fewshot:10"
};
/// A held-out input of a text model, its spans masked as "<extra_id_0>", "<extra_id_1>" ..., and
/// what the model puts there at this step. `filled` and `truth` are span by span, each behind its
/// marker: "<extra_id_0> first <extra_id_1> second".
struct SampleEvent {
    std::string input, filled, truth;
};
struct CheckpointEvent {
    std::string path;  ///< relative to the run directory
};
struct StateEvent {
    std::string state;  ///< "running", "paused", "stopping"
};
/// kind: "dead-expert", "collapse", "non-finite", "checkpoint" (a damaged one was skipped).
struct AlarmEvent {
    std::string kind, block, message;
};
struct ErrorEvent {
    std::string kind, message, hint;
};
/// A line of control.jsonl has been obeyed; orders before `controlOffset` are not obeyed again.
struct OrderEvent {
    std::string command, argument;
    std::uint64_t controlOffset = 0;  ///< bytes of control.jsonl, this line included
};
struct DoneEvent {
    std::string reason;               ///< "finished" or "stopped"
    std::uint64_t controlOffset = 0;  ///< what lay in control.jsonl then is settled
};
struct UnknownEvent {
    std::string name;
};

struct Event {
    double time = 0;        ///< Unix seconds
    std::int64_t step = 0;  ///< 1 = after the first update
    std::variant<HelloEvent, StepEvent, RouterEvent, EvalEvent, SampleEvent, CheckpointEvent,
                 StateEvent, AlarmEvent, ErrorEvent, OrderEvent, DoneEvent, UnknownEvent>
        what;
};

/// One line without the newline.
std::string toJsonLine(const Event& event);
/// Empty for a torn or malformed line; UnknownEvent for names we do not know. Keys that are missing
/// or of another type keep their defaults.
std::optional<Event> eventFromJsonLine(std::string_view line);

}  // namespace core
