// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/compare/compare_modes.h"

#include "ui/theme/theme.h"

#include <QButtonGroup>
#include <QFrame>
#include <QHBoxLayout>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

namespace ui {

CompareModes::CompareModes(QWidget* runs, QWidget* checkpoints, QWidget* parent)
    : QWidget(parent), buttons_(new QButtonGroup(this)), pages_(new QStackedWidget(this)) {
    pages_->addWidget(runs);
    pages_->addWidget(checkpoints);
    auto* group = new QFrame(this);
    group->setProperty("segments", true);
    auto* segments = new QHBoxLayout(group);
    segments->setContentsMargins(2, 2, 2, 2);
    segments->setSpacing(2);
    const auto add = [&](Mode mode, const QString& name, const QString& text) {
        auto* button = new QToolButton(group);
        button->setObjectName(name);
        button->setText(text);
        button->setCheckable(true);
        button->setFocusPolicy(Qt::StrongFocus);
        setButtonKind(button, ButtonKind::Segment);
        buttons_->addButton(button, mode);
        segments->addWidget(button);
    };
    add(Runs, QStringLiteral("compare.runs"), tr("Runs"));
    add(Checkpoints, QStringLiteral("compare.checkpoints"), tr("Checkpoints"));
    auto* bar = new QFrame(this);
    bar->setObjectName(QStringLiteral("toolBar"));
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(space::kM, space::kS, space::kM, space::kS);
    row->addWidget(group);
    row->addStretch(1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(bar);
    column->addWidget(pages_, 1);
    connect(buttons_, &QButtonGroup::idClicked, this,
            [this](int id) { setMode(static_cast<Mode>(id)); });
    setMode(Runs);
}

void CompareModes::setMode(Mode mode) {
    buttons_->button(mode)->setChecked(true);
    pages_->setCurrentIndex(mode);
    Q_EMIT changed();
}

CompareModes::Mode CompareModes::mode() const { return static_cast<Mode>(pages_->currentIndex()); }

}  // namespace ui
