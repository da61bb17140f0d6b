// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/empty_state.h"

#include "ui/theme/theme.h"
#include "ui/widgets/icon_label.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

namespace ui {
namespace {

constexpr int kTextWidth = 440;
constexpr int kIconSize = 40;

}  // namespace

EmptyState::EmptyState(const QString& iconName, const QString& heading, QWidget* parent)
    : QWidget(parent), text_(new QLabel), extra_(new QVBoxLayout) {
    auto* title = new QLabel(heading);
    setTextRole(title, TextRole::Title);
    setTextRole(text_, TextRole::Body, true);
    text_->setObjectName(QStringLiteral("empty.text"));
    text_->setTextFormat(Qt::PlainText);
    text_->setWordWrap(true);
    text_->setAlignment(Qt::AlignHCenter);
    text_->setFixedWidth(kTextWidth);
    extra_->setAlignment(Qt::AlignHCenter);
    auto* column = new QVBoxLayout(this);
    column->setSpacing(space::kM);
    column->addStretch(2);
    column->addWidget(new IconLabel(iconName, IconTone::Faint, kIconSize, this), 0,
                      Qt::AlignHCenter);
    column->addWidget(title, 0, Qt::AlignHCenter);
    auto* middle = new QHBoxLayout;  // a layout asks a wrapped text how high it is
    middle->addStretch(1);
    middle->addWidget(text_);
    middle->addStretch(1);
    column->addLayout(middle);
    column->addLayout(extra_);
    column->addStretch(3);
}

void EmptyState::setText(const QString& text) { text_->setText(text); }
QString EmptyState::text() const { return text_->text(); }
void EmptyState::addWidget(QWidget* widget) { extra_->addWidget(widget, 0, Qt::AlignHCenter); }

}  // namespace ui
