// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/color_scale.h"
#include "ui/inspect/matrix_canvas.h"
#include "ui/inspect/tensor_picture.h"
#include "ui/models/tensor_model.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/message_bar.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <limits>

namespace ui {
namespace {

constexpr int kDetailMs = 30;
constexpr double kZoomStep = 1.5;

}  // namespace

TensorPicture::TensorPicture(std::shared_ptr<const OpenedModel> model, std::size_t tensor,
                             QWidget* parent)
    : QDialog(parent),
      model_(std::move(model)),
      tensor_(model_->checkpoint->tensors()[tensor]),
      overviewReader_(model_->checkpoint, tensor_, this),
      detailReader_(model_->checkpoint, tensor_, this),
      valueReader_(model_->checkpoint, tensor_, this),
      messages_(new MessageBar(this)),
      reduction_(new QComboBox(this)),
      range_(new QComboBox(this)),
      canvas_(new MatrixCanvas(this)),
      scale_(new ColorScale(this)),
      zoom_(new QLabel(this)),
      status_(new QLabel(this)),
      progress_(new QLabel(this)) {
    setObjectName(QStringLiteral("tensorPicture"));
    setWindowTitle(tr("%1 – picture").arg(printableText(tensor_.name)));
    auto* title = new ElidedLabel(Qt::ElideMiddle, this);
    title->setText(printableText(tensor_.name));
    setTextRole(title, TextRole::Title);
    const std::string_view type = core::dtypeName(tensor_.dtype);
    auto* about =
        new QLabel(QStringLiteral("%1 · %2").arg(
                       shapeText(tensor_.shape),
                       QString::fromUtf8(type.data(), static_cast<qsizetype>(type.size()))),
                   this);
    setTextRole(about, TextRole::Caption, true);
    auto* head = new QVBoxLayout;
    head->setContentsMargins(space::kL, space::kL, space::kL, 0);
    head->setSpacing(2);
    head->addWidget(title);
    head->addWidget(about);
    auto* middle = new QHBoxLayout;
    middle->setContentsMargins(space::kL, 0, space::kXs, 0);
    middle->setSpacing(space::kM);
    middle->addWidget(canvas_, 1);
    middle->addWidget(scale_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(messages_);
    column->addLayout(head);
    column->addWidget(buildBar());
    column->addLayout(middle, 1);
    column->addWidget(buildFoot());
    connectAll();
    resize(960, 700);
    canvas_->setFocus();
    showSlice();
}

/// A dialog that is destroyed while it is seen hides itself in the end, and the canvas then loses
/// the focus: that must not reach what is gone by then.
TensorPicture::~TensorPicture() { hide(); }

QToolButton* TensorPicture::addButton(QWidget* bar, const QString& name, const QString& iconName,
                                      const QString& text) {
    auto* button = new QToolButton(bar);
    button->setObjectName(name);
    button->setIcon(icon(iconName));
    button->setToolTip(text);
    button->setAccessibleName(text);
    button->setFocusPolicy(Qt::StrongFocus);
    bar->layout()->addWidget(button);
    return button;
}

QWidget* TensorPicture::buildBar() {
    auto* bar = new QWidget(this);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(space::kL, space::kM, space::kL, space::kM);
    row->setSpacing(space::kS);
    for (int axis = 0; axis + 2 < static_cast<int>(tensor_.shape.rank()); ++axis) {
        auto* box = new QSpinBox(bar);
        const std::int64_t last = tensor_.shape[axis] - 1;
        box->setRange(
            0, static_cast<int>(std::min<std::int64_t>(last, std::numeric_limits<int>::max())));
        box->setPrefix(tr("axis %1:  ").arg(axis));
        box->setAccessibleName(tr("Index in axis %1").arg(axis));
        box->setToolTip(tr("0 to %1").arg(last));
        box->setEnabled(last > 0);
        connect(box, &QSpinBox::valueChanged, this, &TensorPicture::showSlice);
        row->addWidget(box);
        leading_.push_back(box);
    }
    reduction_->addItems({tr("Mean of a pixel's values"), tr("Value farthest from zero")});
    reduction_->setAccessibleName(tr("What a pixel shows of several values"));
    range_->addItems({tr("Colours to 3 × RMS"), tr("Colours to the largest value")});
    range_->setAccessibleName(tr("Range of the colours"));
    row->addWidget(reduction_);
    row->addWidget(range_);
    row->addStretch(1);
    setTextRole(zoom_, TextRole::Caption, true);
    row->addWidget(zoom_);
    connect(addButton(bar, QStringLiteral("picture.zoomOut"), QStringLiteral("minus"),
                      tr("Zoom out (−)")),
            &QToolButton::clicked, this, [this] { canvas_->zoomBy(1 / kZoomStep); });
    connect(addButton(bar, QStringLiteral("picture.fit"), QStringLiteral("fit"),
                      tr("Fit into the window (0)")),
            &QToolButton::clicked, canvas_, &MatrixCanvas::zoomToFit);
    connect(
        addButton(bar, QStringLiteral("picture.zoomIn"), QStringLiteral("plus"), tr("Zoom in (+)")),
        &QToolButton::clicked, this, [this] { canvas_->zoomBy(kZoomStep); });
    row->addSpacing(space::kS);
    connect(addButton(bar, QStringLiteral("picture.copy"), QStringLiteral("copy"),
                      tr("Copy the picture (Ctrl+C)")),
            &QToolButton::clicked, this, &TensorPicture::copy);
    connect(addButton(bar, QStringLiteral("picture.save"), QStringLiteral("save"),
                      tr("Save the picture (Ctrl+S)")),
            &QToolButton::clicked, this, &TensorPicture::save);
    return bar;
}

QWidget* TensorPicture::buildFoot() {
    auto* foot = new QWidget(this);
    auto* row = new QHBoxLayout(foot);
    row->setContentsMargins(space::kL, space::kS, space::kL, space::kM);
    status_->setObjectName(QStringLiteral("picture.status"));
    setTextRole(status_, TextRole::Body);
    setTextRole(progress_, TextRole::Caption, true);
    status_->setTextFormat(Qt::PlainText);
    row->addWidget(status_, 1);
    row->addWidget(progress_);
    return foot;
}

void TensorPicture::connectAll() {
    detailSoon_.setSingleShot(true);
    detailSoon_.setInterval(kDetailMs);
    connect(&detailSoon_, &QTimer::timeout, this, &TensorPicture::readDetail);
    connect(canvas_, &MatrixCanvas::viewChanged, this, [this] {
        detailSoon_.start();
        showStatus();
    });
    connect(canvas_, &MatrixCanvas::cursorMoved, this, &TensorPicture::readValue);
    connect(reduction_, &QComboBox::currentIndexChanged, this, &TensorPicture::showSlice);
    connect(range_, &QComboBox::currentIndexChanged, this, &TensorPicture::recolor);
    connect(&overviewReader_, &PictureReader::drawn, this,
            [this](const core::PictureRequest& request, const core::MatrixPicture& picture) {
                overview_ = picture;
                sampled_ = request.sampled;
                recolor();
                if (sampled_) readOverview(false);
                detailSoon_.start();
                showStatus();
            });
    connect(&detailReader_, &PictureReader::drawn, this,
            [this](const core::PictureRequest& request, const core::MatrixPicture& picture) {
                detail_ = picture;
                detailWindow_ = request.window;
                recolor();
                showStatus();
            });
    connect(&valueReader_, &PictureReader::drawn, this,
            [this](const core::PictureRequest&, const core::MatrixPicture& picture) {
                value_ = picture;
                showStatus();
            });
    for (PictureReader* reader : {&overviewReader_, &detailReader_, &valueReader_})
        connect(reader, &PictureReader::failed, messages_, &MessageBar::showError);
}

}  // namespace ui
