// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/run/event.h"

#include <QString>

#include <string_view>
#include <vector>

namespace ui {

/// A sample of a text model, taken apart for showing: spans are named by the number of their marker
/// ("<extra_id_3>" is 3). All text is harmless: bounded, without control characters and without
/// those that turn the direction of writing.
struct SampleText {
    struct Piece {
        QString text;
        int span = -1;  ///< the number of a masked span, which stands here instead of text
    };
    struct Word {
        QString text;
        bool same = false;  ///< stands in the other side too, in the same order
    };
    struct Span {
        int number = -1;  ///< -1: what the model wrote before any marker
        std::vector<Word> filled, truth;
        bool same() const;
        /// Words of the truth that the filling has.
        int sameWords() const;
    };
    std::vector<Piece> input;
    std::vector<Span> spans;  ///< in the order of the input; then what the model adds of its own
    bool isCut = false;       ///< something was too long to be shown whole

    /// Spans whose filling is the truth.
    int right() const;
};

SampleText readSample(const core::SampleEvent& sample);

/// Text of any origin as it can be shown in one paragraph: at most `most` characters, an ellipsis
/// where it was longer; line breaks as an arrow, controls as "\x01", turning marks as "\u202e".
QString harmlessText(std::string_view text, qsizetype most);

}  // namespace ui
