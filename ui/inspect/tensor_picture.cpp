// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/tensor_picture.h"

#include "ui/inspect/color_scale.h"
#include "ui/inspect/matrix_canvas.h"
#include "ui/models/tensor_model.h"
#include "ui/widgets/message_bar.h"

#include <QClipboard>
#include <QComboBox>
#include <QEvent>
#include <QFileDialog>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QLabel>
#include <QLocale>
#include <QPainter>
#include <QSaveFile>
#include <QSpinBox>

#include <algorithm>

namespace ui {
namespace {

constexpr int kOverview = 2048;                          ///< pixels a side
constexpr std::int64_t kAtOnce = std::int64_t{1} << 20;  ///< elements that need no sample first
constexpr double kDeviations = 3;

QString numberText(std::int64_t value) { return QLocale().toString(static_cast<qlonglong>(value)); }

}  // namespace

core::Reduction TensorPicture::reduction() const {
    return reduction_->currentIndex() == 0 ? core::Reduction::Mean
                                           : core::Reduction::LargestMagnitude;
}

bool TensorPicture::isSettled() const {
    return overview_ && !sampled_ && !overviewReader_.isBusy() && !detailReader_.isBusy() &&
           !detailSoon_.isActive();
}

double TensorPicture::scaleTop() const {
    if (!overview_) return 1;
    const double largest = overview_->largest > 0 ? overview_->largest : 1;
    const bool whole = range_->currentIndex() == 1 || overview_->rms == 0;
    return whole ? largest : std::min(largest, kDeviations * overview_->rms);
}

void TensorPicture::showSlice() {
    std::vector<std::int64_t> leading;
    for (const QSpinBox* box : leading_) leading.push_back(box->value());
    const core::MatrixSlice before = slice_;
    slice_ = core::sliceOf(tensor_.shape, leading);
    if (before.rows != slice_.rows || before.columns != slice_.columns || !overview_)
        canvas_->setMatrix(slice_.rows, slice_.columns);
    detail_.reset();
    readOverview(slice_.rows * slice_.columns > kAtOnce && slice_.rows > 1);
    readValue();
}

void TensorPicture::readOverview(bool sampled) {
    core::PictureRequest request;
    request.slice = slice_;
    request.window = {0, 0, slice_.rows, slice_.columns};
    request.width = static_cast<int>(std::min<std::int64_t>(kOverview, slice_.columns));
    request.height = static_cast<int>(std::min<std::int64_t>(kOverview, slice_.rows));
    if (sampled) request.height = std::min(request.height, 512);
    request.reduction = reduction();
    request.sampled = sampled;
    overviewReader_.request(request);
    showStatus();
}

bool TensorPicture::needsDetail(const core::MatrixWindow& window) const {
    if (!overview_ || sampled_) return true;
    const QSize pixels = canvas_->windowPixels(window);
    const auto has = [](int all, std::int64_t part, std::int64_t whole) {
        return static_cast<double>(all) * static_cast<double>(part) / static_cast<double>(whole);
    };
    return has(overview_->width, window.columns, slice_.columns) < pixels.width() ||
           has(overview_->height, window.rows, slice_.rows) < pixels.height();
}

void TensorPicture::readDetail() {
    const core::MatrixWindow window = canvas_->window();
    if (canvas_->isFitted() || !needsDetail(window)) {
        detailReader_.cancel();
        return showStatus();
    }
    core::PictureRequest request;
    request.slice = slice_;
    request.window = window;
    const QSize pixels = canvas_->windowPixels(window);
    request.width = pixels.width();
    request.height = pixels.height();
    request.reduction = reduction();
    detailReader_.request(request);
    showStatus();
}

void TensorPicture::readValue() {
    value_.reset();
    if (const auto cell = canvas_->cursor()) {
        core::PictureRequest request;
        request.slice = slice_;
        request.window = {cell->row, cell->column, 1, 1};
        request.width = request.height = 1;
        valueReader_.request(request);
    } else {
        valueReader_.cancel();
    }
    showStatus();
}

void TensorPicture::recolor() {
    if (!overview_) return;
    const double top = scaleTop();
    scale_->setTop(top);
    scale_->setSignalled(overview_->anyNonFinite || (detail_ && detail_->anyNonFinite));
    canvas_->setOverview(*overview_, top);
    if (detail_) canvas_->setDetail(*detail_, detailWindow_, top);
}

QString TensorPicture::valueText() const {
    const auto cell = canvas_->cursor();
    if (!cell) return {};
    const QString place =
        tr("row %1, column %2").arg(numberText(cell->row), numberText(cell->column));
    if (!value_) return place;
    const std::uint8_t mark = value_->marks[0];
    const QString value = mark == core::MatrixPicture::HasNan ? QStringLiteral("NaN")
                          : mark == core::MatrixPicture::HasInfinite
                              ? tr("infinite")
                              : QLocale().toString(static_cast<double>(value_->values[0]), 'g', 7);
    return place + QStringLiteral(": ") + value;
}

void TensorPicture::showStatus() {
    status_->setText(canvas_->cursor() ? valueText()
                                       : tr("Point at the picture or move with the arrow keys to "
                                            "read values."));
    canvas_->setAccessibleDescription(valueText());
    const bool reading = overviewReader_.isBusy() || detailReader_.isBusy();
    const QSize pixels = canvas_->windowPixels(canvas_->window());
    const core::MatrixWindow window = canvas_->window();
    const auto each = [](std::int64_t elements, int shown) {
        return QLocale().toString(static_cast<double>(elements) / shown, 'g', 3);
    };
    QString text;
    if (reading)
        text = sampled_ || !overview_ ? tr("Reading all rows …") : tr("Reading …");
    else if (window.rows > pixels.height() || window.columns > pixels.width())
        text = tr("one pixel for %1 × %2 values")
                   .arg(each(window.rows, pixels.height()), each(window.columns, pixels.width()));
    progress_->setText(text);
    zoom_->setText(tr("%1 px per value").arg(QLocale().toString(canvas_->zoom(), 'g', 2)));
}

QImage TensorPicture::picture() const {
    const QSize size(canvas_->width() + scale_->width() + 12, canvas_->height());
    const double ratio = std::max(2.0, devicePixelRatioF());
    QImage image(size * ratio, QImage::Format_RGB32);
    image.setDevicePixelRatio(ratio);
    image.fill(palette().color(QPalette::Window));
    QPainter painter(&image);
    canvas_->render(&painter, QPoint(), QRegion(), QWidget::RenderFlags());
    scale_->render(&painter, QPoint(canvas_->width() + 12, 0), QRegion(), QWidget::RenderFlags());
    return image;
}

void TensorPicture::copy() const { QGuiApplication::clipboard()->setImage(picture()); }

void TensorPicture::save() {
    QString file = QFileDialog::getSaveFileName(
        this, tr("Save Picture"), printableText(tensor_.name) + QStringLiteral(".png"),
        tr("PNG pictures (*.png)"));
    if (!file.isEmpty()) saveTo(file);
}

void TensorPicture::saveTo(const QString& file) {
    QSaveFile target(file);
    if (target.open(QIODevice::WriteOnly) && picture().save(&target, "PNG") && target.commit()) {
        messages_->showMessage(MessageBar::Kind::Success, tr("Saved the picture."), file);
        return;
    }
    messages_->showError({core::ErrorKind::BadInput,
                          QStringLiteral("%1: %2").arg(file, target.errorString()),
                          tr("Choose a folder that can be written and has free space.")});
}

void TensorPicture::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy)) return copy();
    if (event->matches(QKeySequence::Save)) return save();
    QDialog::keyPressEvent(event);
}

bool TensorPicture::event(QEvent* event) {
    const bool handled = QDialog::event(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::ApplicationPaletteChange)
        recolor();
    return handled;
}

}  // namespace ui
