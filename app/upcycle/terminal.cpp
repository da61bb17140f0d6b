// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace upcycle {
namespace {

constexpr std::array<const char*, 9> kLevels{" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                             "\u2585", "\u2586", "\u2587", "\u2588"};

const char* levelOf(double share) {
    const double clamped = std::clamp(share, 0.0, 1.0);
    return kLevels[static_cast<std::size_t>(std::lround(clamped * 8))];
}

}  // namespace

bool isTerminal(int descriptor) {
    const char* kind = std::getenv("TERM");
    return ::isatty(descriptor) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

int terminalColumns(int descriptor) {
    struct winsize size {};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

std::string barText(double done, int width) {
    const int full = static_cast<int>(std::lround(std::clamp(done, 0.0, 1.0) * width));
    std::string text;
    for (int i = 0; i < width; ++i) text += i < full ? "\u2588" : "\u2591";
    return text;
}

std::string levelText(const std::vector<double>& values, double top) {
    std::string text;
    for (const double value : values) {
        const double share = std::isfinite(value) && top > 0 ? value / top : 0;
        text += value > 0 ? levelOf(std::max(share, 0.125)) : kLevels[0];
    }
    return text;
}

std::string sparkline(const std::vector<double>& values, int width) {
    const auto columns =
        std::min<std::size_t>(static_cast<std::size_t>(std::max(width, 1)), values.size());
    std::vector<double> means;
    for (std::size_t column = 0; column < columns; ++column) {
        double sum = 0;
        int count = 0;
        for (std::size_t i = column * values.size() / columns;
             i < (column + 1) * values.size() / columns; ++i)
            if (std::isfinite(values[i])) {
                sum += values[i];
                ++count;
            }
        if (count > 0) means.push_back(sum / count);
    }
    if (means.empty()) return {};
    const auto [least, most] = std::minmax_element(means.begin(), means.end());
    const double span = *most - *least;
    std::string text;
    for (const double mean : means)
        text += levelOf(span > 0 ? 0.125 + 0.875 * (mean - *least) / span : 0.5);
    return text;
}

std::string cutToColumns(std::string_view text, int columns) {
    std::size_t end = 0;
    for (int column = 0; end < text.size(); ++column) {
        if (column == columns) break;
        ++end;
        while (end < text.size() && (static_cast<unsigned char>(text[end]) >> 6U) == 2) ++end;
    }
    return std::string(text.substr(0, end));
}

}  // namespace upcycle
