// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace core {

/// Losses by step, ascending; what is not finite is left out of the picture.
struct LossCurve {
    std::vector<std::pair<std::int64_t, double>> training;
    std::vector<std::pair<std::int64_t, double>> evaluation;
    std::string evaluationName = "evaluation";
};

/// The first words of every picture of ours: by them an export knows an older one.
constexpr std::string_view kLossPictureMark =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"upcycler-loss\"";

/// An SVG of its own (no script, no font, no link), legible on light and on dark: the mean loss of
/// neighbouring steps with their range, the evaluations as dots, axes with labels. Empty when there
/// is nothing to draw. The same values give the same bytes.
std::string lossPicture(const LossCurve& curve);

}  // namespace core
