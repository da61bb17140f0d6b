// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compare/change_model.h"

#include "ui/models/tensor_model.h"
#include "ui/theme/theme.h"
#include "ui/widgets/copy_table.h"

#include <QLocale>

#include <cmath>

namespace ui {
namespace {

using Change = core::TensorChange;

bool hasDifference(const Change& change) {
    return change.kind == Change::Kind::Changed || change.kind == Change::Kind::Retyped;
}

double differenceOf(const Change& change, int column) {
    return column == ChangeModel::Largest ? change.maxDifference : change.relative;
}

QString differenceText(double value) {
    return std::isinf(value) ? QStringLiteral("∞") : QLocale().toString(value, 'g', 3);
}

/// What the kind and the differences do not say already.
QString detailText(const Change& change) {
    return change.kind == Change::Kind::Changed ? QString() : printableText(change.detail);
}

QColor colorOf(Change::Kind kind) {
    switch (kind) {
        case Change::Kind::Added:
            return tokens().success;
        case Change::Kind::Removed:
            return tokens().danger;
        case Change::Kind::Reshaped:
        case Change::Kind::Retyped:
            return tokens().warning;
        case Change::Kind::Changed:
            break;
    }
    return tokens().accentText;
}

QVariant sortValue(const Change& change, int column) {
    switch (column) {
        case ChangeModel::Kind:
            return static_cast<int>(change.kind);
        case ChangeModel::Name:
            return printableText(change.name);
        case ChangeModel::Detail:
            return detailText(change);
        default:
            return hasDifference(change) ? differenceOf(change, column) : -1.0;
    }
}

}  // namespace

QString changeText(Change::Kind kind) {
    switch (kind) {
        case Change::Kind::Added:
            return ChangeModel::tr("Added");
        case Change::Kind::Removed:
            return ChangeModel::tr("Removed");
        case Change::Kind::Reshaped:
            return ChangeModel::tr("Reshaped");
        case Change::Kind::Retyped:
            return ChangeModel::tr("Retyped");
        case Change::Kind::Changed:
            break;
    }
    return ChangeModel::tr("Changed");
}

ChangeModel::ChangeModel(QObject* parent) : QAbstractTableModel(parent) {}

void ChangeModel::setChanges(std::vector<Change> changes) {
    beginResetModel();
    changes_ = std::move(changes);
    endResetModel();
}

int ChangeModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(changes_.size());
}

int ChangeModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant ChangeModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const Change& change = changes_[static_cast<std::size_t>(index.row())];
    const int column = index.column();
    switch (role) {
        case Qt::DisplayRole:
            if (column == Kind) return changeText(change.kind);
            if (column == Name) return printableText(change.name);
            if (column == Detail) return detailText(change);
            return hasDifference(change) ? differenceText(differenceOf(change, column)) : QString();
        case CopyTable::kCopyRole:
            if (column < Largest || !hasDifference(change)) return {};
            return QString::number(differenceOf(change, column), 'g', 9);
        case Qt::ToolTipRole:
            return column == Name ? QVariant(printableText(change.name)) : QVariant();
        case Qt::ForegroundRole:
            return column == Kind ? QVariant(colorOf(change.kind)) : QVariant();
        case Qt::TextAlignmentRole:
            return QVariant((column >= Largest ? Qt::AlignRight : Qt::AlignLeft) |
                            Qt::AlignVCenter);
        case kSortRole:
            return sortValue(change, column);
        case kFilterRole:
            return QString(changeText(change.kind) + QLatin1Char(' ') + printableText(change.name));
        default:
            return {};
    }
}

QVariant ChangeModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant((section >= Largest ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    if (role == Qt::ToolTipRole && section == Largest) return tr("The largest |B − A|");
    if (role == Qt::ToolTipRole && section == Relative)
        return tr("The largest |B − A|, over the largest |A|");
    if (role != Qt::DisplayRole) return {};
    switch (section) {
        case Kind:
            return tr("What");
        case Name:
            return tr("Tensor");
        case Detail:
            return tr("From and to");
        case Largest:
            return tr("Largest");
        case Relative:
            return tr("Relative");
        default:
            return {};
    }
}

}  // namespace ui
