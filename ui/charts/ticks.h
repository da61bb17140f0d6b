// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

#include <vector>

namespace ui {

/// How the values of an axis are said: as they are, or a share as "3.4 %".
enum class ValueFormat { Plain, Percent };

struct Tick {
    double value = 0;
    QString label;
};

/// An axis: the range that is drawn and where it is labelled.
struct Axis {
    double from = 0, to = 1;
    bool logarithmic = false;
    std::vector<Tick> ticks;

    /// Where `value` lies: 0 at `from`, 1 at `to`.
    double position(double value) const;
    /// The inverse of position.
    double valueAt(double position) const;
};

/// At most about `count` round values (1, 2 or 5 times a power of ten) inside [from, to], with
/// labels of equal precision. REQUIRES: from < to, finite.
std::vector<Tick> linearTicks(double from, double to, int count,
                              ValueFormat format = ValueFormat::Plain);

/// Round values for a logarithmic axis: powers of ten over several decades, 1-2-5 below, plain
/// round values within one. REQUIRES: 0 < from < to.
std::vector<Tick> logTicks(double from, double to, int count,
                           ValueFormat format = ValueFormat::Plain);

/// The smallest range of round values that holds [low, high], widened when it is a single value.
Axis roundedAxis(double low, double high, bool logarithmic, int count,
                 ValueFormat format = ValueFormat::Plain);

/// A value for people: four significant digits, "1.234e-05" below 1e-4, "12.3 k" from 10 000,
/// "not finite" words for NaN and infinities.
QString valueText(double value, ValueFormat format = ValueFormat::Plain);

}  // namespace ui
