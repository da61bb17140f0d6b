// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/heat_map.h"

#include "ui/charts/csv_writer.h"
#include "ui/models/cell.h"
#include "ui/theme/theme.h"

#include <QLocale>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

/// "encoder" of "encoder.3"; empty for names without a dot.
QString stackOf(const QString& layer) {
    return layer.left(std::max<qsizetype>(0, layer.lastIndexOf(QLatin1Char('.'))));
}

}  // namespace

double loadPosition(double load, double top) {
    if (load <= 1) return std::max(load, 0.0) / 2;
    return std::min(1.0, 0.5 + (load - 1) / (top - 1) / 2);
}

double loadTop(double highest) {
    double top = 2;
    while (std::isfinite(highest) && top < highest) top *= 2;
    return top;
}

QColor loadColor(double load, double top) {
    return std::isnan(load) ? QColor() : rampColor(loadPosition(load, top));
}

HeatMap::HeatMap(const QString& title, QWidget* parent) : CellMap(title, parent) {}

void HeatMap::setLoads(const QStringList& layers, std::vector<std::vector<double>> loads) {
    layers_ = layers;
    loads_ = std::move(loads);
    groups_.clear();
    for (int row = 0; row < static_cast<int>(layers_.size()); ++row) {
        const QString stack = stackOf(layers_[row]);
        if (groups_.empty() || groups_.back().stack != stack) groups_.push_back({stack, row, 0});
        ++groups_.back().rows;
    }
    updateGeometry();
    for (const std::vector<double>& row : loads_) {
        for (const double load : row) {
            if (std::isfinite(load)) top_ = std::max(top_, loadTop(load));
        }
    }
    if (cell() && (cell()->row >= layers_.size() || cell()->column >= columns())) setCell({});
    update();
}

void HeatMap::resetScale() { top_ = 2; }

int HeatMap::columns() const {
    std::size_t widest = 0;
    for (const std::vector<double>& row : loads_) widest = std::max(widest, row.size());
    return static_cast<int>(widest);
}

QImage HeatMap::image() const {
    QImage cells(std::max(1, columns()), std::max(1, static_cast<int>(loads_.size())),
                 QImage::Format_ARGB32);
    cells.fill(Qt::transparent);
    for (std::size_t row = 0; row < loads_.size(); ++row) {
        for (std::size_t column = 0; column < loads_[row].size(); ++column) {
            const QColor color = loadColor(loads_[row][column], top_);
            if (color.isValid()) {
                cells.setPixelColor(static_cast<int>(column), static_cast<int>(row), color);
            }
        }
    }
    return cells;
}

QStringList HeatMap::groups() const {
    QStringList names;
    if (groups_.size() < 2) return names;
    for (const Group& group : groups_) names << stackName(group.stack.toStdString());
    return names;
}

CellMap::Range HeatMap::range() const {
    return {static_cast<int>(layers_.size()), 0, columns() - 1};
}

QString HeatMap::cellText(const Cell& cell) const {
    const auto [row, column] = cell;
    const std::vector<double>& loads = loads_[static_cast<std::size_t>(row)];
    if (column >= static_cast<int>(loads.size())) {
        return tr("%1 has no expert %2").arg(layers_[row]).arg(column);
    }
    const double load = loads[static_cast<std::size_t>(column)];
    const QString text = tr("%1, expert %2: load %3")
                             .arg(layers_[row])
                             .arg(column)
                             .arg(QLocale().toString(load, 'f', 2));
    return load == 0 ? tr("%1 (no token at all)").arg(text) : text;
}

QByteArray HeatMap::csv() const {
    QByteArray table = "block,expert,load\n";
    for (std::size_t row = 0; row < loads_.size(); ++row) {
        for (std::size_t column = 0; column < loads_[row].size(); ++column) {
            table += csvField(layers_[static_cast<qsizetype>(row)]) + ',' +
                     QByteArray::number(static_cast<qulonglong>(column)) + ',' +
                     csvNumber(loads_[row][column]) + '\n';
        }
    }
    return table;
}

std::optional<HeatMap::Cell> HeatMap::cellAt(QPoint position) const {
    if (isEmpty()) return std::nullopt;
    const Geometry g = geometryIn(bodyRect(size()));
    for (std::size_t i = 0; i < groups_.size(); ++i) {
        const QRectF& map = g.maps[i];
        const QPointF at = QPointF(position) - map.topLeft();
        const int row = static_cast<int>(std::floor(at.y() / g.rowHeight));
        const int column = static_cast<int>(std::floor(at.x() / map.width() * g.columns));
        if (row < 0 || row >= groups_[i].rows || column < 0 || column >= g.columns) continue;
        return Cell{groups_[i].firstRow + row, column};
    }
    return std::nullopt;
}

QRectF HeatMap::cellRect(const Cell& cell) const {
    return cellIn(geometryIn(bodyRect(size())), cell);
}

}  // namespace ui
