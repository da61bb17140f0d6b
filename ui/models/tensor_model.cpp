// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/tensor_model.h"

#include "core/base/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/copy_table.h"

#include <QLocale>
#include <QStringList>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace ui {
namespace {

constexpr std::size_t kLongestName = 400;

/// Bytes of what all names begin with, up to and with a dot; 0 for a single tensor.
std::size_t commonPrefix(const core::Checkpoint& checkpoint,
                         const std::vector<std::size_t>& indices) {
    if (indices.size() < 2) return 0;
    const std::string& first = checkpoint.tensors()[indices.front()].name;
    std::size_t same = first.size();
    for (const std::size_t index : indices) {
        const std::string& name = checkpoint.tensors()[index].name;
        const auto differ = std::mismatch(first.begin(), first.end(), name.begin(), name.end());
        same = std::min(same, static_cast<std::size_t>(differ.first - first.begin()));
    }
    if (same == 0) return 0;
    const std::size_t dot = first.rfind('.', same - 1);
    return dot == std::string::npos ? 0 : dot + 1;
}

QString displayText(const core::TensorInfo& tensor, int column, std::size_t prefix) {
    switch (column) {
        case TensorModel::Name:
            return printableText(std::string_view(tensor.name).substr(prefix));
        case TensorModel::Shape:
            return shapeText(tensor.shape);
        case TensorModel::Type: {
            const std::string_view name = core::dtypeName(tensor.dtype);
            return QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size()));
        }
        case TensorModel::Size:
            return QString::fromStdString(core::formatBytes(static_cast<double>(tensor.bytes)));
        default:
            return {};
    }
}

QVariant alignmentOf(int column) {
    return QVariant((column >= TensorModel::Size ? Qt::AlignRight : Qt::AlignLeft) |
                    Qt::AlignVCenter);
}

bool isStatistic(int column) { return column >= TensorModel::Min; }

QString statsText(const core::TensorStats& stats, int column) {
    const auto real = [&](double value) {
        return stats.finite() > 0 ? QLocale().toString(value, 'g', 3) : QStringLiteral("–");
    };
    switch (column) {
        case TensorModel::Min:
            return real(stats.min);
        case TensorModel::Max:
            return real(stats.max);
        case TensorModel::Mean:
            return real(stats.mean);
        case TensorModel::Std:
            return real(stats.std);
        case TensorModel::Zeros:
            return shareText(stats.zeros, stats.count);
        default:
            return QLocale().toString(static_cast<qulonglong>(stats.nonFinite()));
    }
}

double statsValue(const core::TensorStats& stats, int column) {
    switch (column) {
        case TensorModel::Min:
            return stats.min;
        case TensorModel::Max:
            return stats.max;
        case TensorModel::Mean:
            return stats.mean;
        case TensorModel::Std:
            return stats.std;
        case TensorModel::Zeros:
            return stats.count == 0
                       ? 0.0
                       : static_cast<double>(stats.zeros) / static_cast<double>(stats.count);
        default:
            return static_cast<double>(stats.nonFinite());
    }
}

/// For text that other programs read: whole numbers and enough digits.
QString copiedText(const core::TensorInfo& tensor, const core::TensorStats* stats, int column) {
    if (column == TensorModel::Name) return printableText(tensor.name);
    if (column == TensorModel::Size) return QString::number(tensor.bytes);
    if (!isStatistic(column)) return displayText(tensor, column, 0);
    if (stats == nullptr) return {};
    if (column == TensorModel::Zeros) return QString::number(stats->zeros);
    return QString::number(statsValue(*stats, column), 'g', 9);
}

}  // namespace

TensorModel::TensorModel(QObject* parent) : QAbstractTableModel(parent) {}

void TensorModel::setTensors(std::shared_ptr<const core::Checkpoint> checkpoint,
                             std::vector<std::size_t> indices) {
    beginResetModel();
    checkpoint_ = std::move(checkpoint);
    indices_ = std::move(indices);
    prefix_ = checkpoint_ ? commonPrefix(*checkpoint_, indices_) : 0;
    endResetModel();
}

