// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/field.h"

#include "ui/theme/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

namespace ui {

Field::Field(const QString& label, QWidget* editor, const QString& help, QWidget* beside)
    : editor_(editor), name_(new QLabel), message_(new QLabel) {
    setTextRole(name_, TextRole::Caption, true);
    name_->setBuddy(editor);
    setLabel(label, help);
    setTextRole(message_, TextRole::Caption);
    message_->setWordWrap(true);
    message_->hide();

    auto* row = new QHBoxLayout;
    row->setSpacing(space::kXs);
    row->addWidget(editor, 1);
    if (beside != nullptr) row->addWidget(beside);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(space::kXs);
    column->addWidget(name_);
    column->addLayout(row);
    column->addWidget(message_);
}

void Field::setMessage(const QString& message, Tone tone) {
    const Tokens& t = tokens();
    QPalette palette = message_->palette();
    palette.setColor(QPalette::WindowText, tone == Tone::Problem ? t.danger : t.warning);
    message_->setPalette(palette);
    message_->setStyleSheet(
        QStringLiteral("color: %1;").arg((tone == Tone::Problem ? t.danger : t.warning).name()));
    message_->setText(message);
    message_->setVisible(!message.isEmpty());
    editor_->setProperty("invalid", tone == Tone::Problem && !message.isEmpty());
}

void Field::setLabel(const QString& label, const QString& help) {
    name_->setText(label);
    editor_->setAccessibleName(label);
    editor_->setAccessibleDescription(help);
    editor_->setToolTip(help);
}

void Field::clearMessage() { setMessage({}, Tone::Warning); }

QString Field::message() const { return message_->text(); }

}  // namespace ui
