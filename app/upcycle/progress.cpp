// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/progress.h"

#include "app/upcycle/terminal.h"
#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace upcycle {
namespace {

constexpr int kStderr = 2;
constexpr int kBarWidth = 24;
constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kLineEvery{3};

void put(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

}  // namespace

Progress::Progress(std::string label)
    : label_(std::move(label)),
      terminal_(isTerminal(kStderr)),
      begin_(Clock::now()),
      last_(begin_) {}

Progress::~Progress() { clear(); }

void Progress::update(double done, double total, const std::string& detail) {
    const Clock::time_point now = Clock::now();
    if (now - last_ < (terminal_ ? Clock::duration(kRedraw) : Clock::duration(kLineEvery))) return;
    last_ = now;
    const double share = total > 0 ? std::clamp(done / total, 0.0, 1.0) : 0;
    const double spent = std::chrono::duration<double>(now - begin_).count();
    std::string text = label_;
    if (total > 0 && terminal_) text.append(" ").append(barText(share, kBarWidth));
    if (total > 0) text += fmt::format(" {:3.0f} %", 100 * share);
    if (share > 0.01) text += fmt::format(", {} left", core::formatDuration(spent / share - spent));
    if (!detail.empty()) text += fmt::format("  {}", detail);
    if (terminal_)
        put(fmt::format("\r{}\x1b[K", cutToColumns(text, terminalColumns(kStderr) - 1)));
    else
        put(text + "\n");
    drawn_ = true;
}

void Progress::clear() {
    if (terminal_ && std::exchange(drawn_, false)) put("\r\x1b[K");
}

}  // namespace upcycle