void TensorModel::statsChanged(const std::vector<std::size_t>& tensors) {
    for (const std::size_t tensor : tensors) {
        const auto found = std::lower_bound(indices_.begin(), indices_.end(), tensor);
        if (found == indices_.end() || *found != tensor) continue;
        const int row = static_cast<int>(found - indices_.begin());
        Q_EMIT dataChanged(index(row, Min), index(row, ColumnCount - 1));
    }
}

const core::TensorStats* TensorModel::stats(int row) const {
    return find_ ? find_(tensorIndex(row)) : nullptr;
}

QString TensorModel::prefix() const {
    return prefix_ == 0 ? QString()
                        : printableText(std::string_view(tensor(0).name).substr(0, prefix_));
}

std::optional<core::DType> TensorModel::commonType() const {
    if (indices_.empty()) return {};
    const core::DType first = tensor(0).dtype;
    for (int row = 1; row < rowCount(); ++row)
        if (tensor(row).dtype != first) return {};
    return first;
}

QStringList TensorModel::longestNames() const {
    constexpr std::size_t kFew = 24;
    std::vector<int> rows(indices_.size());
    std::iota(rows.begin(), rows.end(), 0);
    const std::size_t few = std::min(kFew, rows.size());
    std::partial_sort(
        rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(few), rows.end(),
        [this](int a, int b) { return tensor(a).name.size() > tensor(b).name.size(); });
    QStringList names;
    for (std::size_t i = 0; i < few; ++i) names << displayText(tensor(rows[i]), Name, prefix_);
    return names;
}

const core::TensorInfo& TensorModel::tensor(int row) const {
    return checkpoint_->tensors()[tensorIndex(row)];
}

int TensorModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(indices_.size());
}

int TensorModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant TensorModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const core::TensorInfo& info = tensor(index.row());
    const int column = index.column();
    switch (role) {
        case Qt::DisplayRole:
            if (!isStatistic(column)) return displayText(info, column, prefix_);
            return stats(index.row()) == nullptr ? QString()
                                                 : statsText(*stats(index.row()), column);
        case kWholeNameRole:
            return printableText(info.name);
        case CopyTable::kCopyRole:
            return copiedText(info, stats(index.row()), column);
        case Qt::ToolTipRole:
        case Qt::AccessibleTextRole:
            return column == Name ? QVariant(printableText(info.name)) : QVariant();
        case Qt::TextAlignmentRole:
            return alignmentOf(column);
        case Qt::FontRole:
            return isStatistic(column) ? QVariant(textFont(TextRole::Caption)) : QVariant();
        case kSortRole:
            if (column == Size) return QVariant::fromValue<qulonglong>(info.bytes);
            if (column == Shape) return QVariant::fromValue<qlonglong>(info.shape.elements());
            if (!isStatistic(column)) return displayText(info, column, 0);
            return stats(index.row()) == nullptr ? std::numeric_limits<double>::infinity()
                                                 : statsValue(*stats(index.row()), column);
        default:
            return {};
    }
}

QVariant TensorModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole) return alignmentOf(section);
    if (role != Qt::DisplayRole) return {};
    switch (section) {
        case Name:
            return tr("Tensor");
        case Shape:
            return tr("Shape");
        case Type:
            return tr("Type");
        case Size:
            return tr("Size");
        case Min:
            return tr("Min");
        case Max:
            return tr("Max");
        case Mean:
            return tr("Mean");
        case Std:
            return tr("Std");
        case Zeros:
            return tr("Zeros");
        case NonFinite:
            return tr("NaN, ∞");
        default:
            return {};
    }
}

QString shapeText(const core::Shape& shape) {
    QStringList sizes;
    for (const std::int64_t size : shape.sizes()) sizes << QString::number(size);
    return sizes.isEmpty() ? TensorModel::tr("scalar") : sizes.join(QStringLiteral(" × "));
}

QString realText(double value) { return QLocale().toString(value, 'g', 3); }

QString shareText(std::uint64_t part, std::uint64_t whole) {
    if (part == 0 || whole == 0) return QStringLiteral("0");
    const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    return QStringLiteral("%1 %").arg(QLocale().toString(percent, 'g', 3));
}

QString printableText(std::string_view text) {
    return QString::fromStdString(core::printable(text, kLongestName));
}

}  // namespace ui
