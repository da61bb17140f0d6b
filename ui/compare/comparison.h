// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/compare/run_summary.h"
#include "ui/runs/run_metrics.h"

#include <QString>

#include <string>
#include <vector>

namespace ui {

/// What runs are compared over.
enum class ComparisonAxis { Step, Images, Hours, Flops, ExtraCost };

QString axisName(ComparisonAxis axis);

/// The series `name` of a run over another x: images seen and hours of training are sums of the
/// steps' own; FLOPs = 3 x forward FLOPs per token x tokens (backward counts twice); extra cost =
/// 100 x FLOPs / FLOPs of the dense training. nullptr when the run lacks the series or the cost.
SeriesPtr seriesOver(const RunMetrics& metrics, const std::string& name, ComparisonAxis axis,
                     const RunCost& cost);

/// A quantity that can be compared, with its words.
struct ComparedMetric {
    std::string name;
    QString title;
    bool percent = false;
};
std::vector<ComparedMetric> comparedMetrics();
/// What routers say, stack by stack, for runs whose MoE layers stand in more than one.
std::vector<ComparedMetric> comparedMetricsOf(const std::vector<std::string>& stacks);

}  // namespace ui
