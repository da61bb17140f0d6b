// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/tokens.h"

namespace ui {
namespace {

QColor rgb(unsigned value) { return QColor::fromRgb(static_cast<QRgb>(0xFF000000U | value)); }

Tokens makeLight() {
    Tokens t;
    t.dark = false;
    t.window = rgb(0xF6F6F8);
    t.surface = rgb(0xFFFFFF);
    t.sunken = rgb(0xF1F1F4);
    t.raised = rgb(0xFFFFFF);
    t.hover = rgb(0xEDEDF1);
    t.pressed = rgb(0xE3E3E9);
    t.border = rgb(0xE4E4E9);
    t.borderStrong = rgb(0xCFCFD8);
    t.text = rgb(0x1A1A1F);
    t.textMuted = rgb(0x5C5D68);
    t.textFaint = rgb(0x6A6B76);
    t.accent = rgb(0x5753C9);
    t.accentHover = rgb(0x4C48BD);
    t.accentPressed = rgb(0x413EA8);
    t.onAccent = rgb(0xFFFFFF);
    t.accentSoft = rgb(0xEEEDFB);
    t.accentBorder = rgb(0xC3C1F0);
    t.accentText = rgb(0x4A46BE);
    t.success = rgb(0x18794E);
    t.successSoft = rgb(0xE6F6EC);
    t.warning = rgb(0x8A5A00);
    t.warningSoft = rgb(0xFDF3D7);
    t.danger = rgb(0xC22B31);
    t.dangerSoft = rgb(0xFDECEC);
    t.grid = rgb(0xEBEBEF);
    t.series = {rgb(0x3A66DB), rgb(0xC9541D), rgb(0x0E8A70), rgb(0xA63692),
                rgb(0x8A6B00), rgb(0x1D89B8), rgb(0x7A4B3A), rgb(0x6B53D0)};
    t.ramp = {rgb(0xF1F1F4), rgb(0xC9D5F2), rgb(0x8E9FE6), rgb(0x5D57C9), rgb(0x2F1F73)};
    t.diverging = {rgb(0x123C7C), rgb(0x6D9BD8), rgb(0xF4F4F6), rgb(0xEE9F5D), rgb(0x8F3A00)};
    t.signal = rgb(0xD400A6);
    return t;
}

Tokens makeDark() {
    Tokens t;
    t.dark = true;
    t.window = rgb(0x101012);
    t.surface = rgb(0x18181B);
    t.sunken = rgb(0x121214);
    t.raised = rgb(0x222226);
    t.hover = rgb(0x242428);
    t.pressed = rgb(0x2D2D33);
    t.border = rgb(0x2A2A30);
    t.borderStrong = rgb(0x3E3F47);
    t.text = rgb(0xEDEDF0);
    t.textMuted = rgb(0xA7A8B3);
    t.textFaint = rgb(0x888994);
    t.accent = rgb(0x6560D6);
    t.accentHover = rgb(0x6A65DB);
    t.accentPressed = rgb(0x5853C4);
    t.onAccent = rgb(0xFFFFFF);
    t.accentSoft = rgb(0x23223F);
    t.accentBorder = rgb(0x45438A);
    t.accentText = rgb(0xB3B0FF);
    t.success = rgb(0x4CC38A);
    t.successSoft = rgb(0x12291F);
    t.warning = rgb(0xF0B13C);
    t.warningSoft = rgb(0x30240C);
    t.danger = rgb(0xFF7076);
    t.dangerSoft = rgb(0x35191B);
    t.grid = rgb(0x26262B);
    t.series = {rgb(0x7DA3FF), rgb(0xFF9457), rgb(0x3FCFAE), rgb(0xEE86D2),
                rgb(0xE6C24A), rgb(0x58BDE8), rgb(0xC99A86), rgb(0xAC9BFF)};
    t.ramp = {rgb(0x1D1D22), rgb(0x2C2A63), rgb(0x524DBE), rgb(0x8C97EE), rgb(0xE3ECFF)};
    t.diverging = {rgb(0xA9CEFF), rgb(0x3F78C4), rgb(0x1B1B1F), rgb(0xC06A22), rgb(0xFFD0A1)};
    t.signal = rgb(0xFF4FDB);
    return t;
}

}  // namespace

const Tokens& lightTokens() {
    static const Tokens kTokens = makeLight();
    return kTokens;
}

const Tokens& darkTokens() {
    static const Tokens kTokens = makeDark();
    return kTokens;
}

}  // namespace ui
