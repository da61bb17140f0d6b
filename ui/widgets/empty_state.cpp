// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/empty_state.h"

#include "ui/theme/theme.h"
#include "ui/widgets/icon_label.h"

#include <QLabel>
#include <QVBoxLayout>

namespace ui {
namespace {

constexpr int kIconSize = 40;
constexpr int kTextWidth = 360;

}  // namespace

EmptyState::EmptyState(const QString& icon, const QString& title, const QString& text,
                       QWidget* parent)
    : QWidget(parent) {
    auto* heading = new QLabel(title, this);
    setTextRole(heading, TextRole::Title);
    auto* sentence = new QLabel(text, this);
    sentence->setWordWrap(true);
    sentence->setAlignment(Qt::AlignHCenter);
    sentence->setFixedWidth(kTextWidth);
    setTextRole(sentence, TextRole::Body, true);
    auto* column = new QVBoxLayout(this);
    column->setSpacing(space::kS);
    column->addStretch(2);
    column->addWidget(new IconLabel(icon, IconTone::Faint, kIconSize, this), 0, Qt::AlignHCenter);
    column->addSpacing(space::kXs);
    column->addWidget(heading, 0, Qt::AlignHCenter);
    column->addWidget(sentence, 0, Qt::AlignHCenter);
    column->addStretch(3);
}

}  // namespace ui
