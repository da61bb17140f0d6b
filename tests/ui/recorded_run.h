// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/file.h"
#include "core/run/event.h"
#include "core/run/job_spec.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ui::testing {

/// What a trainer would have written: a falling loss with noise, a warmed-up and decaying learning
/// rate, routers of a few layers whose loads drift, one expert of the last layer that dies.
struct RecordedRun {
    std::int64_t steps = 500;
    std::int64_t done = 500;  ///< steps that have happened
    int layers = 3;
    int decoderLayers = 0;  ///< a T5: so many in the encoder and so many in the decoder
    int samples = 0;        ///< of a text model, evenly over the run
    int experts = 8;
    std::int64_t evalEvery = 50;
    std::int64_t routerEvery = 5;
    double secondsPerStep = 0.12;
    std::string end = "finished";  ///< `done`'s reason; empty: the trainer died
    std::string name = "run";
    core::Objective objective = core::Objective::Classify;
};

std::vector<core::Event> recordedEvents(const RecordedRun& run);

/// A whole run directory with job.json (synthetic images or tokens) and events.jsonl.
void writeRun(const core::Path& folder, const RecordedRun& run);

/// Lines of core::toJsonLine.
std::string asLines(const std::vector<core::Event>& events);

}  // namespace ui::testing
