// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/runs/trainer_process.h"

#include "core/base/error.h"

#include <QCoreApplication>
#include <QFile>
#include <QFileInfo>
#include <QProcess>

#include <csignal>

namespace ui {
namespace {

constexpr qint64 kLogTail = 64 << 10;

/// A process whose parent does not wait stays a zombie: it exists, but it is dead.
bool isZombie(std::int64_t pid) {
    QFile stat(QStringLiteral("/proc/%1/stat").arg(pid));
    if (!stat.open(QIODevice::ReadOnly)) return false;
    const QByteArray line = stat.readAll();
    const qsizetype state = line.lastIndexOf(')') + 2;
    return state < line.size() && line[state] == 'Z';
}

}  // namespace

QString TrainerProcess::program() {
    return QCoreApplication::applicationDirPath() + QStringLiteral("/upcycle");
}

TrainerProcess::TrainerProcess(const core::Path& run) : log_(run / "trainer.log") {
    if (!QFileInfo(program()).isExecutable()) {
        throw core::Error(core::ErrorKind::BadInput,
                          program().toStdString() + ": the trainer is not there",
                          "Install upcycle beside upcycler; both are built together.");
    }
    logBegin_ = static_cast<std::uint64_t>(QFileInfo(QString::fromStdString(log_.string())).size());
    const QString folder = QString::fromStdString(std::filesystem::absolute(run).string());
    QProcess process;
    process.setProgram(program());
    process.setArguments({QStringLiteral("train"), folder});
    process.setWorkingDirectory(folder);
    process.setStandardInputFile(QProcess::nullDevice());
    process.setStandardOutputFile(QProcess::nullDevice());
    process.setStandardErrorFile(QString::fromStdString(log_.string()), QIODevice::Append);
    qint64 pid = 0;
    if (!process.startDetached(&pid)) {
        throw core::Error(core::ErrorKind::Internal,
                          program().toStdString() + ": " + process.errorString().toStdString(),
                          "Check that the program may be executed and the run folder be written.");
    }
    pid_ = pid;
}

bool TrainerProcess::isRunning() const {
    return kill(static_cast<pid_t>(pid_), 0) == 0 && !isZombie(pid_);
}

std::optional<TrainerProcess::LastWords> TrainerProcess::lastWords() const {
    QFile log(QString::fromStdString(log_.string()));
    if (!log.open(QIODevice::ReadOnly)) return std::nullopt;
    log.seek(std::max(static_cast<qint64>(logBegin_), log.size() - kLogTail));
    std::optional<LastWords> words;
    for (const QByteArray& line : log.readAll().split('\n')) {
        if (line.startsWith("upcycle: ")) words = LastWords{line.mid(9).toStdString(), {}};
        if (line.startsWith("hint: ") && words) words->hint = line.mid(6).toStdString();
    }
    return words;
}

}  // namespace ui
