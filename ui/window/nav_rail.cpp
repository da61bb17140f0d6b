// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/nav_rail.h"

#include "ui/theme/icon.h"
#include "ui/theme/theme.h"

#include <QButtonGroup>
#include <QToolButton>
#include <QVBoxLayout>

namespace ui {
namespace {

constexpr int kIconSize = 22;
constexpr int kItemHeight = 58;

}  // namespace

NavRail::NavRail(QWidget* parent)
    : QFrame(parent), group_(new QButtonGroup(this)), column_(new QVBoxLayout(this)) {
    setObjectName(QStringLiteral("navRail"));
    column_->setContentsMargins(space::kS, space::kM, space::kS, space::kM);
    column_->setSpacing(space::kXs);
    column_->addStretch(1);
    connect(group_, &QButtonGroup::idClicked, this, &NavRail::selected);
}

int NavRail::addItem(const QString& iconName, const QString& text) {
    auto* button = new QToolButton(this);
    button->setText(text);
    button->setAccessibleName(text);
    button->setIcon(icon(iconName));
    button->setIconSize({kIconSize, kIconSize});
    button->setToolButtonStyle(Qt::ToolButtonTextUnderIcon);
    button->setCheckable(true);
    button->setFocusPolicy(Qt::StrongFocus);
    button->setFont(textFont(TextRole::Caption));
    button->setMinimumHeight(kItemHeight);
    button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    const int index = static_cast<int>(group_->buttons().size());
    button->setObjectName(QStringLiteral("rail.%1").arg(iconName));
    group_->addButton(button, index);
    column_->insertWidget(index, button);
    connect(button, &QToolButton::toggled, button, [button, iconName](bool on) {
        button->setIcon(icon(iconName, on ? IconTone::Accent : IconTone::Muted));
    });
    return index;
}

void NavRail::setCurrent(int index) {
    if (QAbstractButton* button = group_->button(index)) button->setChecked(true);
}

}  // namespace ui
