// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/heads_dialog.h"

#include "ui/document/opened_model.h"
#include "ui/theme/theme.h"

#include <QComboBox>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace ui {
namespace {

constexpr int kWidth = 440;

}  // namespace

HeadsDialog::HeadsDialog(const QString& model, std::int64_t hidden, QWidget* parent)
    : QDialog(parent), possible_(possibleHeads(hidden)), choice_(new QComboBox) {
    setObjectName(QStringLiteral("headsDialog"));
    setWindowTitle(tr("Attention Heads"));
    auto* title = new QLabel(tr("How many attention heads?"));
    setTextRole(title, TextRole::Heading);
    auto* text = new QLabel(
        tr("The files of %1 do not say it, and the tensors look the same with any number. It is on "
           "the model’s page or in its paper; most models have heads of 64.")
            .arg(QFileInfo(model).fileName()));
    text->setTextFormat(Qt::PlainText);
    text->setWordWrap(true);
    setTextRole(text, TextRole::Body, true);
    for (const std::int64_t count : possible_) {
        choice_->addItem(
            tr("%n head(s) of %1 numbers", nullptr, static_cast<int>(count)).arg(hidden / count));
        if (count == usualHeads(hidden)) choice_->setCurrentIndex(choice_->count() - 1);
    }
    choice_->setObjectName(QStringLiteral("heads.choice"));
    choice_->setAccessibleName(title->text());
    choice_->setAccessibleDescription(text->text());
    auto* cancel = new QPushButton(tr("Cancel"));
    cancel->setAutoDefault(false);
    auto* open = new QPushButton(tr("Open"));
    open->setObjectName(QStringLiteral("heads.open"));
    open->setDefault(true);
    setButtonKind(open, ButtonKind::Primary);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(open, &QPushButton::clicked, this, &QDialog::accept);

    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(space::kS);
    buttons->addStretch(1);
    buttons->addWidget(cancel);
    buttons->addWidget(open);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(space::kXl, space::kXl, space::kXl, space::kL);
    column->setSpacing(space::kM);
    column->addWidget(title);
    column->addWidget(text);
    column->addWidget(choice_);
    column->addStretch(1);
    column->addSpacing(space::kS);
    column->addLayout(buttons);
    setFixedWidth(kWidth);
    choice_->setFocus();
}

std::int64_t HeadsDialog::heads() const {
    return possible_[static_cast<std::size_t>(choice_->currentIndex())];
}

}  // namespace ui
