// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compare/cosine_map.h"

#include "ui/theme/theme.h"

#include <QLocale>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

/// The largest of 1 - 1, 1 - 0.5, 1 - 0.2, 1 - 0.1, 1 - 0.05 ... that is not above `least`; -1 for
/// negative cosines.
double floorFor(double least) {
    if (!(least < 1)) return 0;
    if (least < 0) return -1;
    double floor = 0;
    double power = 1;
    for (int decade = 0; decade <= 6; ++decade, power /= 10)
        for (const double step : {1.0, 0.5, 0.2})
            if (1 - step * power <= least) floor = 1 - step * power;
    return floor;
}

QString cosineText(double cosine) {
    return std::isnan(cosine) ? CosineMap::tr("none") : QLocale().toString(cosine, 'f', 5);
}

}  // namespace

CosineMap::CosineMap(QWidget* parent) : CellMap(tr("Experts with each other"), parent) {
    setEmptyText(tr("Neither checkpoint has experts to compare."));
}

void CosineMap::setCosines(const std::optional<core::ExpertCosines>& cosines) {
    cosines_ = cosines;
    setCell(std::nullopt);
    double least = 1;
    if (cosines_) {
        const auto look = [&least](const std::vector<double>& values) {
            for (const double value : values)
                if (!std::isnan(value)) least = std::min(least, value);
        };
        for (const std::vector<double>& row : cosines_->pairwise) look(row);
        look(cosines_->toReference);
    }
    floor_ = floorFor(least);
    setAccessibleDescription({});
    setNote({});
    update();
}

int CosineMap::experts() const {
    return cosines_ ? static_cast<int>(cosines_->pairwise.size()) : 0;
}

bool CosineMap::hasReference() const { return cosines_ && !cosines_->toReference.empty(); }

double CosineMap::value(const Cell& cell) const {
    const auto row = static_cast<std::size_t>(cell.row);
    return cell.column < 0 ? cosines_->toReference[row]
                           : cosines_->pairwise[row][static_cast<std::size_t>(cell.column)];
}

QString CosineMap::cellText(const Cell& cell) const {
    const QString text = cosineText(value(cell));
    if (cell.column >= 0)
        return tr("experts %1 and %2: %3").arg(cell.row).arg(cell.column).arg(text);
    return cosines_->reference == core::ExpertCosines::Reference::Dense
               ? tr("expert %1 and the dense MLP: %2").arg(cell.row).arg(text)
               : tr("expert %1 and the same in A: %2").arg(cell.row).arg(text);
}

QByteArray CosineMap::csv() const {
    QByteArray table = "block,expert,with,cosine\n";
    const auto line = [&](int row, const QByteArray& with, double cosine) {
        table += QByteArray::fromStdString(cosines_->block) + ',' + QByteArray::number(row) + ',' +
                 with + ',' + QByteArray::number(cosine, 'g', 9) + '\n';
    };
    for (int row = 0; row < experts(); ++row) {
        if (hasReference()) line(row, "A", value({row, -1}));
        for (int column = 0; column < experts(); ++column)
            line(row, QByteArray::number(column), value({row, column}));
    }
    return table;
}

std::optional<CosineMap::Cell> CosineMap::cellAt(QPoint position) const {
    if (isEmpty()) return std::nullopt;
    const Geometry g = geometryIn(bodyRect(size()));
    const QPointF at(position);
    const int row =
        static_cast<int>(std::floor((at.y() - g.map.top()) / g.map.height() * g.experts));
    if (row < 0 || row >= g.experts) return std::nullopt;
    if (hasReference() && at.x() >= g.reference.left() && at.x() < g.reference.right())
        return Cell{row, -1};
    const int column =
        static_cast<int>(std::floor((at.x() - g.map.left()) / g.map.width() * g.experts));
    if (column < 0 || column >= g.experts) return std::nullopt;
    return Cell{row, column};
}

CellMap::Range CosineMap::range() const {
    return {experts(), hasReference() ? -1 : 0, experts() - 1};
}

void CosineMap::cellChanged() { setNote(cell() ? cellText(*cell()) : QString()); }

}  // namespace ui
