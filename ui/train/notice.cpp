// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/notice.h"

#include "ui/document/error_text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/icon_label.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QVBoxLayout>

namespace ui {
namespace {

constexpr int kIcon = 16;

struct Look {
    QColor background;
    QString icon;
    IconTone tone;
};

Look lookOf(Notice::Tone tone) {
    const Tokens& t = tokens();
    switch (tone) {
        case Notice::Tone::Danger:
            return {t.dangerSoft, QStringLiteral("error"), IconTone::Danger};
        case Notice::Tone::Warning:
            return {t.warningSoft, QStringLiteral("warning"), IconTone::Warning};
        case Notice::Tone::Info:
            break;
    }
    return {t.accentSoft, QStringLiteral("info"), IconTone::Accent};
}

QLabel* wrappingLabel(TextRole role, bool muted) {
    auto* label = new QLabel;
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    setTextRole(label, role, muted);
    return label;
}

}  // namespace

Notice::Notice(QWidget* parent)
    : QFrame(parent),
      icon_(new IconLabel(QStringLiteral("info"), IconTone::Accent, kIcon, this)),
      message_(wrappingLabel(TextRole::Body, false)),
      hint_(wrappingLabel(TextRole::Caption, true)) {
    auto* text = new QVBoxLayout;
    text->setSpacing(2);
    text->addWidget(message_);
    text->addWidget(hint_);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(space::kM, space::kS + 2, space::kM, space::kS + 2);
    row->setSpacing(space::kS);
    row->addWidget(icon_, 0, Qt::AlignTop);
    row->addLayout(text, 1);
    hide();
}

void Notice::say(Tone tone, const QString& message, const QString& hint) {
    if (tone == tone_ && message == message_->text() && asSentence(hint) == hint_->text() &&
        !isHidden()) {
        return;
    }
    tone_ = tone;
    message_->setText(message);
    hint_->setText(asSentence(hint));
    hint_->setVisible(!hint.isEmpty());
    setAccessibleName(hint.isEmpty() ? message : message + QLatin1Char(' ') + hint);
    const Look look = lookOf(tone_);
    icon_->setIcon(look.icon, look.tone);
    update();
    show();
}

void Notice::clear() {
    message_->clear();
    hint_->clear();
    hide();
}

QString Notice::message() const { return message_->text(); }

void Notice::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(lookOf(tone_).background);
    painter.drawRoundedRect(rect(), radius::kM, radius::kM);
}

}  // namespace ui
