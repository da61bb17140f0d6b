// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/legend.h"

#include <QSize>
#include <QString>
#include <QWidget>

#include <vector>

class QMenu;
class QPainter;
class QToolButton;

namespace ui {

/// The card around every chart: title, legend and a menu, the body below them. Knows how to give
/// itself away as PNG, SVG and CSV, always in one size that does not depend on the window.
class ChartWidget : public QWidget {
    Q_OBJECT

  public:
    ChartWidget(const QString& title, QWidget* parent);

    const QString& title() const noexcept { return title_; }
    void setTitle(const QString& title);
    /// What a person reads in the middle while there is nothing to draw.
    void setEmptyText(const QString& text);
    /// A quiet remark at the right: beside the title, or in the legend's row where a header widget
    /// is.
    void setNote(const QString& text);
    /// A small control (a combo box) between the title and the menu button; the card owns it.
    void setHeaderWidget(QWidget* widget);

    /// What the chart is called in a folder: "router-entropy.svg".
    QString fileName(const QString& suffix) const;
    /// By the ending of `path`: .png (two pixels a unit of `paperSize`), .svg, .csv (all data).
    /// Replaces the file in one step. Throws core::Error (BadInput for another ending, DiskFull).
    void exportTo(const QString& path);
    /// The size of exported pictures, whatever the window's size is.
    virtual QSize paperSize() const { return {1200, 640}; }
    /// All data, not only what is visible: a header line, then one line per point; "nan", "inf",
    /// "-inf".
    virtual QByteArray csv() const = 0;
    virtual bool isEmpty() const = 0;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  Q_SIGNALS:
    /// An export that did not succeed, in the words of core::Error.
    void exportFailed(const QString& message, const QString& hint);

  protected:
    virtual std::vector<LegendEntry> legend() const = 0;
    /// Draws the body for paper: no cursor, no focus ring.
    virtual void renderBody(QPainter& painter, const QRect& body) = 0;
    /// Entries above the exports.
    virtual void fillMenu(QMenu& menu) = 0;
    /// Where the body lies in a card of `size`.
    QRect bodyRect(QSize size) const;
    /// Background, title, legend and, for an empty chart, its text.
    void drawCard(QPainter& painter, QSize size) const;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool event(QEvent* event) override;

  private:
    void buildMenu();
    void askAndExport(const QString& suffix);
    /// Draws the note into `row` and gives the width that it took.
    int drawNote(QPainter& painter, const QRect& row) const;
    void placeHeader();

    QString title_;
    QString emptyText_;
    QString note_;
    QToolButton* menuButton_;
    QMenu* menu_;
    QWidget* headerWidget_ = nullptr;
};

}  // namespace ui
