// SPDX-License-Identifier: Apache-2.0
#include "core/run/loss_picture.h"

#include "core/base/text.h"
#include "core/run/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace core {
namespace {

using Points = std::vector<std::pair<std::int64_t, double>>;

constexpr double kLeft = 64, kRight = 700, kTop = 34, kBottom = 264;
constexpr std::int64_t kBuckets = 300;
constexpr double kTicks = 5;

constexpr std::string_view kStyle = R"(<style>
text { font: 12px system-ui, sans-serif; fill: #57606a; }
.grid { stroke: #8b949e; stroke-opacity: 0.3; }
.axis { stroke: #8b949e; }
.range { fill: #0969da; fill-opacity: 0.18; }
.mean { stroke: #0969da; fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.key { fill: #0969da; }
.evaluation { fill: #bc4c00; }
@media (prefers-color-scheme: dark) {
text { fill: #a9b3be; }
.range, .key { fill: #58a6ff; }
.mean { stroke: #58a6ff; }
.evaluation { fill: #f0883e; }
}
</style>
)";

/// Neighbouring steps as one point.
struct Bucket {
    double step = 0, sum = 0, least = 0, most = 0;
    double count = 0;
    double mean() const { return sum / count; }
};

/// Whether a point stands for more than one step anywhere.
bool isRange(const std::vector<Bucket>& buckets) {
    return std::any_of(buckets.begin(), buckets.end(),
                       [](const Bucket& bucket) { return bucket.count > 1; });
}

Points finite(const Points& points) {
    Points kept;
    std::copy_if(points.begin(), points.end(), std::back_inserter(kept),
                 [](const auto& point) { return std::isfinite(point.second); });
    return kept;
}

std::vector<Bucket> bucketsOf(const Points& points) {
    std::vector<Bucket> buckets;
    if (points.empty()) return buckets;
    const std::int64_t first = points.front().first;
    const std::int64_t width =
        std::max<std::int64_t>(1, (points.back().first - first + kBuckets) / kBuckets);
    std::int64_t current = -1;
    for (const auto& [step, loss] : points) {
        if (const std::int64_t place = (step - first) / width; place != current) {
            current = place;
            buckets.push_back({0, 0, loss, loss, 0});
        }
        Bucket& bucket = buckets.back();
        bucket.count += 1;
        bucket.step += (static_cast<double>(step) - bucket.step) / bucket.count;
        bucket.sum += loss;
        bucket.least = std::min(bucket.least, loss);
        bucket.most = std::max(bucket.most, loss);
    }
    return buckets;
}

/// 1, 2 or 5 times a power of ten, so that about kTicks of them fill the range.
double tickStep(double range, double least) {
    const double wanted = range / kTicks;
    const double power = std::pow(10.0, std::floor(std::log10(wanted)));
    for (const double factor : {1.0, 2.0, 5.0, 10.0})
        if (factor * power >= wanted) return std::max(least, factor * power);
    return std::max(least, 10 * power);
}

/// Values of one axis on the picture.
struct Axis {
    double low = 0, high = 1;
    double from = 0, to = 1;  ///< places of both in the picture
    double step = 1;

    double at(double value) const {
        return from + (std::clamp(value, low, high) - low) / (high - low) * (to - from);
    }
    std::vector<double> ticks() const {
        std::vector<double> values;
        for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i += 1)
            values.push_back(i * step);
        return values;
    }
};

Axis lossAxis(const std::vector<Bucket>& buckets, const Points& evaluation) {
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    const auto take = [&](double value) {
        low = std::min(low, value);
        high = std::max(high, value);
    };
    for (const Bucket& bucket : buckets) take(bucket.mean());
    for (const auto& [step, loss] : evaluation) take(loss);
    const double margin = std::max((high - low) * 0.06, std::max(std::abs(high) * 1e-3, 1e-6));
    Axis axis{low - margin, high + margin, kBottom, kTop};
    axis.step = tickStep(axis.high - axis.low, 0);
    return axis;
}

Axis stepAxis(const Points& training, const Points& evaluation) {
    std::int64_t low = std::numeric_limits<std::int64_t>::max();
    std::int64_t high = std::numeric_limits<std::int64_t>::min();
    for (const Points* points : {&training, &evaluation})
        if (!points->empty()) {
            low = std::min(low, points->front().first);
            high = std::max(high, points->back().first);
        }
    Axis axis{static_cast<double>(low), static_cast<double>(std::max(high, low + 1)), kLeft,
              kRight};
    axis.step = tickStep(axis.high - axis.low, 1);
    return axis;
}

std::string grouped(double step) { return formatExact(std::llround(step)); }

std::string axes(const Axis& x, const Axis& y) {
    std::string svg;
    const int digits =
        y.step >= 1 ? 0 : static_cast<int>(std::min(9.0, std::ceil(-std::log10(y.step) - 1e-9)));
    for (const double tick : y.ticks())
        svg += fmt::format(
            "<line class=\"grid\" x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>\n"
            "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
            kLeft, y.at(tick), kRight, y.at(tick), kLeft - 8, y.at(tick) + 4,
            y.step >= 1e5 ? fmt::format("{:.3g}", tick) : fmt::format("{:.{}f}", tick, digits));
    for (const double tick : x.ticks())
        svg += fmt::format(
            "<line class=\"axis\" x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\"/>\n"
            "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4}</text>\n",
            x.at(tick), kBottom, kBottom + 5, kBottom + 20, grouped(tick));
    svg += fmt::format("<path class=\"axis\" fill=\"none\" d=\"M{0} {1}V{2}H{3}\"/>\n", kLeft, kTop,
                       kBottom, kRight);
    svg += fmt::format("<text x=\"{:.0f}\" y=\"{}\" text-anchor=\"middle\">step</text>\n",
                       (kLeft + kRight) / 2, kBottom + 42);
    svg += fmt::format(
        "<text transform=\"translate(16 {:.0f}) rotate(-90)\" text-anchor=\"middle\">loss</text>\n",
        (kTop + kBottom) / 2);
    return svg;
}

std::string trainingLine(const std::vector<Bucket>& buckets, const Axis& x, const Axis& y) {
    if (buckets.empty()) return {};
    std::string upper, lower, mean;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
        const Bucket& up = buckets[i];
        const Bucket& down = buckets[buckets.size() - 1 - i];
        upper += fmt::format("{}{:.1f} {:.1f}", i == 0 ? "M" : "L", x.at(up.step), y.at(up.most));
        lower += fmt::format("L{:.1f} {:.1f}", x.at(down.step), y.at(down.least));
        mean += fmt::format("{}{:.1f} {:.1f}", i == 0 ? "M" : "L", x.at(up.step), y.at(up.mean()));
    }
    if (buckets.size() == 1)
        return fmt::format("<circle class=\"key\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>\n",
                           x.at(buckets[0].step), y.at(buckets[0].mean()));
    const bool range = isRange(buckets);
    return (range ? fmt::format("<path class=\"range\" d=\"{}{}Z\"/>\n", upper, lower) : "") +
           fmt::format("<path class=\"mean\" d=\"{}\"/>\n", mean);
}

std::string evaluationDots(const Points& evaluation, const Axis& x, const Axis& y) {
    std::string svg;
    const std::size_t every = evaluation.size() / static_cast<std::size_t>(kBuckets) + 1;
    for (std::size_t i = (evaluation.size() - 1) % every; i < evaluation.size(); i += every)
        svg +=
            fmt::format("<circle class=\"evaluation\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>\n",
                        x.at(static_cast<double>(evaluation[i].first)), y.at(evaluation[i].second));
    return svg;
}

std::string legend(const std::vector<Bucket>& buckets, bool evaluation,
                   const std::string& evaluationName) {
    std::string svg;
    double x = kLeft;
    const auto entry = [&](const char* kind, const std::string& name) {
        svg += fmt::format(
            "<circle class=\"{}\" cx=\"{:.0f}\" cy=\"18\" r=\"4\"/>\n"
            "<text x=\"{:.0f}\" y=\"22\">{}</text>\n",
            kind, x + 4, x + 14, name);
        x += 160;
    };
    if (!buckets.empty()) entry("key", isRange(buckets) ? "training, mean and range" : "training");
    if (evaluation) entry("evaluation", escapedXml(evaluationName));
    return svg;
}

}  // namespace

std::string lossPicture(const LossCurve& curve) {
    const Points training = finite(curve.training);
    const Points evaluation = finite(curve.evaluation);
    if (training.empty() && evaluation.empty()) return {};
    const std::vector<Bucket> buckets = bucketsOf(training);
    const Axis x = stepAxis(training, evaluation);
    const Axis y = lossAxis(buckets, evaluation);
    const Points& last = evaluation.empty() ? training : evaluation;
    std::string svg(kLossPictureMark);
    svg += " viewBox=\"0 0 720 320\" role=\"img\" aria-labelledby=\"title description\">\n";
    svg += "<title id=\"title\">Loss by step</title>\n";
    svg += fmt::format(
        "<desc id=\"description\">From step {} to step {}; the last value is {:.4g}.</desc>\n",
        grouped(x.low), grouped(x.high), last.back().second);
    svg += kStyle;
    svg += axes(x, y) + trainingLine(buckets, x, y);
    if (!evaluation.empty()) svg += evaluationDots(evaluation, x, y);
    svg += legend(buckets, !evaluation.empty(), curve.evaluationName);
    return svg + "</svg>\n";
}

}  // namespace core
