// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/smoothing_slider.h"

#include "ui/theme/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QSettings>
#include <QSlider>

#include <algorithm>

namespace ui {
namespace {

const QString kKey = QStringLiteral("train/smoothing");
constexpr int kMost = 99;
constexpr int kUsual = 60;
constexpr int kWidth = 140;

int stored() { return std::clamp(QSettings().value(kKey, kUsual).toInt(), 0, kMost); }

QString text(double weight) { return QLocale().toString(weight, 'f', 2); }

}  // namespace

SmoothingSlider::SmoothingSlider(QWidget* parent)
    : QWidget(parent), slider_(new QSlider(Qt::Horizontal, this)) {
    auto* name = new QLabel(tr("Smoothing"), this);
    setTextRole(name, TextRole::Caption, true);
    name->setBuddy(slider_);
    auto* value = new QLabel(this);
    setTextRole(value, TextRole::Caption);
    value->setMinimumWidth(value->fontMetrics().horizontalAdvance(text(0)) + space::kXs);
    slider_->setRange(0, kMost);
    slider_->setFixedWidth(kWidth);
    slider_->setAccessibleName(name->text());
    slider_->setToolTip(tr("Moving average over the faint raw values"));
    slider_->setValue(stored());
    value->setText(text(weight()));
    connect(slider_, &QSlider::valueChanged, this, [this, value](int percent) {
        QSettings().setValue(kKey, percent);
        value->setText(text(weight()));
        Q_EMIT changed(weight());
    });
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(space::kS);
    row->addWidget(name);
    row->addWidget(slider_);
    row->addWidget(value);
}

double SmoothingSlider::weight() const { return slider_->value() / 100.0; }

void SmoothingSlider::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    slider_->setValue(stored());
}

}  // namespace ui
