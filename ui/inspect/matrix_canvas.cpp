// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/matrix_canvas.h"

#include "ui/inspect/color_scale.h"
#include "ui/theme/theme.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr double kMargin = 8;
constexpr double kLargestCell = 64;
constexpr double kThin = 40;  ///< a fitted matrix is at least so many pixels high and wide

QImage imageOf(const core::MatrixPicture& picture, double top) {
    const DivergingColors colors(top);
    const QRgb signal = tokens().signal.rgb();
    QImage image(picture.width, picture.height, QImage::Format_RGB32);
    std::size_t i = 0;
    for (int y = 0; y < picture.height; ++y) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
        for (int x = 0; x < picture.width; ++x, ++i)
            line[x] = picture.marks[i] != core::MatrixPicture::Ordinary
                          ? signal
                          : colors.of(picture.values[i]);
    }
    return image;
}

}  // namespace

MatrixCanvas::MatrixCanvas(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAccessibleName(tr("Values as a picture"));
    setCursor(Qt::CrossCursor);
}

void MatrixCanvas::setMatrix(std::int64_t rows, std::int64_t columns) {
    rows_ = rows;
    columns_ = columns;
    cursor_.reset();
    dropPictures();
    zoomToFit();
}

void MatrixCanvas::dropPictures() {
    overview_ = {};
    detail_ = {};
    update();
}

void MatrixCanvas::setOverview(const core::MatrixPicture& picture, double top) {
    overview_ = imageOf(picture, top);
    update();
}

void MatrixCanvas::setDetail(const core::MatrixPicture& picture, const core::MatrixWindow& window,
                             double top) {
    detail_ = imageOf(picture, top);
    detailWindow_ = window;
    update();
}

double MatrixCanvas::fitZoom() const {
    const double across = (width() - 2 * kMargin) / static_cast<double>(columns_);
    const double down = (height() - 2 * kMargin) / static_cast<double>(rows_);
    const double fitting = std::min({across, down, kLargestCell});
    if (fitting * static_cast<double>(columns_) < kThin)  // a tall, narrow one fits by its height
        return std::min(kThin / static_cast<double>(columns_), across);
    return fitting;
}

double MatrixCanvas::yScale() const { return zoom_ * stretch_; }

void MatrixCanvas::zoomToFit() {
    zoom_ = fitZoom();
    const double down = (height() - 2 * kMargin) / static_cast<double>(rows_);
    stretch_ = std::clamp(kThin / (zoom_ * static_cast<double>(rows_)), 1.0, 1e9);
    stretch_ = std::min(stretch_, std::max(down / zoom_, 1e-9));
    origin_ = {(width() - zoom_ * static_cast<double>(columns_)) / 2,
               (height() - yScale() * static_cast<double>(rows_)) / 2};
    fitted_ = true;
    update();
    Q_EMIT viewChanged();
}

void MatrixCanvas::zoomToPixels() {
    const double one = 1.0 / devicePixelRatioF();
    stretch_ = 1;
    zoomAt(QPointF(rect().center()), one);
}

void MatrixCanvas::zoomBy(double factor) { zoomAt(QPointF(rect().center()), zoom_ * factor); }

void MatrixCanvas::zoomAt(QPointF position, double zoom) {
    const double least = std::min(fitZoom(), 1.0);
    zoom = std::clamp(zoom, least, std::max(kLargestCell, least));
    if (zoom <= fitZoom() && zoom < zoom_) return zoomToFit();
    const QPointF inMatrix{(position.x() - origin_.x()) / zoom_,
                           (position.y() - origin_.y()) / yScale()};
    if (zoom * static_cast<double>(rows_) >= kThin && zoom * static_cast<double>(columns_) >= kThin)
        stretch_ = 1;  // square cells as soon as there is room for them
    setZoom(zoom,
            {position.x() - inMatrix.x() * zoom, position.y() - inMatrix.y() * zoom * stretch_});
}

