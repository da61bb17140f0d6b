// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/icon_label.h"

#include <QPainter>

namespace ui {

IconLabel::IconLabel(const QString& name, IconTone tone, int size, QWidget* parent)
    : QWidget(parent), icon_(icon(name, tone)) {
    setFixedSize(size, size);
}

void IconLabel::setIcon(const QString& name, IconTone tone) {
    icon_ = icon(name, tone);
    update();
}

void IconLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    icon_.paint(&painter, rect());
}

}  // namespace ui
