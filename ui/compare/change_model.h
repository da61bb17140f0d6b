// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/surgery/diff.h"

#include <QAbstractTableModel>

#include <vector>

namespace ui {

/// The tensors in which two checkpoints differ: what happened, to which, and by how much.
class ChangeModel : public QAbstractTableModel {
    Q_OBJECT

  public:
    enum Column { Kind, Name, Detail, Largest, Relative, ColumnCount };
    /// Sorts differences by value, tensors that have none last, and kinds by their order.
    static constexpr int kSortRole = Qt::UserRole;
    /// Kind and name in one text, for the filter.
    static constexpr int kFilterRole = Qt::UserRole + 1;

    explicit ChangeModel(QObject* parent);
    void setChanges(std::vector<core::TensorChange> changes);
    const std::vector<core::TensorChange>& changes() const { return changes_; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    std::vector<core::TensorChange> changes_;
};

/// "Added", "Removed", ... in the person's language.
QString changeText(core::TensorChange::Kind kind);

}  // namespace ui
