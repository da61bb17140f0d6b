// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/model_workspace.h"

#include "ui/canvas/canvas_view.h"
#include "ui/inspect/inspector.h"
#include "ui/surgery/preset_bar.h"
#include "ui/theme/icon.h"
#include "ui/theme/theme.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>

namespace ui {
namespace {

constexpr int kInspectorWidth = 420;
constexpr double kZoomStep = 1.2;

}  // namespace

ModelWorkspace::ModelWorkspace(Document& document, PlanEditor& editor, QWidget* parent)
    : QWidget(parent),
      document_(document),
      editor_(editor),
      canvas_(new CanvasView(document, editor, this)),
      inspector_(new Inspector(document, editor, this)),
      splitter_(new QSplitter(Qt::Horizontal, this)) {
    inspector_->setMinimumWidth(300);
    splitter_->setChildrenCollapsible(false);
    splitter_->addWidget(canvas_);
    splitter_->addWidget(inspector_);
    splitter_->setStretchFactor(0, 1);
    splitter_->setStretchFactor(1, 0);
    splitter_->setSizes({1280 - kInspectorWidth, kInspectorWidth});
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeToolBar());
    column->addWidget(splitter_, 1);
    connect(inspector_, &Inspector::wideAsked, this, &ModelWorkspace::setWide);
}

void ModelWorkspace::setWide(bool wide) {
    if (wide == canvas_->isHidden()) return;
    if (wide) narrow_ = splitter_->saveState();
    canvas_->setVisible(!wide);
    zoomGroup_->setVisible(!wide);
    inspector_->setWide(wide);
    if (!wide) {
        splitter_->restoreState(narrow_);
        canvas_->setFocus();
    }
}

QWidget* ModelWorkspace::makeToolBar() {
    auto* bar = new QFrame(this);
    bar->setObjectName(QStringLiteral("toolBar"));
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(space::kM, space::kS, space::kM, space::kS);
    row->setSpacing(space::kXs);
    row->addWidget(new PresetBar(document_, editor_, bar), 1);
    zoomGroup_ = new QWidget(bar);
    zoomGroup_->setObjectName(QStringLiteral("zoom"));
    auto* zooms = new QHBoxLayout(zoomGroup_);
    zooms->setContentsMargins(0, 0, 0, 0);
    zooms->setSpacing(space::kXs);
    row->addWidget(zoomGroup_);
    const auto add = [&](const QString& name, const QString& iconName, const QString& text) {
        auto* button = new QToolButton(zoomGroup_);
        if (!iconName.isEmpty()) button->setIcon(icon(iconName));
        button->setObjectName(name);
        button->setToolTip(text);
        button->setAccessibleName(text);
        button->setFocusPolicy(Qt::StrongFocus);
        zooms->addWidget(button);
        return button;
    };
    QToolButton* out = add(QStringLiteral("zoom.out"), QStringLiteral("minus"), tr("Zoom out"));
    zoom_ = add(QStringLiteral("zoom.fit"), {}, tr("Zoom to fit"));
    QToolButton* in = add(QStringLiteral("zoom.in"), QStringLiteral("plus"), tr("Zoom in"));
    zoom_->setFixedWidth(zoom_->fontMetrics().horizontalAdvance(QStringLiteral("200 %")) + 18);
    connect(out, &QToolButton::clicked, canvas_,
            [this] { canvas_->setZoom(canvas_->zoom() / kZoomStep); });
    connect(in, &QToolButton::clicked, canvas_,
            [this] { canvas_->setZoom(canvas_->zoom() * kZoomStep); });
    connect(zoom_, &QToolButton::clicked, canvas_, &CanvasView::zoomToFit);
    const auto show = [this](double zoom) {
        zoom_->setText(QStringLiteral("%1 %").arg(qRound(zoom * 100)));
    };
    show(canvas_->zoom());
    connect(canvas_, &CanvasView::zoomChanged, this, show);
    return bar;
}

QByteArray ModelWorkspace::saveState() const {
    return canvas_->isHidden() ? narrow_ : splitter_->saveState();
}

void ModelWorkspace::restoreState(const QByteArray& state) {
    if (!state.isEmpty()) splitter_->restoreState(state);
}

}  // namespace ui
