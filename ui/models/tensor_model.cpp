// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/tensor_model.h"

#include "core/base/text.h"

#include <QStringList>

#include <algorithm>
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

QString TensorModel::prefix() const {
    return prefix_ == 0 ? QString()
                        : printableText(std::string_view(tensor(0).name).substr(0, prefix_));
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
    switch (role) {
        case Qt::DisplayRole:
            return displayText(info, index.column(), prefix_);
        case kWholeNameRole:
            return printableText(info.name);
        case Qt::ToolTipRole:
        case Qt::AccessibleTextRole:
            return index.column() == Name ? QVariant(printableText(info.name)) : QVariant();
        case Qt::TextAlignmentRole:
            return index.column() == Size ? QVariant(Qt::AlignRight | Qt::AlignVCenter)
                                          : QVariant(Qt::AlignLeft | Qt::AlignVCenter);
        case kSortRole:
            if (index.column() == Size) return QVariant::fromValue<qulonglong>(info.bytes);
            if (index.column() == Shape)
                return QVariant::fromValue<qlonglong>(info.shape.elements());
            return displayText(info, index.column(), 0);
        default:
            return {};
    }
}

QVariant TensorModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole)
        return section == Size ? QVariant(Qt::AlignRight | Qt::AlignVCenter)
                               : QVariant(Qt::AlignLeft | Qt::AlignVCenter);
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
        default:
            return {};
    }
}

QString shapeText(const core::Shape& shape) {
    QStringList sizes;
    for (const std::int64_t size : shape.sizes()) sizes << QString::number(size);
    return sizes.isEmpty() ? TensorModel::tr("scalar") : sizes.join(QStringLiteral(" × "));
}

QString printableText(std::string_view text) {
    return QString::fromStdString(core::printable(text, kLongestName));
}

}  // namespace ui
