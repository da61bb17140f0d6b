// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_stats.h"

#include <QAbstractTableModel>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace ui {

/// Some tensors of a checkpoint as a table: name, shape, type, size and, where they are known,
/// statistics. What all names begin with is left away and said once, by `prefix`.
class TensorModel : public QAbstractTableModel {
    Q_OBJECT

  public:
    enum Column { Name, Shape, Type, Size, Min, Max, Mean, Std, Zeros, NonFinite, ColumnCount };
    /// Sorts sizes by bytes, shapes by elements and statistics by value, unknown ones last.
    static constexpr int kSortRole = Qt::UserRole;
    static constexpr int kWholeNameRole = Qt::UserRole + 1;

    /// The statistics of a tensor of the checkpoint; nullptr while they are not known.
    using FindStats = std::function<const core::TensorStats*(std::size_t tensor)>;

    explicit TensorModel(QObject* parent);
    void setStats(FindStats find) { find_ = std::move(find); }
    /// The statistics of these tensors of the checkpoint are others.
    void statsChanged(const std::vector<std::size_t>& tensors);

    /// `indices` into the checkpoint's tensors, ascending, one a row.
    void setTensors(std::shared_ptr<const core::Checkpoint> checkpoint,
                    std::vector<std::size_t> indices);
    std::size_t tensorIndex(int row) const { return indices_[static_cast<std::size_t>(row)]; }
    const core::TensorInfo& tensor(int row) const;
    /// "vit.encoder.layer.3."; empty where names have no part in common.
    QString prefix() const;
    /// The type that all have; empty where they differ or there are none.
    std::optional<core::DType> commonType() const;
    /// Of the names as they are shown, those that may be the widest: the longest few.
    QStringList longestNames() const;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    const core::TensorStats* stats(int row) const;

    std::shared_ptr<const core::Checkpoint> checkpoint_;
    FindStats find_;
    std::vector<std::size_t> indices_;
    std::size_t prefix_ = 0;  ///< bytes of every name
};

/// "96 × 384", "scalar".
QString shapeText(const core::Shape& shape);

/// Three significant digits.
QString realText(double value);

/// "0", "0.12 %", "100 %".
QString shareText(std::uint64_t part, std::uint64_t whole);

/// A name or text from a file as it may be shown: no control characters, bounded.
QString printableText(std::string_view text);

}  // namespace ui
