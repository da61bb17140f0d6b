// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/stylesheet.h"

#include <QFile>
#include <QRegularExpression>

#include <map>

namespace ui {
namespace {

QString points(double value) { return QString::number(value, 'f', 2) + QStringLiteral("pt"); }

std::map<QString, QString> variables(const Tokens& t, const QFont& base) {
    const auto name = [](const QColor& color) { return color.name(QColor::HexRgb); };
    const double size = base.pointSizeF();
    return {{QStringLiteral("window"), name(t.window)},
            {QStringLiteral("surface"), name(t.surface)},
            {QStringLiteral("sunken"), name(t.sunken)},
            {QStringLiteral("raised"), name(t.raised)},
            {QStringLiteral("hover"), name(t.hover)},
            {QStringLiteral("pressed"), name(t.pressed)},
            {QStringLiteral("border"), name(t.border)},
            {QStringLiteral("borderStrong"), name(t.borderStrong)},
            {QStringLiteral("text"), name(t.text)},
            {QStringLiteral("textMuted"), name(t.textMuted)},
            {QStringLiteral("textFaint"), name(t.textFaint)},
            {QStringLiteral("accent"), name(t.accent)},
            {QStringLiteral("accentHover"), name(t.accentHover)},
            {QStringLiteral("accentPressed"), name(t.accentPressed)},
            {QStringLiteral("onAccent"), name(t.onAccent)},
            {QStringLiteral("accentSoft"), name(t.accentSoft)},
            {QStringLiteral("accentBorder"), name(t.accentBorder)},
            {QStringLiteral("accentText"), name(t.accentText)},
            {QStringLiteral("success"), name(t.success)},
            {QStringLiteral("successSoft"), name(t.successSoft)},
            {QStringLiteral("warning"), name(t.warning)},
            {QStringLiteral("warningSoft"), name(t.warningSoft)},
            {QStringLiteral("danger"), name(t.danger)},
            {QStringLiteral("dangerSoft"), name(t.dangerSoft)},
            {QStringLiteral("captionSize"), points(size * 0.86)},
            {QStringLiteral("shade"), t.dark ? QStringLiteral("dark") : QStringLiteral("light")}};
}

}  // namespace

QPalette paletteFor(const Tokens& t) {
    QPalette palette;
    palette.setColor(QPalette::Window, t.window);
    palette.setColor(QPalette::WindowText, t.text);
    palette.setColor(QPalette::Base, t.surface);
    palette.setColor(QPalette::AlternateBase, t.sunken);
    palette.setColor(QPalette::Text, t.text);
    palette.setColor(QPalette::PlaceholderText, t.textFaint);
    palette.setColor(QPalette::Button, t.surface);
    palette.setColor(QPalette::ButtonText, t.text);
    palette.setColor(QPalette::BrightText, t.onAccent);
    palette.setColor(QPalette::ToolTipBase, t.raised);
    palette.setColor(QPalette::ToolTipText, t.text);
    palette.setColor(QPalette::Highlight, t.accent);
    palette.setColor(QPalette::HighlightedText, t.onAccent);
    palette.setColor(QPalette::Link, t.accentText);
    palette.setColor(QPalette::LinkVisited, t.accentText);
    palette.setColor(QPalette::Light, t.raised);
    palette.setColor(QPalette::Midlight, t.hover);
    palette.setColor(QPalette::Mid, t.borderStrong);
    palette.setColor(QPalette::Dark, t.borderStrong);
    palette.setColor(QPalette::Shadow, QColor(0, 0, 0, t.dark ? 160 : 60));
    for (const QPalette::ColorRole role :
         {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, t.textFaint);
    palette.setColor(QPalette::Disabled, QPalette::Highlight, t.pressed);
    palette.setColor(QPalette::Disabled, QPalette::HighlightedText, t.textFaint);
    return palette;
}

QString styleSheetFor(const Tokens& t, const QFont& base) {
    QFile file(QStringLiteral(":/theme.qss"));
    if (!file.open(QIODevice::ReadOnly)) return {};
    const QString sheet = QString::fromUtf8(file.readAll());
    const std::map<QString, QString> values = variables(t, base);
    static const QRegularExpression kVariable(QStringLiteral("@([A-Za-z]+)"));
    QString result;
    qsizetype from = 0;
    for (auto it = kVariable.globalMatch(sheet); it.hasNext();) {
        const QRegularExpressionMatch match = it.next();
        result += QStringView(sheet).mid(from, match.capturedStart() - from);
        const auto found = values.find(match.captured(1));
        result += found != values.end() ? found->second : match.captured(0);
        from = match.capturedEnd();
    }
    result += QStringView(sheet).mid(from);
    return result;
}

}  // namespace ui
