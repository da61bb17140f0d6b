// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/runs/run_metrics.h"

#include <QAbstractListModel>

#include <vector>

namespace ui {

/// The alarms of a run, newest first: what is wrong, where, at which step.
class AlarmModel : public QAbstractListModel {
    Q_OBJECT

  public:
    enum Role { StepRole = Qt::UserRole, BlockRole, KindRole };

    explicit AlarmModel(QObject* parent = nullptr);

    /// Alarms of the run as they are now; rows that stay keep their place.
    void setAlarms(const std::vector<RunMetrics::Alarm>& alarms);

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

  private:
    std::vector<RunMetrics::Alarm> alarms_;  ///< oldest first; row 0 is the last
};

/// "Dead expert", "Collapse": the title of an alarm of that kind.
QString alarmTitle(const std::string& kind);

}  // namespace ui
