// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/file.h"
#include "core/run/run_directory.h"

#include <QDateTime>
#include <QString>

#include <cstdint>
#include <optional>
#include <vector>

namespace ui {

/// One run as a row of the table.
struct RunSummary {
    QString path;
    QString name;   ///< of its folder
    QString model;  ///< last part of the job's model
    QString data;
    QString experts;  ///< "3 × 8": MoE layers of the plan and experts in each; empty when dense
    core::RunStatus status;
    QDateTime started;
    /// Empty unless the run cannot be read: then why, and the rest is empty but path and name.
    QString problem;
};

/// What one step costs, where it is known.
struct RunCost {
    std::optional<double> flopsPerToken;  ///< forward
    std::optional<double> denseFlops;     ///< of the whole dense training that it continues
};

/// Reads the end of the run's events: not for the GUI thread. Never throws: a run that cannot be
/// read says so in `problem`.
RunSummary summarizeRun(const core::Path& run);

/// Every run directly inside `folder` (or the folder itself when it is a run), by name.
std::vector<RunSummary> scanRuns(const core::Path& folder);

/// From the headers of the run's oldest whole checkpoint; empty values where something is missing.
RunCost costOfRun(const core::Path& run);

}  // namespace ui
