// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/runs/alarm_model.h"

#include <QCoreApplication>
#include <QLocale>

namespace ui {

QString alarmTitle(const std::string& kind) {
    if (kind == "dead-expert") return QCoreApplication::translate("ui::Alarm", "Dead expert");
    if (kind == "collapse") return QCoreApplication::translate("ui::Alarm", "Router collapse");
    if (kind == "non-finite")
        return QCoreApplication::translate("ui::Alarm", "Not a finite number");
    if (kind == "checkpoint") return QCoreApplication::translate("ui::Alarm", "Damaged checkpoint");
    return QString::fromStdString(kind);
}

AlarmModel::AlarmModel(QObject* parent) : QAbstractListModel(parent) {}

void AlarmModel::setAlarms(const std::vector<RunMetrics::Alarm>& alarms) {
    const auto same = [](const RunMetrics::Alarm& a, const RunMetrics::Alarm& b) {
        return a.time == b.time && a.step == b.step && a.kind == b.kind && a.block == b.block &&
               a.message == b.message;
    };
    const bool grown = alarms.size() >= alarms_.size() &&
                       std::equal(alarms_.begin(), alarms_.end(), alarms.begin(), same);
    if (!grown) {
        beginResetModel();
        alarms_ = alarms;
        endResetModel();
        return;
    }
    if (alarms.size() == alarms_.size()) return;
    beginInsertRows({}, 0, static_cast<int>(alarms.size() - alarms_.size()) - 1);
    alarms_ = alarms;
    endInsertRows();
}

int AlarmModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(alarms_.size());
}

QVariant AlarmModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount()) return {};
    const RunMetrics::Alarm& alarm =
        alarms_[alarms_.size() - 1 - static_cast<std::size_t>(index.row())];
    switch (role) {
        case Qt::DisplayRole:
            return tr("%1: %2").arg(alarmTitle(alarm.kind), QString::fromStdString(alarm.message));
        case Qt::ToolTipRole:
            return tr("Step %1: %2")
                .arg(QLocale().toString(static_cast<qlonglong>(alarm.step)),
                     QString::fromStdString(alarm.message));
        case StepRole:
            return static_cast<qlonglong>(alarm.step);
        case BlockRole:
            return QString::fromStdString(alarm.block);
        case KindRole:
            return QString::fromStdString(alarm.kind);
        default:
            return {};
    }
}

}  // namespace ui
