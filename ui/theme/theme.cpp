// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/theme.h"

#include "ui/theme/stylesheet.h"
#include "ui/theme/system_scheme.h"

#include <QAbstractButton>
#include <QEvent>
#include <QFontDatabase>
#include <QFrame>
#include <QPalette>
#include <QSettings>
#include <QStyle>
#include <QStyleFactory>
#include <QVariant>
#include <QWidget>

#include <algorithm>

static void loadResources() { Q_INIT_RESOURCE(upcycler); }

namespace ui {
namespace {

const QString kSettingsKey = QStringLiteral("view/theme");
constexpr double kSmallestPointSize = 10.0;

ThemeMode modeFromText(const QString& text) {
    if (text == QStringLiteral("light")) return ThemeMode::Light;
    if (text == QStringLiteral("dark")) return ThemeMode::Dark;
    return ThemeMode::System;
}

QString modeText(ThemeMode mode) {
    switch (mode) {
        case ThemeMode::Light:
            return QStringLiteral("light");
        case ThemeMode::Dark:
            return QStringLiteral("dark");
        case ThemeMode::System:
            break;
    }
    return QStringLiteral("system");
}

/// Inter where it is installed (its figures and small sizes read well), else the desktop's font.
QFont applicationFont(QFont font) {
    const QStringList families = QFontDatabase::families();
    if (families.contains(QStringLiteral("Inter"))) font.setFamily(QStringLiteral("Inter"));
    font.setPointSizeF(std::max(font.pointSizeF(), kSmallestPointSize));
    return font;
}

void repolish(QWidget* widget) {
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
}

}  // namespace

const Tokens& tokens() {
    const QColor window = QGuiApplication::palette().color(QPalette::Window);
    return window.lightness() < 128 ? darkTokens() : lightTokens();
}

QFont textFont(TextRole role) {
    QFont font = QApplication::font();
    const double base = font.pointSizeF();
    switch (role) {
        case TextRole::Body:
            break;
        case TextRole::Caption:
            font.setPointSizeF(base * 0.86);
            break;
        case TextRole::Strong:
            font.setWeight(QFont::DemiBold);
            break;
        case TextRole::Title:
            font.setPointSizeF(base * 1.12);
            font.setWeight(QFont::DemiBold);
            break;
        case TextRole::Heading:
            font.setPointSizeF(base * 1.4);
            font.setWeight(QFont::DemiBold);
            break;
        case TextRole::Display:
            font.setPointSizeF(base * 2.1);
            font.setWeight(QFont::DemiBold);
            break;
        case TextRole::Mono: {
            QFont mono = QFontDatabase::systemFont(QFontDatabase::FixedFont);
            mono.setPointSizeF(base * 0.92);
            return mono;
        }
    }
    return font;
}

void setTextRole(QWidget* widget, TextRole role, bool muted) {
    widget->setFont(textFont(role));
    widget->setProperty("muted", muted);
    repolish(widget);
}

void setButtonKind(QAbstractButton* button, ButtonKind kind) {
    static constexpr const char* kNames[] = {"default", "primary", "danger", "ghost", "segment"};
    button->setProperty("kind", QLatin1String(kNames[static_cast<int>(kind)]));
    repolish(button);
}

void setCard(QFrame* frame) {
    frame->setProperty("card", true);
    repolish(frame);
}

ThemeWatcher::ThemeWatcher(QObject* parent) : QObject(parent) { qApp->installEventFilter(this); }

bool ThemeWatcher::eventFilter(QObject* watched, QEvent* event) {
    if (watched == qApp && event->type() == QEvent::ApplicationPaletteChange) Q_EMIT changed();
    return false;
}

Theme::Theme(QApplication& application) : application_(application) {
    loadResources();
    systemDark_ = QGuiApplication::palette().color(QPalette::Window).lightness() < 128;
    mode_ = modeFromText(QSettings().value(kSettingsKey).toString());
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    QApplication::setFont(applicationFont(QApplication::font()));
    followSystem();
    apply();
}

void Theme::setMode(ThemeMode mode) {
    if (mode == mode_) return;
    mode_ = mode;
    QSettings().setValue(kSettingsKey, modeText(mode));
    apply();
    Q_EMIT modeChanged(mode);
}

void Theme::apply() {
    const bool dark = mode_ == ThemeMode::Dark || (mode_ == ThemeMode::System && systemDark_);
    const Tokens& t = dark ? darkTokens() : lightTokens();
    QApplication::setPalette(paletteFor(t));
    application_.setStyleSheet(styleSheetFor(t, QApplication::font()));
}

void Theme::followSystem() {
    auto* scheme = new SystemScheme(this);
    connect(scheme, &SystemScheme::darkChanged, this, [this](bool dark) {
        systemDark_ = dark;
        if (mode_ == ThemeMode::System) apply();
    });
}

}  // namespace ui
