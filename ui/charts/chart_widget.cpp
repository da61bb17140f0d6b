// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/chart_widget.h"

#include "core/base/error.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"

#include <QBuffer>
#include <QClipboard>
#include <QEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QImage>
#include <QMenu>
#include <QPainter>
#include <QSaveFile>
#include <QSvgGenerator>
#include <QToolButton>

#include <algorithm>

namespace ui {
namespace {

constexpr int kPadding = space::kM;
constexpr int kButton = 24;
constexpr int kExportScale = 2;

int titleHeight() { return std::max(kButton, QFontMetrics(textFont(TextRole::Strong)).height()); }

int legendHeight() { return QFontMetrics(textFont(TextRole::Caption)).height() + space::kXs; }

void writeWhole(const QString& path, const QByteArray& bytes) {
    QSaveFile file(path);
    const bool written =
        file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit();
    if (written) return;
    const bool full = file.error() == QFileDevice::ResourceError;
    throw core::Error(full ? core::ErrorKind::DiskFull : core::ErrorKind::BadInput,
                      path.toStdString() + ": " + file.errorString().toStdString(),
                      "Choose a folder that can be written and has free space.");
}

}  // namespace

ChartWidget::ChartWidget(const QString& title, QWidget* parent)
    : QWidget(parent), menuButton_(new QToolButton(this)), menu_(new QMenu(this)) {
    setTitle(title);
    menuButton_->setIcon(icon(QStringLiteral("more")));
    menuButton_->setAutoRaise(true);
    menuButton_->setPopupMode(QToolButton::InstantPopup);
    menuButton_->setMenu(menu_);
    menuButton_->setFixedSize(kButton, kButton);
    menuButton_->setToolTip(tr("View and export"));
    connect(menu_, &QMenu::aboutToShow, this, &ChartWidget::buildMenu);
}

void ChartWidget::setTitle(const QString& title) {
    if (title == title_) return;
    title_ = title;
    setAccessibleName(title);
    menuButton_->setAccessibleName(tr("Options of the chart “%1”").arg(title));
    update();
}

void ChartWidget::setEmptyText(const QString& text) {
    emptyText_ = text;
    update();
}

void ChartWidget::setNote(const QString& text) {
    if (note_ == text) return;
    note_ = text;
    update();
}

void ChartWidget::setHeaderWidget(QWidget* widget) {
    headerWidget_ = widget;
    widget->setParent(this);
    widget->show();
    QWidget::setTabOrder(widget, menuButton_);
    placeHeader();
}

QSize ChartWidget::sizeHint() const { return {420, 240}; }

QSize ChartWidget::minimumSizeHint() const { return {260, 180}; }

QRect ChartWidget::bodyRect(QSize size) const {
    const int top = kPadding + titleHeight() + legendHeight() + space::kXs;
    return {kPadding, top, size.width() - 2 * kPadding, size.height() - top - kPadding};
}

void ChartWidget::drawCard(QPainter& painter, QSize size) const {
    const Tokens& t = tokens();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(t.border);
    painter.setBrush(t.surface);
    painter.drawRoundedRect(QRectF(QPointF(0.5, 0.5), QSizeF(size) - QSizeF(1, 1)), radius::kL,
                            radius::kL);
    const QFont titleFont = textFont(TextRole::Strong);
    const QRect title(kPadding, kPadding, size.width() - 2 * kPadding, titleHeight());
    painter.setFont(titleFont);
    painter.setPen(t.text);
    painter.drawText(title, Qt::AlignLeft | Qt::AlignVCenter, title_);
    QRect below(kPadding, title.bottom() + 1, title.width(), legendHeight());
    if (headerWidget_ != nullptr) {
        below.setRight(below.right() - drawNote(painter, below));
    } else {
        drawNote(painter, title.adjusted(0, 0, -kButton - space::kXs, 0));
    }
    drawLegend(painter, legend(), below);
    if (!isEmpty()) return;
    painter.setFont(textFont(TextRole::Body));
    painter.setPen(t.textMuted);
    const QRect body = bodyRect(size).adjusted(space::kXl, 0, -space::kXl, 0);
    painter.drawText(body, Qt::AlignCenter | Qt::TextWordWrap, emptyText_);
}

int ChartWidget::drawNote(QPainter& painter, const QRect& row) const {
    if (note_.isEmpty()) return 0;
    const QFont font = textFont(TextRole::Caption);
    painter.setFont(font);
    painter.setPen(tokens().textMuted);
    painter.drawText(row, Qt::AlignRight | Qt::AlignVCenter, note_);
    return QFontMetrics(font).horizontalAdvance(note_) + space::kM;
}

void ChartWidget::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    drawCard(painter, size());
}

