// SPDX-License-Identifier: Apache-2.0
#include "core/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace core {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
}

double bodyFactor(const ScheduleSpec& schedule, std::int64_t step, std::int64_t steps) {
    const std::int64_t length = std::max<std::int64_t>(steps - schedule.warmup, 1);
    const double progress = std::clamp(ratio(step - schedule.warmup, length), 0.0, 1.0);
    switch (schedule.kind) {
        case ScheduleKind::Constant:
            return 1.0;
        case ScheduleKind::Rsqrt: {
            const std::int64_t timescale = std::max<std::int64_t>(schedule.timescale, 1);
            return 1.0 / std::sqrt(std::max(ratio(schedule.startStep + step, timescale), 1.0));
        }
        case ScheduleKind::Cosine:
            return schedule.finalFraction + (1.0 - schedule.finalFraction) * 0.5 *
                                                (1.0 + std::cos(std::numbers::pi * progress));
        case ScheduleKind::Linear:
            return 1.0 + (schedule.finalFraction - 1.0) * progress;
    }
    return 1.0;
}

}  // namespace

std::string_view scheduleName(ScheduleKind kind) noexcept {
    switch (kind) {
        case ScheduleKind::Constant:
            return "constant";
        case ScheduleKind::Rsqrt:
            return "rsqrt";
        case ScheduleKind::Cosine:
            return "cosine";
        case ScheduleKind::Linear:
            return "linear";
    }
    return "";
}

std::optional<ScheduleKind> scheduleFromName(std::string_view name) noexcept {
    for (const ScheduleKind kind :
         {ScheduleKind::Constant, ScheduleKind::Rsqrt, ScheduleKind::Cosine, ScheduleKind::Linear})
        if (scheduleName(kind) == name) return kind;
    return std::nullopt;
}

double learningRate(const ScheduleSpec& schedule, std::int64_t step, std::int64_t steps) {
    double lr = schedule.lr * bodyFactor(schedule, step, steps);
    if (step < schedule.warmup) lr *= ratio(step, schedule.warmup);
    if (schedule.cooldown > 0 && step > steps - schedule.cooldown)
        lr *= std::max(ratio(steps - step, schedule.cooldown), 0.0);
    return lr;
}

}  // namespace core
