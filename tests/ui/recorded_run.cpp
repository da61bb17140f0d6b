// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/recorded_run.h"

#include "core/base/random.h"
#include "core/run/job_spec.h"
#include "core/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ui::testing {
namespace {

constexpr double kStart = 1.7e9;

/// Encoders first, as a model runs.
std::string blockOf(const RecordedRun& run, int layer) {
    if (run.decoderLayers == 0) return "encoder." + std::to_string(3 + layer);
    return layer < run.layers ? "encoder." + std::to_string(1 + 2 * layer)
                              : "decoder." + std::to_string(1 + 2 * (layer - run.layers));
}

/// A model that learns: the right words come one after another.
core::SampleEvent sampleAt(int sample, int samples) {
    static const std::vector<std::string> truth{"for inviting", "last", "a quiet evening",
                                                "on the last train"};
    static const std::vector<std::string> first{"to see", "first", "the quiet day", "on a train"};
    core::SampleEvent event;
    event.input =
        "Thank you <extra_id_0> me to your party <extra_id_1> week: we had <extra_id_2> with "
        "friends from the old town, and everybody went home <extra_id_3> before the snow came.";
    for (std::size_t span = 0; span < truth.size(); ++span) {
        std::string marker("<extra_id_");
        marker.append(std::to_string(span)).append("> ");
        const bool learnt = (sample + 1) * 5 > static_cast<int>(span + 1) * samples;
        event.truth += marker + truth[span] + " ";
        event.filled += marker + (learnt ? truth[span] : first[span]) + " ";
    }
    event.truth += "<extra_id_4>";
    return event;
}

core::RouterStats routerAt(const RecordedRun& run, int layer, std::int64_t step) {
    const core::CounterRandom random(static_cast<std::uint64_t>(layer) + 1);
    const double progress = static_cast<double>(step) / static_cast<double>(run.steps);
    core::RouterStats stats;
    stats.block = blockOf(run, layer);
    const auto experts = static_cast<std::size_t>(run.experts);
    for (std::size_t expert = 0; expert < experts; ++expert) {
        const double own = static_cast<double>(random.normal(expert));
        const double wobble = 0.1 * static_cast<double>(random.normal(
                                        1000 + expert + experts * static_cast<std::size_t>(step)));
        stats.load.push_back(std::max(0.02, 1 + 0.5 * own * (1 - 0.6 * progress) + wobble));
    }
    if (layer == run.layers + run.decoderLayers - 1 && progress > 0.4) stats.load[2] = 0;
    const double mean =
        std::accumulate(stats.load.begin(), stats.load.end(), 0.0) / static_cast<double>(experts);
    double squares = 0;
    for (double& load : stats.load) {
        load /= mean;
        squares += (load - 1) * (load - 1);
    }
    stats.cv = std::sqrt(squares / static_cast<double>(experts));
    const auto noise = static_cast<double>(random.uniform(static_cast<std::uint64_t>(step)));
    stats.unrouted = 0.02 * (layer + 1) + 0.10 * std::exp(-4 * progress) + 0.01 * noise;
    stats.dropped = 0.15 * std::exp(-3 * progress) + 0.01 * noise;
    stats.entropy = 0.95 - 0.3 * progress - 0.05 * layer + 0.02 * noise;
    stats.combineSum = 1 - stats.unrouted;
    return stats;
}

}  // namespace

std::vector<core::Event> recordedEvents(const RecordedRun& run) {
    const core::CounterRandom random(7);
    const core::ScheduleSpec schedule{
        core::ScheduleKind::Cosine, 1e-3, run.steps / 10, 0, 1, 0, 0.05};
    std::vector<core::Event> events;
    double time = kStart;
    const auto add = [&](std::int64_t step, auto what) { events.push_back({time, step, what}); };
    core::HelloEvent hello;
    hello.program = "upcycle";
    hello.device = "cpu";
    hello.deviceReason = "no GPU was found";
    hello.dtype = "f32";
    hello.threads = 2;
    hello.model = "/models/dense";
    hello.parameters = 2'500'000;
    hello.steps = run.steps;
    add(0, hello);
    add(0, core::StateEvent{"running"});
    for (std::int64_t step = 1; step <= run.done; ++step) {
        time += run.secondsPerStep;
        const double progress = static_cast<double>(step) / static_cast<double>(run.steps);
        const auto index = static_cast<std::uint64_t>(step);
        core::StepEvent one;
        one.loss =
            0.32 + 1.6 * std::exp(-5 * progress) + 0.06 * static_cast<double>(random.normal(index));
        one.lr = core::learningRate(schedule, step - 1, run.steps);
        one.gradNorm = 0.8 + 1.5 * std::exp(-6 * progress) +
                       0.2 * static_cast<double>(random.uniform(index + 10'000'000));
        one.examples = 128;
        one.tokens = 128 * 50;
        one.seconds = run.secondsPerStep *
                      (1 + 0.1 * static_cast<double>(random.uniform(index + 20'000'000)));
        add(step, one);
        if (step % run.routerEvery == 0) {
            for (int layer = 0; layer < run.layers + run.decoderLayers; ++layer) {
                add(step, core::RouterEvent{routerAt(run, layer, step), run.experts});
            }
        }
        if (step == run.steps / 2) {
            const std::string block = blockOf(run, run.layers + run.decoderLayers - 1);
            add(step, core::AlarmEvent{"dead-expert", block,
                                       block + ": expert 2 got no token in 50 observations"});
        }
        if (run.samples > 0 && step % (run.steps / run.samples) == 0)
            add(step, sampleAt(static_cast<int>(step * run.samples / run.steps) - 1, run.samples));
        if (step % run.evalEvery == 0) {
            core::EvalEvent eval;
            eval.split = "validation";
            eval.loss = 0.36 + 1.5 * std::exp(-5 * progress);
            if (run.decoderLayers == 0) eval.accuracy = 0.89 - 0.5 * std::exp(-6 * progress);
            add(step, eval);
            add(step, core::CheckpointEvent{"checkpoints/step-" + std::to_string(step)});
        }
    }
    if (!run.end.empty()) add(run.done, core::DoneEvent{run.end, 0});
    return events;
}

std::string asLines(const std::vector<core::Event>& events) {
    std::string text;
    for (const core::Event& event : events) text += core::toJsonLine(event) + "\n";
    return text;
}

void writeRun(const core::Path& folder, const RecordedRun& run) {
    std::filesystem::create_directories(folder / "checkpoints");
    core::JobSpec job;
    job.model = "/models/" + run.name;
    job.objective = run.objective;
    job.data = core::isOfTexts(run.objective) ? "synthetic:tokens,vocab=1000"
                                              : "synthetic:images=28x28x1,classes=10";
    job.trainer.steps = run.steps;
    core::SurgeryPlan plan;
    for (int layer = 0; layer < run.layers + run.decoderLayers; ++layer) {
        core::LayerPlan entry;
        entry.moe.experts = run.experts;
        entry.moe.router = core::RouterKind::TopK;
        if (run.decoderLayers > 0 && layer < run.layers)
            entry.moe.router = core::RouterKind::ExpertChoice;
        plan.layers[blockOf(run, layer)] = entry;
    }
    if (run.layers > 0) job.plan = plan;
    core::writeTextFile(folder / "job.json", core::toJson(job));
    core::writeTextFile(folder / "events.jsonl", asLines(recordedEvents(run)));
}

}  // namespace ui::testing
