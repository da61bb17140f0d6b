// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/run/job_spec.h"

#include <QString>
#include <QStringList>

#include <vector>

namespace ui {

/// The commands that do what the Train button does: plan (when the job has one), new, train. Only
/// what differs from `defaults` (core::defaultJob of the model) is said. Each list is a program and
/// its arguments.
std::vector<QStringList> jobCommands(const core::JobSpec& job, const core::JobSpec& defaults,
                                     const core::Path& run);

/// For a POSIX shell: words quoted where needed, one command a line, joined by "&&".
QString shellText(const std::vector<QStringList>& commands);

}  // namespace ui