/// The matrix is kept in view: centred where it is smaller, without a gap where it is larger.
void MatrixCanvas::setZoom(double zoom, QPointF origin) {
    const auto kept = [](double at, double extent, double view) {
        if (extent + 2 * kMargin <= view) return (view - extent) / 2;
        return std::clamp(at, view - kMargin - extent, kMargin);
    };
    zoom_ = zoom;
    origin_ = {kept(origin.x(), zoom_ * static_cast<double>(columns_), width()),
               kept(origin.y(), yScale() * static_cast<double>(rows_), height())};
    fitted_ = false;
    update();
    Q_EMIT viewChanged();
}

void MatrixCanvas::panBy(QPointF pixels) {
    if (!fitted_) setZoom(zoom_, origin_ + pixels);
}

core::MatrixWindow MatrixCanvas::window() const {
    const auto range = [](double origin, double scale, double view, std::int64_t all) {
        const auto first = static_cast<std::int64_t>(std::floor(-origin / scale));
        const auto last = static_cast<std::int64_t>(std::ceil((view - origin) / scale));
        const std::int64_t begin = std::clamp<std::int64_t>(first, 0, all - 1);
        return std::pair(begin, std::clamp<std::int64_t>(last, begin + 1, all) - begin);
    };
    const auto [column, columns] = range(origin_.x(), zoom_, width(), columns_);
    const auto [row, rows] = range(origin_.y(), yScale(), height(), rows_);
    return {row, column, rows, columns};
}

QSize MatrixCanvas::windowPixels(const core::MatrixWindow& window) const {
    const double ratio = devicePixelRatioF();
    const auto pixels = [&](std::int64_t elements, double scale) {
        const double most = std::ceil(static_cast<double>(elements) * scale * ratio);
        return static_cast<int>(
            std::clamp(most, 1.0, std::min(static_cast<double>(elements), 8192.0)));
    };
    return {pixels(window.columns, zoom_), pixels(window.rows, yScale())};
}

QRectF MatrixCanvas::rectOf(const core::MatrixWindow& window) const {
    return {origin_.x() + zoom_ * static_cast<double>(window.column),
            origin_.y() + yScale() * static_cast<double>(window.row),
            zoom_ * static_cast<double>(window.columns),
            yScale() * static_cast<double>(window.rows)};
}

std::optional<MatrixCanvas::Cell> MatrixCanvas::cellAt(QPointF position) const {
    const double column = std::floor((position.x() - origin_.x()) / zoom_);
    const double row = std::floor((position.y() - origin_.y()) / yScale());
    if (column < 0 || row < 0 || column >= static_cast<double>(columns_) ||
        row >= static_cast<double>(rows_))
        return std::nullopt;
    return Cell{static_cast<std::int64_t>(row), static_cast<std::int64_t>(column)};
}

void MatrixCanvas::paintEvent(QPaintEvent*) {
    const Tokens& t = tokens();
    QPainter painter(this);
    painter.fillRect(rect(), t.sunken);
    const QRectF all = rectOf({0, 0, rows_, columns_});
    const bool finer = !detail_.isNull();
    if (!overview_.isNull()) {
        painter.setRenderHint(QPainter::SmoothPixmapTransform, zoom_ < 1);
        painter.drawImage(all, overview_);
    }
    if (finer) {
        painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
        painter.drawImage(rectOf(detailWindow_), detail_);
    }
    painter.setPen(QPen(t.borderStrong, 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(all.adjusted(-0.5, -0.5, 0.5, 0.5));
    if (cursor_) {
        QRectF cell = rectOf({cursor_->row, cursor_->column, 1, 1});
        const double grow = std::max(0.0, (7 - std::min(cell.width(), cell.height())) / 2);
        cell.adjust(-grow, -grow, grow, grow);
        painter.setPen(QPen(t.surface, 3));
        painter.drawRect(cell);
        painter.setPen(QPen(t.text, 1.25));
        painter.drawRect(cell);
    }
    if (hasFocus()) {
        painter.setPen(QPen(t.accent, 1));
        painter.drawRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5));
    }
}

void MatrixCanvas::resizeEvent(QResizeEvent*) {
    if (fitted_)
        zoomToFit();
    else
        setZoom(zoom_, origin_);
}

}  // namespace ui
