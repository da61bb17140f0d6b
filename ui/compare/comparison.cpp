// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compare/comparison.h"

#include "ui/models/cell.h"

#include <QCoreApplication>

#include <algorithm>

namespace ui {
namespace {

constexpr double kBackwardFactor = 3;  // forward once, backward twice its products

QString tr(const char* text) { return QCoreApplication::translate("ui::Comparison", text); }

/// Value of a cumulative series at the last point not after `step`; 0 before the first.
double cumulativeAt(const Series& series, double step) {
    const auto after = std::upper_bound(series.x().begin(), series.x().end(), step);
    if (after == series.x().begin()) return 0;
    return series.y()[static_cast<std::size_t>(after - series.x().begin() - 1)];
}

}  // namespace

QString axisName(ComparisonAxis axis) {
    switch (axis) {
        case ComparisonAxis::Step:
            return tr("step");
        case ComparisonAxis::Images:
            return tr("examples");
        case ComparisonAxis::Hours:
            return tr("hours");
        case ComparisonAxis::Flops:
            return tr("FLOPs");
        case ComparisonAxis::ExtraCost:
            break;
    }
    return tr("extra %");
}

SeriesPtr seriesOver(const RunMetrics& metrics, const std::string& name, ComparisonAxis axis,
                     const RunCost& cost) {
    const SeriesPtr values = metrics.find(name);
    if (values == nullptr || values->empty() || axis == ComparisonAxis::Step) return values;
    const char* along = axis == ComparisonAxis::Images  ? metric::kExamples
                        : axis == ComparisonAxis::Hours ? metric::kSeconds
                                                        : metric::kTokens;
    const SeriesPtr progress = metrics.find(along);
    if (progress == nullptr) return nullptr;
    double scale = axis == ComparisonAxis::Hours ? 1 / 3600.0 : 1;
    if (axis == ComparisonAxis::Flops || axis == ComparisonAxis::ExtraCost) {
        if (!cost.flopsPerToken) return nullptr;
        scale = kBackwardFactor * *cost.flopsPerToken;
    }
    if (axis == ComparisonAxis::ExtraCost) {
        if (!cost.denseFlops || !(*cost.denseFlops > 0)) return nullptr;
        scale *= 100 / *cost.denseFlops;
    }
    auto result = std::make_shared<Series>();
    for (std::size_t i = 0; i < values->size(); ++i) {
        const double x = cumulativeAt(*progress, values->x()[i]) * scale;
        result->append(result->empty() ? x : std::max(x, result->x().back()), values->y()[i]);
    }
    return result;
}

std::vector<ComparedMetric> comparedMetrics() {
    const auto all = [](const char* quantity) {
        return metric::router(metric::kAllBlocks, quantity);
    };
    return {{metric::kLoss, tr("Training loss"), false},
            {metric::eval("validation", "loss"), tr("Validation loss"), false},
            {metric::eval("validation", "accuracy"), tr("Validation accuracy"), true},
            {metric::eval("test", "loss"), tr("Test loss"), false},
            {metric::eval("test", "accuracy"), tr("Test accuracy"), true},
            {all("unrouted"), tr("Unrouted tokens"), true},
            {all("dropped"), tr("Dropped tokens"), true},
            {all("entropy"), tr("Router entropy"), false},
            {metric::kLearningRate, tr("Learning rate"), false},
            {metric::kGradientNorm, tr("Gradient norm"), false},
            {metric::kTokenThroughput, tr("Tokens per second"), false},
            {metric::kThroughput, tr("Examples per second"), false}};
}

std::vector<ComparedMetric> comparedMetricsOf(const std::vector<std::string>& stacks) {
    std::vector<ComparedMetric> metrics;
    if (stacks.size() < 2) return metrics;
    for (const std::string& stack : stacks) {
        const auto add = [&](const char* quantity, const QString& title, bool percent) {
            metrics.push_back({metric::router(metric::allOf(stack), quantity),
                               QStringLiteral("%1 · %2").arg(title, stackName(stack)), percent});
        };
        add("unrouted", tr("Unrouted tokens"), true);
        add("dropped", tr("Dropped tokens"), true);
        add("entropy", tr("Router entropy"), false);
    }
    return metrics;
}

}  // namespace ui
