// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/message_bar.h"

#include "ui/theme/icon.h"
#include "ui/theme/theme.h"
#include "ui/widgets/icon_label.h"

#include <QAccessible>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QStyle>
#include <QToolButton>
#include <QVBoxLayout>

namespace ui {
namespace {

constexpr int kGoodNewsMs = 8000;
constexpr int kIconSize = 18;

struct Look {
    QString icon;
    IconTone tone;
    QString name;  ///< of the "severity" property
};

Look lookOf(MessageBar::Kind kind) {
    switch (kind) {
        case MessageBar::Kind::Success:
            return {QStringLiteral("success"), IconTone::Success, QStringLiteral("success")};
        case MessageBar::Kind::Warning:
            return {QStringLiteral("warning"), IconTone::Warning, QStringLiteral("warning")};
        case MessageBar::Kind::Error:
            return {QStringLiteral("error"), IconTone::Danger, QStringLiteral("error")};
        case MessageBar::Kind::Info:
            break;
    }
    return {QStringLiteral("info"), IconTone::Accent, QStringLiteral("info")};
}

QLabel* textLabel(QWidget* parent) {
    auto* label = new QLabel(parent);
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    return label;
}

}  // namespace

MessageBar::MessageBar(QWidget* parent)
    : QFrame(parent),
      icon_(new IconLabel(QStringLiteral("info"), IconTone::Accent, kIconSize, this)),
      message_(textLabel(this)),
      hint_(textLabel(this)),
      action_(new QPushButton(this)),
      close_(new QToolButton(this)) {
    setObjectName(QStringLiteral("messageBar"));
    setAccessibleName(tr("Message"));
    setTextRole(hint_, TextRole::Body, true);
    close_->setIcon(icon(QStringLiteral("close")));
    close_->setAccessibleName(tr("Close message"));
    close_->setToolTip(tr("Close"));
    connect(close_, &QToolButton::clicked, this, &MessageBar::dismiss);
    connect(action_, &QPushButton::clicked, this, [this] {
        const std::function<void()> run = run_;
        dismiss();
        if (run) run();
    });

    auto* texts = new QVBoxLayout;
    texts->setSpacing(2);
    texts->addWidget(message_);
    texts->addWidget(hint_);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(space::kL, space::kS, space::kS, space::kS);
    row->setSpacing(space::kM);
    row->addWidget(icon_, 0, Qt::AlignTop);
    row->addLayout(texts, 1);
    row->addWidget(action_, 0, Qt::AlignVCenter);
    row->addWidget(close_, 0, Qt::AlignTop);
    timer_.setSingleShot(true);
    connect(&timer_, &QTimer::timeout, this, &MessageBar::dismiss);
    hide();
}

void MessageBar::showError(const ErrorText& error) {
    showMessage(Kind::Error, error.message, error.hint);
}

void MessageBar::showMessage(Kind kind, const QString& message, const QString& hint,
                             const Action& action) {
    const Look look = lookOf(kind);
    icon_->setIcon(look.icon, look.tone);
    setProperty("severity", look.name);
    style()->unpolish(this);
    style()->polish(this);
    message_->setText(message);
    hint_->setText(asSentence(hint));
    hint_->setVisible(!hint.isEmpty());
    run_ = action.run;
    action_->setText(action.text);
    action_->setVisible(!action.text.isEmpty());
    kind == Kind::Error || kind == Kind::Warning ? timer_.stop() : timer_.start(kGoodNewsMs);
    show();
    setAccessibleDescription(hint.isEmpty() ? message : message + QLatin1Char(' ') + hint);
    QAccessibleEvent event(this, QAccessible::Alert);
    QAccessible::updateAccessibility(&event);
}

void MessageBar::dismiss() {
    timer_.stop();
    run_ = {};
    hide();
}

QString MessageBar::message() const { return isHidden() ? QString() : message_->text(); }

QString MessageBar::hint() const { return isHidden() ? QString() : hint_->text(); }

void MessageBar::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape)
        dismiss();
    else
        QFrame::keyPressEvent(event);
}

}  // namespace ui