void ChartWidget::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    placeHeader();
}

bool ChartWidget::event(QEvent* event) {
    if (event->type() == QEvent::LayoutRequest) placeHeader();  // the header widget has grown
    return QWidget::event(event);
}

void ChartWidget::placeHeader() {
    const int y = kPadding + (titleHeight() - kButton) / 2;
    int right = width() - kPadding + space::kXs;
    menuButton_->move(right - kButton, y);
    right -= kButton + space::kXs;
    if (headerWidget_ == nullptr) return;
    const QSize hint = headerWidget_->sizeHint();
    headerWidget_->setGeometry(right - hint.width(), kPadding + (titleHeight() - hint.height()) / 2,
                               hint.width(), hint.height());
}

void ChartWidget::buildMenu() {
    menu_->clear();
    fillMenu(*menu_);
    if (!menu_->isEmpty()) menu_->addSeparator();
    for (const QString& suffix :
         {QStringLiteral("png"), QStringLiteral("svg"), QStringLiteral("csv")}) {
        QAction* action = menu_->addAction(tr("Export as %1…").arg(suffix.toUpper()));
        action->setEnabled(!isEmpty());
        connect(action, &QAction::triggered, this, [this, suffix] { askAndExport(suffix); });
    }
    QAction* copy = menu_->addAction(tr("Copy data"));
    copy->setEnabled(!isEmpty());
    connect(copy, &QAction::triggered, this,
            [this] { QGuiApplication::clipboard()->setText(QString::fromUtf8(csv())); });
}

void ChartWidget::askAndExport(const QString& suffix) {
    const QString path =
        QFileDialog::getSaveFileName(this, tr("Export chart"), fileName(suffix),
                                     tr("%1 file (*.%2)").arg(suffix.toUpper(), suffix));
    if (path.isEmpty()) return;
    try {
        const bool named = QFileInfo(path).suffix().compare(suffix, Qt::CaseInsensitive) == 0;
        exportTo(named ? path : path + QLatin1Char('.') + suffix);
    } catch (const core::Error& error) {
        Q_EMIT exportFailed(QString::fromUtf8(error.what()), QString::fromStdString(error.hint()));
    }
}

QString ChartWidget::fileName(const QString& suffix) const {
    QString name = title_.toLower();
    for (QChar& c : name) {
        if (!c.isLetterOrNumber()) c = QLatin1Char('-');
    }
    return name + QLatin1Char('.') + suffix;
}

void ChartWidget::exportTo(const QString& path) {
    const QSize size = paperSize();
    const QString suffix = QFileInfo(path).suffix().toLower();
    const auto render = [&](QPainter& painter) {
        drawCard(painter, size);
        if (!isEmpty()) renderBody(painter, bodyRect(size));
    };
    if (suffix == QLatin1String("csv")) {
        writeWhole(path, csv());
        return;
    }
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    if (suffix == QLatin1String("png")) {
        QImage image(size * kExportScale, QImage::Format_ARGB32_Premultiplied);
        image.setDevicePixelRatio(kExportScale);
        image.fill(tokens().surface);
        QPainter painter(&image);
        render(painter);
        painter.end();
        image.save(&buffer, "PNG");
    } else if (suffix == QLatin1String("svg")) {
        QSvgGenerator generator;
        generator.setOutputDevice(&buffer);
        generator.setSize(size);
        generator.setViewBox(QRect(QPoint(0, 0), size));
        generator.setResolution(logicalDpiY());
        generator.setTitle(title_);
        QPainter painter(&generator);
        render(painter);
        painter.end();
    } else {
        throw core::Error(
            core::ErrorKind::BadInput,
            path.toStdString() + ": a chart cannot be written as ." + suffix.toStdString(),
            "Use an ending of .png, .svg or .csv.");
    }
    writeWhole(path, buffer.data());
}

}  // namespace ui
