// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/watch_view.h"

#include "app/upcycle/terminal.h"
#include "app/upcycle/train_report.h"
#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace upcycle {
namespace {

constexpr double kFullLoad = 2.0;  ///< load drawn at full height: twice its fair share
constexpr int kLabelWidth = 12;

double share(const WatchState& state) {
    return state.steps > 0 ? static_cast<double>(state.step) / static_cast<double>(state.steps) : 0;
}

std::string timeLeft(const WatchState& state) {
    const double perStep = state.secondsPerStep();
    if (state.ended || perStep <= 0) return {};
    return core::formatDuration(perStep * static_cast<double>(state.steps - state.step)) + " left";
}

std::string evalText(const WatchState& state) {
    std::string text = fmt::format("{} loss {:.4f}", state.eval->split, state.eval->loss);
    if (state.eval->accuracy)
        text += fmt::format(", accuracy {:.2f} %", 100 * *state.eval->accuracy);
    return text + fmt::format(" at step {}", state.evalStep);
}

std::string routerText(const core::RouterEvent& router) {
    return fmt::format("{:<{}} {}  cv {:.2f}  unrouted {:.1f} %  dropped {:.1f} %  entropy {:.2f}",
                       core::printable(router.stats.block), kLabelWidth,
                       levelText(router.stats.load, kFullLoad), router.stats.cv,
                       100 * router.stats.unrouted, 100 * router.stats.dropped,
                       router.stats.entropy);
}

}  // namespace

std::vector<std::string> watchLines(const std::string& run, const WatchState& state, int columns) {
    const int width = std::max(columns, 20);
    std::vector<std::string> lines;
    lines.push_back(fmt::format("{}  {}  on {}", run,
                                state.state.empty() ? "starting" : state.state,
                                state.device.empty() ? "?" : state.device));
    lines.push_back(fmt::format("{:<{}} {} {:3.0f} %  step {}/{}  {}", "progress", kLabelWidth,
                                barText(share(state), std::clamp(width - 60, 10, 40)),
                                100 * share(state), state.step, state.steps, timeLeft(state)));
    lines.push_back(fmt::format("{:<{}} {}", "loss", kLabelWidth,
                                sparkline(state.losses, width - kLabelWidth - 2)));
    lines.push_back(fmt::format("{:<{}} loss {:.4f}  lr {:.3g}  gradient {:.3g}  {}", "now",
                                kLabelWidth, state.last.loss, state.last.lr, state.last.gradNorm,
                                throughputText(state.last, state.texts)));
    for (const auto& [block, router] : state.routers) lines.push_back(routerText(router));
    if (state.eval) lines.push_back(fmt::format("{:<{}} {}", "eval", kLabelWidth, evalText(state)));
    for (const std::string& alarm : state.alarms)
        lines.push_back(fmt::format("{:<{}} {}", "warning", kLabelWidth, core::printable(alarm)));
    for (std::string& line : lines) line = cutToColumns(line, width - 1);
    return lines;
}

std::string watchLine(const WatchState& state) {
    std::string line =
        fmt::format("step {}/{}  loss {:.4f}  lr {:.3g}  {}", state.step, state.steps,
                    state.last.loss, state.last.lr, throughputText(state.last, state.texts));
    double worst = 0;
    for (const auto& [block, router] : state.routers) worst = std::max(worst, router.stats.cv);
    if (!state.routers.empty()) line += fmt::format("  worst load cv {:.2f}", worst);
    if (const std::string left = timeLeft(state); !left.empty()) line += "  " + left;
    return line;
}

}  // namespace upcycle
