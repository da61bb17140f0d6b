// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/checkpoint/matrix_picture.h"

#include <QImage>
#include <QWidget>

#include <optional>

namespace ui {

/// Shows a matrix as coloured cells that can be zoomed and panned: an overview of all of it, and,
/// over that, the part in view at its own resolution as soon as it is there. Wheel and + - zoom,
/// drag and Ctrl+arrows pan, arrows move the cursor (Shift: further), 0 fits, 1 is one pixel a
/// value.
class MatrixCanvas : public QWidget {
    Q_OBJECT

  public:
    explicit MatrixCanvas(QWidget* parent);

    /// Another matrix: fits it into the view and drops the pictures.
    void setMatrix(std::int64_t rows, std::int64_t columns);
    void setOverview(const core::MatrixPicture& picture, double top);
    void setDetail(const core::MatrixPicture& picture, const core::MatrixWindow& window,
                   double top);
    void dropPictures();
    /// Values beyond +-top have the colours of the ends.
    bool hasOverview() const { return !overview_.isNull(); }

    void zoomBy(double factor);
    void zoomToFit();
    void zoomToPixels();
    double zoom() const { return zoom_; }
    bool isFitted() const { return fitted_; }
    /// What is in view.
    core::MatrixWindow window() const;
    /// Device pixels that `window` takes, at most as many as it has elements.
    QSize windowPixels(const core::MatrixWindow& window) const;
    struct Cell {
        std::int64_t row = 0, column = 0;
        bool operator==(const Cell&) const = default;
    };
    std::optional<Cell> cursor() const { return cursor_; }
    std::optional<Cell> cellAt(QPointF position) const;
    void setCursorCell(std::optional<Cell> cell);

    QSize sizeHint() const override { return {720, 480}; }
    QSize minimumSizeHint() const override { return {240, 160}; }

  Q_SIGNALS:
    /// Zoom, place or size changed.
    void viewChanged();
    void cursorMoved();

  protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

  private:
    double fitZoom() const;
    double yScale() const;
    QRectF rectOf(const core::MatrixWindow& window) const;
    void zoomAt(QPointF position, double zoom);
    void setZoom(double zoom, QPointF origin);
    void panBy(QPointF pixels);
    bool moveCursor(QKeyEvent* event);
    void keepCursorInView();

    std::int64_t rows_ = 1, columns_ = 1;
    double zoom_ = 1;     ///< logical pixels a column
    double stretch_ = 1;  ///< pixels a row, over zoom_: thin matrices are drawn higher
    QPointF origin_;      ///< of the matrix in the widget
    bool fitted_ = true;
    QImage overview_;
    QImage detail_;
    core::MatrixWindow detailWindow_;
    std::optional<Cell> cursor_;
    std::optional<QPointF> grabbed_;
};

}  // namespace ui
