// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/line_chart.h"

#include "ui/charts/csv_writer.h"
#include "ui/charts/plot_view.h"
#include "ui/theme/theme.h"

#include <QAccessible>
#include <QMenu>

#include <algorithm>
#include <cmath>
#include <limits>

namespace ui {
namespace {

constexpr int kRedrawMs = 100;

}  // namespace

LineChart::LineChart(const QString& title, QWidget* parent)
    : ChartWidget(title, parent), view_(new PlotView(this)), xName_(tr("step")) {
    view_->setAccessibleName(title);
    view_->hide();
    throttle_.setSingleShot(true);
    connect(&throttle_, &QTimer::timeout, this, &LineChart::refreshNow);
    auto* watcher = new ThemeWatcher(this);
    connect(watcher, &ThemeWatcher::changed, this, &LineChart::refreshNow);
    connect(view_, &PlotView::plotResized, this, &LineChart::refreshNow);
    connect(view_, &PlotView::hovered, this, &LineChart::hover);
    connect(view_, &PlotView::left, this, &LineChart::leave);
    connect(view_, &PlotView::zoomed, this, &LineChart::zoom);
    connect(view_, &PlotView::panned, this, &LineChart::pan);
    connect(view_, &PlotView::rangeChosen, this, &LineChart::showRange);
    connect(view_, &PlotView::resetAsked, this, &LineChart::resetZoom);
    connect(view_, &PlotView::cursorStepped, this, &LineChart::stepCursor);
}

void LineChart::setCurves(std::vector<Curve> curves) {
    curves_ = std::move(curves);
    smoothed_.assign(curves_.size(), {});
    for (Smoothing& s : smoothed_) s.setWeight(smoothing_);
    refresh();
}

void LineChart::setXName(const QString& name) {
    xName_ = name;
    refresh();
}

void LineChart::setXEnd(double x) {
    if (x == xEnd_) return;
    xEnd_ = x;
    refresh();
}

void LineChart::setYBase(std::optional<double> value) {
    yBase_ = value;
    refresh();
}

void LineChart::setYTop(std::optional<double> value) {
    yTop_ = value;
    refresh();
}

void LineChart::setFormat(ValueFormat format) {
    format_ = format;
    refresh();
}

void LineChart::refresh() {
    dirty_ = true;
    if (!isVisible() || throttle_.isActive()) return;
    const qint64 since = sinceRedraw_.isValid() ? sinceRedraw_.elapsed() : kRedrawMs;
    throttle_.start(static_cast<int>(std::clamp<qint64>(kRedrawMs - since, 0, kRedrawMs)));
}

void LineChart::refreshNow() {
    dirty_ = true;
    if (!isVisible()) return;
    throttle_.stop();
    sinceRedraw_.restart();
    dirty_ = false;
    ++redraws_;
    view_->setVisible(!isEmpty());
    if (view_->accessibleName() != title()) view_->setAccessibleName(title());
    view_->setContent(makeContent(view_->columns()));
    if (cursor_) view_->setCursor(cursor_, rowsAt(*cursor_), view_->underMouse());
    update();
    describe();
}

void LineChart::showEvent(QShowEvent* event) {
    ChartWidget::showEvent(event);
    if (dirty_) refreshNow();
}

void LineChart::resizeEvent(QResizeEvent* event) {
    ChartWidget::resizeEvent(event);
    view_->setGeometry(bodyRect(size()));
}

void LineChart::setLogarithmic(bool on) {
    logarithmic_ = on;
    refreshNow();
}

void LineChart::setSmoothing(double weight) {
    smoothing_ = weight;
    for (Smoothing& s : smoothed_) s.setWeight(weight);
    refreshNow();
}

bool LineChart::isEmpty() const {
    return std::all_of(curves_.begin(), curves_.end(),
                       [](const Curve& curve) { return curve.series->empty(); });
}

LineChart::Range LineChart::dataRange() const {
    Range range{0, xEnd_};
    for (const Curve& curve : curves_) {
        if (curve.series->empty()) continue;
        range.from = std::min(range.from, curve.series->x().front());
        range.to = std::max(range.to, curve.series->x().back());
    }
    if (range.from == range.to) range.to = range.from + 1;
    return range;
}

LineChart::Range LineChart::shownRange() const {
    if (!zoom_) return dataRange();
    if (!followEnd_) return *zoom_;
    const double width = zoom_->to - zoom_->from;
    const double end = dataRange().to;
    return {end - width, end};
}

void LineChart::setZoom(Range range) {
    const Range all = dataRange();
    const double whole = all.to - all.from;
    const double width = range.to - range.from;
    if (width >= whole) return resetZoom();
    if (width < whole * 1e-9) return;
    const double shift = std::max(0.0, all.from - range.from) - std::max(0.0, range.to - all.to);
    zoom_ = Range{range.from + shift, range.to + shift};
    followEnd_ = zoom_->to >= all.to - whole * 1e-6;
    refreshNow();
}

void LineChart::zoom(double factor, double aboutX) {
    const Range shown = shownRange();
    setZoom({aboutX - (aboutX - shown.from) / factor, aboutX + (shown.to - aboutX) / factor});
}

void LineChart::pan(double fractionOfWidth) {
    if (!zoom_) return;
    const Range shown = shownRange();
    const double shift = (shown.to - shown.from) * fractionOfWidth;
    setZoom({shown.from + shift, shown.to + shift});
}

void LineChart::showRange(double from, double to) { setZoom({from, to}); }

void LineChart::resetZoom() {
    zoom_.reset();
    followEnd_ = false;
    refreshNow();
}

Axis LineChart::xAxis() const { return view_->content().x; }

Axis LineChart::yAxis() const { return view_->content().y; }

double LineChart::nearestX(double x) const {
    double best = std::numeric_limits<double>::infinity();
    for (const Curve& curve : curves_) {
        if (curve.series->empty()) continue;
        const double candidate = curve.series->x()[curve.series->nearest(x)];
        if (std::abs(candidate - x) < std::abs(best - x)) best = candidate;
    }
    return std::isfinite(best) ? best : x;
}

void LineChart::hover(double x) {
    cursor_ = nearestX(x);
    view_->setCursor(cursor_, rowsAt(*cursor_), true);
    Q_EMIT cursorMoved(*cursor_);
}

void LineChart::stepCursor(int columns) {
    const Range shown = shownRange();
    const double pixel = (shown.to - shown.from) / view_->columns() * columns;
    const double from = cursor_.value_or(shown.to);
    double to = from;
    for (int tries = 0; to == from && tries < view_->columns(); ++tries) {
        to = nearestX(from + pixel * (tries + 1));
    }
    hover(std::clamp(to, shown.from, shown.to));
}

void LineChart::leave() {
    if (!cursor_) return;
    showCursor(std::nullopt);
    Q_EMIT cursorMoved(std::numeric_limits<double>::quiet_NaN());
}

void LineChart::showCursor(std::optional<double> x) {
    cursor_ = x;
    view_->setCursor(x, x ? rowsAt(*x) : std::vector<ReadoutRow>{}, false);
}

std::vector<ReadoutRow> LineChart::rowsAt(double x) const {
    std::vector<ReadoutRow> rows;
    for (std::size_t i = 0; i < curves_.size(); ++i) {
        const Series& series = *curves_[i].series;
        if (series.empty()) continue;
        const std::size_t index = series.nearest(x);
        const double raw = series.y()[index];
        const bool averaged = smoothing_ > 0 && curves_[i].style.smooth;
        const double drawn = averaged ? smoothed_[i].of(series)[index] : raw;
        ReadoutRow row;
        row.name = curves_[i].style.name;
        row.value = averaged
                        ? tr("%1 (raw %2)").arg(valueText(drawn, format_), valueText(raw, format_))
                        : valueText(raw, format_);
        row.color = tokens().series[static_cast<std::size_t>(curves_[i].style.color)];
        if (std::isfinite(drawn) && (!logarithmic_ || drawn > 0)) {
            row.at = Vertex{series.x()[index], drawn};
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

QStringList LineChart::readout(double x) const {
    QStringList lines;
    for (const ReadoutRow& row : rowsAt(x)) lines << row.name + QLatin1Char(' ') + row.value;
    return lines;
}

std::vector<LegendEntry> LineChart::legend() const {
    std::vector<LegendEntry> entries;
    for (std::size_t i = 0; i < curves_.size(); ++i) {
        const auto& [style, series] = curves_[i];
        if (series->empty()) continue;
        const bool averaged = smoothing_ > 0 && style.smooth;
        const double last = averaged ? smoothed_[i].of(*series).back() : series->y().back();
        entries.push_back({style.name, tokens().series[static_cast<std::size_t>(style.color)],
                           valueText(last, format_)});
    }
    return entries;
}

QByteArray LineChart::csv() const {
    std::vector<CsvColumn> columns;
    for (const Curve& curve : curves_) columns.push_back({curve.style.name, curve.series});
    return csvTable(xName_, columns);
}

void LineChart::renderBody(QPainter& painter, const QRect& body) {
    view_->layoutPlot(body.size());
    view_->setContent(makeContent(view_->columns()));
    view_->renderTo(painter, body);
    view_->layoutPlot(view_->size());
    view_->setContent(makeContent(view_->columns()));
}

void LineChart::fillMenu(QMenu& menu) {
    QAction* log = menu.addAction(tr("Logarithmic scale"));
    log->setCheckable(true);
    log->setChecked(logarithmic_);
    connect(log, &QAction::toggled, this, &LineChart::setLogarithmic);
    QAction* reset = menu.addAction(tr("Show everything"));
    reset->setEnabled(isZoomed());
    connect(reset, &QAction::triggered, this, &LineChart::resetZoom);
}

void LineChart::describe() {
    if (!QAccessible::isActive()) return;
    QStringList parts;
    for (const LegendEntry& entry : legend()) parts << entry.name + QLatin1Char(' ') + entry.value;
    view_->setAccessibleDescription(
        tr("%1. Left and right move the cursor, plus and minus zoom, zero shows everything.")
            .arg(parts.join(QStringLiteral(", "))));
}

}  // namespace ui
