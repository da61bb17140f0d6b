// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/error.h"
#include "core/run/job_spec.h"

#include <QString>
#include <QStringList>

namespace ui {

/// What is wrong with a job, and which field of the form it belongs to.
struct JobVerdict {
    bool ok = true;
    QString key;  ///< of job.json, or "run"; empty: of the job as a whole
    QString message;
    QString hint;
    QStringList warnings;
};

/// core::checkJob against the real files, and whether a run can be made at `run`. Reads headers and
/// data: not for the GUI thread.
JobVerdict judgeJob(const core::JobSpec& job, const core::Path& run);

/// The key of job.json that an error of checkJob is about; empty when it is about no single one.
QString keyOfProblem(const core::JobSpec& job, const core::Path& run, core::ErrorKind kind,
                     const QString& message);

}  // namespace ui
