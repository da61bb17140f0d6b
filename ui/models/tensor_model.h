// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <QAbstractTableModel>

#include <memory>
#include <vector>

namespace ui {

/// Some tensors of a checkpoint as a table: name, shape, type, size. What all names begin with is
/// left away and said once, by `prefix`.
class TensorModel : public QAbstractTableModel {
    Q_OBJECT

  public:
    enum Column { Name, Shape, Type, Size, ColumnCount };
    /// Sorts sizes by bytes and shapes by elements.
    static constexpr int kSortRole = Qt::UserRole;
    static constexpr int kWholeNameRole = Qt::UserRole + 1;

    explicit TensorModel(QObject* parent);

    /// `indices` into the checkpoint's tensors, in the order of the rows.
    void setTensors(std::shared_ptr<const core::Checkpoint> checkpoint,
                    std::vector<std::size_t> indices);
    std::size_t tensorIndex(int row) const { return indices_[static_cast<std::size_t>(row)]; }
    const core::TensorInfo& tensor(int row) const;
    /// "vit.encoder.layer.3."; empty where names have no part in common.
    QString prefix() const;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    std::shared_ptr<const core::Checkpoint> checkpoint_;
    std::vector<std::size_t> indices_;
    std::size_t prefix_ = 0;  ///< bytes of every name
};

/// "96 × 384", "scalar".
QString shapeText(const core::Shape& shape);

/// A name or text from a file as it may be shown: no control characters, bounded.
QString printableText(std::string_view text);

}  // namespace ui
