// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compare/run_table_model.h"

#include "ui/charts/ticks.h"
#include "ui/theme/theme.h"
#include "ui/train/phase_pill.h"

#include <QLocale>

#include <algorithm>

namespace ui {
namespace {

constexpr int kColors = 8;

bool sameRuns(const std::vector<RunSummary>& a, const std::vector<RunSummary>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const RunSummary& x, const RunSummary& y) { return x.path == y.path; });
}

QString percent(double share) {
    return QLocale().toString(share * 100, 'f', 2) + QStringLiteral(" %");
}

}  // namespace

RunTableModel::RunTableModel(QObject* parent) : QAbstractTableModel(parent) {}

void RunTableModel::setRuns(std::vector<RunSummary> runs) {
    if (sameRuns(runs, runs_)) {
        runs_ = std::move(runs);
        if (!runs_.empty()) {
            Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
        }
        return;
    }
    beginResetModel();
    runs_ = std::move(runs);
    const qsizetype before = chosen_.size();
    chosen_.removeIf([this](const QString& path) {
        return std::none_of(runs_.begin(), runs_.end(),
                            [&path](const RunSummary& run) { return run.path == path; });
    });
    colors_.removeIf([this](auto entry) { return !chosen_.contains(entry.key()); });
    endResetModel();
    if (chosen_.size() != before) Q_EMIT chosenChanged();
}

int RunTableModel::freeColor() const {
    for (int color = 0; color < kColors; ++color) {
        if (!colors_.values().contains(color)) return color;
    }
    return static_cast<int>(chosen_.size()) % kColors;
}

void RunTableModel::choose(const QString& path, bool on) {
    if (chosen_.contains(path) == on) return;
    if (on) {
        colors_[path] = freeColor();
        chosen_ << path;
    } else {
        chosen_.removeOne(path);
        colors_.remove(path);
    }
    for (int row = 0; row < rowCount(); ++row) {
        if (runs_[static_cast<std::size_t>(row)].path != path) continue;
        Q_EMIT dataChanged(index(row, Name), index(row, Name));
    }
    Q_EMIT chosenChanged();
}

int RunTableModel::colorOf(const QString& path) const { return colors_.value(path, -1); }

int RunTableModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(runs_.size());
}

int RunTableModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant RunTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const RunSummary& run = runs_[static_cast<std::size_t>(index.row())];
    const int column = index.column();
    switch (role) {
        case Qt::DisplayRole:
            return display(run, column);
        case SortRole:
            return sortKey(run, column);
        case PathRole:
            return run.path;
        case Qt::ToolTipRole:
            if (!run.problem.isEmpty()) return run.problem;
            return column == Name ? run.path : column == Model ? run.data : QVariant();
        case Qt::TextAlignmentRole:
            if (column == Step || column == Loss || column == Accuracy) {
                return QVariant(Qt::AlignRight | Qt::AlignVCenter);
            }
            return {};
        case Qt::CheckStateRole:
            if (column != Name || !run.problem.isEmpty()) return {};
            return chosen_.contains(run.path) ? Qt::Checked : Qt::Unchecked;
        case Qt::DecorationRole:
            if (column != Name || colorOf(run.path) < 0) return {};
            return tokens().series[static_cast<std::size_t>(colorOf(run.path))];
        default:
            return {};
    }
}

QVariant RunTableModel::display(const RunSummary& run, int column) const {
    if (column == Name) return run.name;
    if (!run.problem.isEmpty()) return column == State ? tr("Unreadable") : QVariant();
    const core::RunStatus& status = run.status;
    switch (column) {
        case Model:
            return run.model;
        case State:
            return phaseText(status.phase);
        case Step:
            return tr("%1 / %2").arg(QLocale().toString(static_cast<qlonglong>(status.step)),
                                     QLocale().toString(static_cast<qlonglong>(status.steps)));
        case Loss:
            return status.loss ? valueText(*status.loss) : QString();
        case Accuracy:
            return status.accuracy ? percent(*status.accuracy) : QString();
        case Experts:
            return run.experts.isEmpty() ? tr("dense") : run.experts;
        case Date:
            return QLocale().toString(run.started, QLocale::ShortFormat);
        default:
            return {};
    }
}

QVariant RunTableModel::sortKey(const RunSummary& run, int column) const {
    switch (column) {
        case Step:
            return static_cast<qlonglong>(run.status.step);
        case Loss:
            return run.status.loss ? QVariant(*run.status.loss) : QVariant();
        case Accuracy:
            return run.status.accuracy ? QVariant(*run.status.accuracy) : QVariant();
        case Date:
            return run.started;
        default:
            return display(run, column);
    }
}

bool RunTableModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (!index.isValid() || index.column() != Name || role != Qt::CheckStateRole) return false;
    const RunSummary& run = runs_[static_cast<std::size_t>(index.row())];
    if (!run.problem.isEmpty()) return false;
    choose(QString(run.path), value.toInt() == Qt::Checked);
    return true;
}

QVariant RunTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    const bool right = section == Step || section == Loss || section == Accuracy;
    if (role == Qt::TextAlignmentRole) {
        return QVariant((right ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    }
    if (role != Qt::DisplayRole) return {};
    switch (section) {
        case Name:
            return tr("Run");
        case Model:
            return tr("Model");
        case State:
            return tr("State");
        case Step:
            return tr("Steps");
        case Loss:
            return tr("Loss");
        case Accuracy:
            return tr("Accuracy");
        case Experts:
            return tr("MoE layers × experts");
        case Date:
            return tr("Created");
        default:
            return {};
    }
}

Qt::ItemFlags RunTableModel::flags(const QModelIndex& index) const {
    Qt::ItemFlags flags = QAbstractTableModel::flags(index);
    if (!index.isValid()) return flags;
    const bool readable = runs_[static_cast<std::size_t>(index.row())].problem.isEmpty();
    if (index.column() == Name && readable) flags |= Qt::ItemIsUserCheckable;
    return flags;
}

}  // namespace ui
