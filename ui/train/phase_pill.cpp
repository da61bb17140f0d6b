// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/phase_pill.h"

#include "ui/theme/theme.h"

#include <QCoreApplication>
#include <QPainter>

#include <utility>

namespace ui {
namespace {

constexpr int kDot = 6;

struct Colors {
    QColor plate, ink;
};

Colors colorsOf(core::RunPhase phase) {
    const Tokens& t = tokens();
    switch (phase) {
        case core::RunPhase::Running:
        case core::RunPhase::Stopping:
            return {t.accentSoft, t.accentText};
        case core::RunPhase::Finished:
            return {t.successSoft, t.success};
        case core::RunPhase::Paused:
            return {t.warningSoft, t.warning};
        case core::RunPhase::Failed:
        case core::RunPhase::Crashed:
            return {t.dangerSoft, t.danger};
        case core::RunPhase::New:
        case core::RunPhase::Stopped:
            break;
    }
    return {t.sunken, t.textMuted};
}

}  // namespace

QString phaseText(core::RunPhase phase) {
    const auto tr = [](const char* text) {
        return QCoreApplication::translate("ui::PhasePill", text);
    };
    switch (phase) {
        case core::RunPhase::New:
            return tr("Not started");
        case core::RunPhase::Running:
            return tr("Running");
        case core::RunPhase::Paused:
            return tr("Paused");
        case core::RunPhase::Stopping:
            return tr("Stopping");
        case core::RunPhase::Stopped:
            return tr("Stopped");
        case core::RunPhase::Finished:
            return tr("Finished");
        case core::RunPhase::Failed:
            return tr("Failed");
        case core::RunPhase::Crashed:
            break;
    }
    return tr("Crashed");
}

PhasePill::PhasePill(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setPhase(core::RunPhase::New);
}

void PhasePill::setPhase(core::RunPhase phase) {
    phase_ = phase;
    setText(phaseText(phase));
}

void PhasePill::setStarting() {
    phase_ = core::RunPhase::Running;
    setText(tr("Starting"));
}

void PhasePill::setText(const QString& text) {
    update();
    if (text == text_) return;
    text_ = text;
    setAccessibleName(tr("State of the run: %1").arg(text));
    updateGeometry();
}

QSize PhasePill::sizeHint() const {
    const QFontMetrics metrics(textFont(TextRole::Caption));
    return {metrics.horizontalAdvance(text_) + kDot + 6 + 2 * 10, metrics.height() + 6};
}

void PhasePill::paintEvent(QPaintEvent*) {
    const Colors colors = colorsOf(phase_);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colors.plate);
    painter.drawRoundedRect(rect(), height() / 2.0, height() / 2.0);
    painter.setBrush(colors.ink);
    painter.drawEllipse(QRectF(10, (height() - kDot) / 2.0, kDot, kDot));
    painter.setPen(colors.ink);
    painter.setFont(textFont(TextRole::Caption));
    painter.drawText(rect().adjusted(10 + kDot + 6, 0, -6, 0), Qt::AlignLeft | Qt::AlignVCenter,
                     text_);
}

}  // namespace ui
