// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/plan.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace core {
namespace {

constexpr double kMostNoise = 1000;

/// The finite number after "name:", in [least, most].
std::optional<double> amountAfter(std::string_view text, std::string_view name, double least,
                                  double most) noexcept {
    if (!text.starts_with(name) || text.size() <= name.size() || text[name.size()] != ':')
        return std::nullopt;
    const std::string_view number = text.substr(name.size() + 1);
    double value = 0;
    const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (code != std::errc() || end != number.data() + number.size() || !std::isfinite(value) ||
        value < least || value > most)
        return std::nullopt;
    return value;
}

}  // namespace

std::string toString(const ExpertInit& init) {
    switch (init.kind) {
        case ExpertInit::Kind::Copy:
            return "copy";
        case ExpertInit::Kind::Noise:
            return fmt::format("noise:{}", init.amount);
        case ExpertInit::Kind::Drop:
            return fmt::format("drop:{}", init.amount);
        case ExpertInit::Kind::Random:
            return "random";
    }
    return {};
}

std::optional<ExpertInit> expertInitFromText(std::string_view text) noexcept {
    if (text == "copy") return ExpertInit{};
    if (text == "random") return ExpertInit{ExpertInit::Kind::Random, 0};
    if (const auto sigma = amountAfter(text, "noise", 0, kMostNoise))
        return ExpertInit{ExpertInit::Kind::Noise, *sigma};
    if (const auto ratio = amountAfter(text, "drop", 0, 1))
        return ExpertInit{ExpertInit::Kind::Drop, *ratio};
    return std::nullopt;
}

std::string toString(const RouterInit& init) {
    switch (init.kind) {
        case RouterInit::Kind::Normal:
            return fmt::format("normal:{}", init.std);
        case RouterInit::Kind::Lecun:
            return "lecun";
        case RouterInit::Kind::Zero:
            return "zero";
    }
    return {};
}

std::optional<RouterInit> routerInitFromText(std::string_view text) noexcept {
    if (text == "lecun") return RouterInit{RouterInit::Kind::Lecun, 0};
    if (text == "zero") return RouterInit{RouterInit::Kind::Zero, 0};
    if (const auto std = amountAfter(text, "normal", 0, kMostNoise))
        return RouterInit{RouterInit::Kind::Normal, *std};
    return std::nullopt;
}

}  // namespace core
