// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspect/warning_list.h"

#include "ui/theme/theme.h"
#include "ui/widgets/icon_label.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

namespace ui {
namespace {

constexpr int kIconSize = 16;

QWidget* makeNote(const core::PlanWarning& warning, QWidget* parent) {
    auto* frame = new QFrame(parent);
    frame->setProperty("note", QStringLiteral("warning"));
    auto* row = new QHBoxLayout(frame);
    row->setContentsMargins(space::kM, space::kS, space::kM, space::kS);
    row->setSpacing(space::kS);
    row->addWidget(new IconLabel(QStringLiteral("warning"), IconTone::Warning, kIconSize, frame), 0,
                   Qt::AlignTop);
    const QString text = QString::fromStdString(warning.text);
    auto* label =
        new QLabel(warning.block.empty()
                       ? text
                       : QStringLiteral("%1: %2").arg(QString::fromStdString(warning.block), text),
                   frame);
    label->setObjectName(QStringLiteral("warning"));
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    row->addWidget(label, 1);
    return frame;
}

}  // namespace

WarningList::WarningList(QWidget* parent) : QWidget(parent), column_(new QVBoxLayout(this)) {
    column_->setContentsMargins(0, 0, 0, 0);
    column_->setSpacing(space::kS);
}

void WarningList::setWarnings(const std::vector<core::PlanWarning>& warnings) {
    while (QLayoutItem* item = column_->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    for (const core::PlanWarning& warning : warnings) column_->addWidget(makeNote(warning, this));
    setVisible(!warnings.empty());
}

}  // namespace ui
