// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/heat_map.h"

#include "ui/charts/csv_writer.h"
#include "ui/theme/theme.h"

#include <QAccessible>
#include <QKeyEvent>
#include <QMouseEvent>

#include <algorithm>
#include <cmath>

namespace ui {

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
    if (std::isnan(load)) return {};
    const auto& ramp = tokens().ramp;
    const double at = loadPosition(load, top) * static_cast<double>(ramp.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(at), ramp.size() - 2);
    const auto mix = static_cast<float>(at - static_cast<double>(below));
    const QColor& a = ramp[below];
    const QColor& b = ramp[below + 1];
    return QColor::fromRgbF(a.redF() + mix * (b.redF() - a.redF()),
                            a.greenF() + mix * (b.greenF() - a.greenF()),
                            a.blueF() + mix * (b.blueF() - a.blueF()));
}

HeatMap::HeatMap(const QString& title, QWidget* parent) : ChartWidget(title, parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
}

void HeatMap::setLoads(const QStringList& layers, std::vector<std::vector<double>> loads) {
    layers_ = layers;
    loads_ = std::move(loads);
    for (const std::vector<double>& row : loads_) {
        for (const double load : row) {
            if (std::isfinite(load)) top_ = std::max(top_, loadTop(load));
        }
    }
    if (cell_ && (cell_->row >= layers_.size() || cell_->column >= columns())) cell_.reset();
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

QString HeatMap::cellText(int row, int column) const {
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
    const QPointF at = QPointF(position) - g.map.topLeft();
    const Cell cell{static_cast<int>(std::floor(at.y() / g.map.height() * g.rows)),
                    static_cast<int>(std::floor(at.x() / g.map.width() * g.columns))};
    const bool inside =
        cell.row >= 0 && cell.row < g.rows && cell.column >= 0 && cell.column < g.columns;
    return inside ? std::optional(cell) : std::nullopt;
}

void HeatMap::setCell(std::optional<Cell> cell) {
    if (cell == cell_) return;
    cell_ = cell;
    if (cell_) setAccessibleDescription(cellText(cell_->row, cell_->column));
    update();
}

void HeatMap::mouseMoveEvent(QMouseEvent* event) { setCell(cellAt(event->pos())); }

void HeatMap::mousePressEvent(QMouseEvent* event) {
    if (const auto cell = cellAt(event->pos())) Q_EMIT rowChosen(cell->row);
}

void HeatMap::leaveEvent(QEvent* event) {
    ChartWidget::leaveEvent(event);
    setCell(std::nullopt);
}

void HeatMap::keyPressEvent(QKeyEvent* event) {
    const int rows = static_cast<int>(layers_.size());
    if (rows == 0) return event->ignore();
    Cell cell = cell_.value_or(Cell{});
    switch (event->key()) {
        case Qt::Key_Left:
            --cell.column;
            break;
        case Qt::Key_Right:
            ++cell.column;
            break;
        case Qt::Key_Up:
            --cell.row;
            break;
        case Qt::Key_Down:
            ++cell.row;
            break;
        case Qt::Key_Return:
        case Qt::Key_Enter:
            Q_EMIT rowChosen(cell.row);
            return;
        default:
            return event->ignore();
    }
    setCell(Cell{std::clamp(cell.row, 0, rows - 1), std::clamp(cell.column, 0, columns() - 1)});
}

void HeatMap::focusInEvent(QFocusEvent* event) {
    ChartWidget::focusInEvent(event);
    update();
}

void HeatMap::focusOutEvent(QFocusEvent* event) {
    ChartWidget::focusOutEvent(event);
    setCell(std::nullopt);
    update();
}

}  // namespace ui
