// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/job_verdict.h"

#include <QCoreApplication>
#include <QRegularExpression>

#include <algorithm>
#include <system_error>

namespace ui {
namespace {

JobVerdict problem(const QString& key, const QString& message, const QString& hint = {}) {
    return {false, key, message, hint, {}};
}

/// The folder of a source such as "images:/data/birds", or the source itself.
QString placeOf(const std::string& source) {
    const std::size_t colon = source.find(':');
    return QString::fromStdString(colon == std::string::npos ? source : source.substr(colon + 1));
}

/// The trainer runs in another folder than this program.
bool isRelativeFolder(const std::string& source) {
    if (source.starts_with("synthetic:") || source.find(':') == std::string::npos) return false;
    const QStringList places = source.starts_with("text:") || source.starts_with("jsonl:")
                                   ? placeOf(source).split(QLatin1Char(','))
                                   : QStringList{placeOf(source)};
    return std::any_of(places.begin(), places.end(), [](const QString& place) {
        return core::Path(place.toStdString()).is_relative();
    });
}

bool canBecomeRun(const core::Path& run) {
    std::error_code code;
    if (!std::filesystem::exists(run, code)) return !code;
    return std::filesystem::is_directory(run, code) && std::filesystem::is_empty(run, code) &&
           !code;
}

}  // namespace

QString keyOfProblem(const core::JobSpec& job, const core::Path& run, core::ErrorKind kind,
                     const QString& message) {
    static const QRegularExpression kKey(QStringLiteral("key ([a-z0-9_.]+) is "));
    if (const auto match = kKey.match(message); match.hasMatch()) return match.captured(1);
    static const QRegularExpression kText(QStringLiteral("(text\\.[a-z_]+) is "));
    if (const auto match = kText.match(message); match.hasMatch()) return match.captured(1);
    if (message.contains(QStringLiteral("hidden spans")))
        return QStringLiteral("text.inputs_length");
    if (message.contains(QStringLiteral("tokenizer"))) return QStringLiteral("text.tokenizer");
    const auto names = [&message](const QString& place) {
        return !place.isEmpty() && message.contains(place);
    };
    if (message.contains(QStringLiteral("optimizer.safetensors")) ||
        message.contains(QStringLiteral("carries the moments"))) {
        return QStringLiteral("optimizer_state");
    }
    if (kind == core::ErrorKind::OutOfMemory) return QStringLiteral("batch");
    if (kind == core::ErrorKind::Device) return QStringLiteral("device");
    if (kind == core::ErrorKind::DiskFull || names(QString::fromStdString(run.string()))) {
        return QStringLiteral("run");
    }
    if (names(placeOf(job.data)) || names(QStringLiteral("classes"))) return QStringLiteral("data");
    if (names(QStringLiteral("device"))) return QStringLiteral("device");
    return {};
}

JobVerdict judgeJob(const core::JobSpec& job, const core::Path& run) {
    const auto tr = [](const char* text) {
        return QCoreApplication::translate("ui::JobVerdict", text);
    };
    if (job.data.empty()) {
        return problem(QStringLiteral("data"), job.objective == core::Objective::Classify
                                                   ? tr("Choose the images to train on.")
                                                   : tr("Choose the texts to train on."));
    }
    if (isRelativeFolder(job.data)) {
        return problem(QStringLiteral("data"), tr("Give the whole path, from / on."));
    }
    if (run.is_relative() && !run.empty()) {
        return problem(QStringLiteral("run"), tr("Give the whole path, from / on."));
    }
    if (run.empty()) return problem(QStringLiteral("run"), tr("Choose a folder for the run."));
    try {
        if (!canBecomeRun(run)) {
            return problem(QStringLiteral("run"), tr("This folder exists and is not empty."),
                           tr("Choose a new name; runs are never overwritten."));
        }
        JobVerdict verdict;
        for (const std::string& warning : core::checkJob(job, run)) {
            verdict.warnings << QString::fromStdString(warning);
        }
        return verdict;
    } catch (const core::Error& error) {
        const QString message = QString::fromUtf8(error.what());
        return problem(keyOfProblem(job, run, error.kind(), message), message,
                       QString::fromStdString(error.hint()));
    }
}

}  // namespace ui
