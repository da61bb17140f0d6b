// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/device_query.h"

#include "ui/runs/trainer_process.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>

namespace ui {

QString deviceText(const QString& name) {
    return name == QStringLiteral("cpu") ? QStringLiteral("CPU") : name;
}

DeviceEntries devicesFromJson(const QByteArray& json) {
    const QJsonArray devices =
        QJsonDocument::fromJson(json).object().value(QStringLiteral("devices")).toArray();
    DeviceEntries entries;
    QString chosen;
    for (const auto& value : devices) {
        const QJsonObject device = value.toObject();
        const QString name = device.value(QStringLiteral("name")).toString();
        if (name.isEmpty() || !device.value(QStringLiteral("usable")).toBool()) continue;
        const QString what = device.value(QStringLiteral("description")).toString();
        entries.emplace_back(name, what.isEmpty()
                                       ? deviceText(name)
                                       : deviceText(name) + QStringLiteral(" · ") + what);
        if (device.value(QStringLiteral("chosen")).toBool()) chosen = name;
    }
    if (entries.empty()) return entries;
    const QString automatic =
        chosen.isEmpty()
            ? QCoreApplication::translate("ui::Devices", "Automatic")
            : QCoreApplication::translate("ui::Devices", "Automatic (%1)").arg(deviceText(chosen));
    entries.insert(entries.begin(), {QStringLiteral("auto"), automatic});
    return entries;
}

void queryDevices(QObject* context, std::function<void(DeviceEntries)> done) {
    auto* process = new QProcess(context);
    QObject::connect(process, &QProcess::finished, context,
                     [process, done = std::move(done)](int, QProcess::ExitStatus status) {
                         process->deleteLater();
                         if (status != QProcess::NormalExit) return;
                         DeviceEntries entries = devicesFromJson(process->readAllStandardOutput());
                         if (!entries.empty()) done(std::move(entries));
                     });
    QObject::connect(process, &QProcess::errorOccurred, process,
                     [process](QProcess::ProcessError e) {
                         if (e == QProcess::FailedToStart) process->deleteLater();
                     });
    QObject::connect(context, &QObject::destroyed, process, [process, context] {
        process->disconnect(context);
        process->kill();
        process->waitForFinished(1000);
    });
    process->start(TrainerProcess::program(),
                   {QStringLiteral("devices"), QStringLiteral("--json")});
}

}  // namespace ui
