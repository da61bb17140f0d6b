// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/compare/run_summary.h"

#include <QAbstractTableModel>
#include <QHash>
#include <QStringList>

#include <vector>

namespace ui {

/// The runs of a folder, one a row; the name can be checked to draw the run, and then shows the
/// colour of its curve. Checks survive a new look at the folder.
class RunTableModel : public QAbstractTableModel {
    Q_OBJECT

  public:
    enum Column { Name, Model, State, Step, Loss, Accuracy, Experts, Date, ColumnCount };
    enum Role { PathRole = Qt::UserRole, SortRole };

    explicit RunTableModel(QObject* parent = nullptr);

    /// What the folder holds now: rows that stay keep their place and their check.
    void setRuns(std::vector<RunSummary> runs);
    const std::vector<RunSummary>& runs() const noexcept { return runs_; }
    /// Paths of the checked runs in the order in which they were checked.
    const QStringList& chosen() const noexcept { return chosen_; }
    void choose(const QString& path, bool on);
    /// Index into tokens().series; -1 when it is not checked.
    int colorOf(const QString& path) const;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;

  Q_SIGNALS:
    void chosenChanged();

  private:
    QVariant display(const RunSummary& run, int column) const;
    QVariant sortKey(const RunSummary& run, int column) const;
    int freeColor() const;

    std::vector<RunSummary> runs_;
    QStringList chosen_;
    QHash<QString, int> colors_;
};

}  // namespace ui
