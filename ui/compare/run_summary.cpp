// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compare/run_summary.h"

#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/spec.h"
#include "core/run/training_state.h"
#include "core/surgery/report.h"

#include <QFileInfo>

#include <algorithm>
#include <system_error>

namespace ui {
namespace {

QString lastPart(const std::string& path) {
    const core::Path whole(path);
    const core::Path name =
        whole.has_filename() ? whole.filename() : whole.parent_path().filename();
    return QString::fromStdString(name.string());
}

QString expertsOf(const core::JobSpec& job) {
    if (!job.plan || job.plan->layers.empty()) return {};
    std::int64_t fewest = job.plan->layers.begin()->second.moe.experts;
    std::int64_t most = fewest;
    for (const auto& [block, layer] : job.plan->layers) {
        fewest = std::min(fewest, layer.moe.experts);
        most = std::max(most, layer.moe.experts);
    }
    const QString each = fewest == most ? QString::number(static_cast<qlonglong>(most))
                                        : QStringLiteral("%1–%2").arg(fewest).arg(most);
    return QStringLiteral("%1 × %2").arg(job.plan->layers.size()).arg(each);
}

}  // namespace

RunSummary summarizeRun(const core::Path& run) {
    RunSummary summary;
    summary.path = QString::fromStdString(run.string());
    summary.name = lastPart(run.string());
    try {
        const core::RunDirectory directory = core::RunDirectory::open(run);
        const core::JobSpec job = directory.job();
        summary.status = directory.status();
        summary.model = lastPart(job.model);
        summary.data = QString::fromStdString(job.data);
        summary.experts = expertsOf(job);
        const QFileInfo file(QString::fromStdString(directory.jobFile().string()));
        summary.started = file.lastModified();
    } catch (const core::Error& error) {
        summary.problem = QString::fromUtf8(error.what());
    }
    return summary;
}

std::vector<RunSummary> scanRuns(const core::Path& folder) {
    if (core::RunDirectory::isRun(folder)) return {summarizeRun(folder)};
    std::vector<core::Path> runs;
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
        if (core::RunDirectory::isRun(entry.path())) runs.push_back(entry.path());
    }
    if (code) {
        throw core::Error(core::ErrorKind::BadInput, folder.string() + ": " + code.message(),
                          "Choose a folder that can be read.");
    }
    std::sort(runs.begin(), runs.end());
    std::vector<RunSummary> summaries;
    for (const core::Path& run : runs) summaries.push_back(summarizeRun(run));
    return summaries;
}

RunCost costOfRun(const core::Path& run) {
    RunCost cost;
    try {
        const core::RunDirectory directory = core::RunDirectory::open(run);
        const std::vector<std::int64_t> steps = directory.checkpoints();
        if (steps.empty()) return cost;
        const core::Path folder = directory.checkpointFolder(steps.front());
        const auto checkpoint = core::Checkpoint::open(folder);
        const core::ModelSpec spec = core::readSpec(*checkpoint);
        cost.flopsPerToken = core::modelCost(spec, checkpoint->tensors()).flopsPerToken;
        const auto state = core::readTrainingState(folder);
        if (state) cost.denseFlops = state->denseFlops;
    } catch (const core::Error&) {
        return cost;  // the axis that needs it says that it is not known
    }
    return cost;
}

}  // namespace ui
