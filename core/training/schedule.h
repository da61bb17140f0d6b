// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace core {

enum class ScheduleKind { Constant, Rsqrt, Cosine, Linear };
std::string_view scheduleName(ScheduleKind kind) noexcept;
std::optional<ScheduleKind> scheduleFromName(std::string_view name) noexcept;

/// Learning rate as a function of the global step t = startStep + step (a continued dense run keeps
/// counting). Constant: lr. Rsqrt: lr / sqrt(max(t, timescale) / timescale) (T5X: peak held until
/// `timescale`, no jump when continued). Cosine and Linear: from lr after the warm-up to
/// lr * finalFraction at the end of the run. All: times min(1, step / warmup) (from 0, over the
/// first steps of *this* run) and times min(1, (steps - step) / cooldown) (to 0, over its last).
struct ScheduleSpec {
    ScheduleKind kind = ScheduleKind::Constant;
    double lr = 1e-3;
    std::int64_t warmup = 0;
    std::int64_t cooldown = 0;
    std::int64_t timescale = 10000;
    std::int64_t startStep = 0;
    double finalFraction = 0;
};

/// Learning rate of optimizer step `step` (from 0) of a run of `steps`.
double learningRate(const ScheduleSpec& schedule, std::int64_t step, std::int64_t steps);

}  // namespace core
