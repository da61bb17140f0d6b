// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QObject>
#include <QString>

#include <functional>
#include <utility>
#include <vector>

namespace ui {

/// Entries of the device choice: the word for job.json and what a person reads.
using DeviceEntries = std::vector<std::pair<QString, QString>>;

/// A device's name as a person reads it: "CPU".
QString deviceText(const QString& name);

/// From the output of `upcycle devices --json`: "auto" first (saying what it takes), then every
/// device that can be used. Empty when it is not such a document.
DeviceEntries devicesFromJson(const QByteArray& json);

/// Asks the trainer program, because this process never loads a GPU library. `done` is called on
/// this thread, unless `context` dies first or the program cannot say.
void queryDevices(QObject* context, std::function<void(DeviceEntries)> done);

}  // namespace ui
