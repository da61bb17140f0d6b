// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>

#include <array>

namespace ui {

/// The window's colours. Text colours have a contrast of at least 4.5 : 1 on `surface` and
/// `window`, series colours at least 3 : 1, and neighbours of the series stay apart for people who
/// see red and green alike.
struct Tokens {
    bool dark = false;

    QColor window;   ///< behind everything
    QColor surface;  ///< panels, cards, inputs
    QColor sunken;   ///< wells inside a panel: tables' headers, tracks
    QColor raised;   ///< menus, tool tips, hovering cards
    QColor hover;    ///< over a row or a flat button
    QColor pressed;
    QColor border;
    QColor borderStrong;  ///< outline of inputs and buttons

    QColor text;
    QColor textMuted;  ///< captions, units
    QColor textFaint;  ///< disabled, placeholders

    QColor accent;
    QColor accentHover;
    QColor accentPressed;
    QColor onAccent;      ///< text on accent
    QColor accentSoft;    ///< selected rows, MoE cells
    QColor accentBorder;  ///< outline of what is soft
    QColor accentText;    ///< accent as text on surface or accentSoft

    QColor success;
    QColor successSoft;
    QColor warning;
    QColor warningSoft;
    QColor danger;
    QColor dangerSoft;

    QColor grid;                      ///< lines inside charts
    std::array<QColor, 8> series;     ///< lines and bars of charts, in this order
    std::array<QColor, 5> ramp;       ///< sequential scale for heat maps, from low to high
    std::array<QColor, 5> diverging;  ///< below, at and above zero; blue and orange, which people
                                      ///< who see red and green alike tell apart
    QColor signal;                    ///< NaN and infinity on such a scale
};

const Tokens& lightTokens();
const Tokens& darkTokens();

/// Gaps and paddings in logical pixels.
namespace space {
inline constexpr int kXs = 4;
inline constexpr int kS = 8;
inline constexpr int kM = 12;
inline constexpr int kL = 16;
inline constexpr int kXl = 24;
}  // namespace space

/// Corner radii in logical pixels.
namespace radius {
inline constexpr int kS = 4;
inline constexpr int kM = 6;
inline constexpr int kL = 10;
}  // namespace radius

}  // namespace ui
