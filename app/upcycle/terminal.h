// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace upcycle {

/// Whether a stream (1 = stdout, 2 = stderr) is a terminal that understands ANSI sequences.
bool isTerminal(int descriptor);

/// Columns of the terminal; 80 where it is unknown.
int terminalColumns(int descriptor);

/// "######------" with a part done, 0..1; block characters.
std::string barText(double done, int width);

/// One block character a value, scaled from 0 to `top`.
std::string levelText(const std::vector<double>& values, double top);

/// A line of at most `width` block characters over all values (mean per column), scaled between
/// their smallest and largest; non-finite values are left out.
std::string sparkline(const std::vector<double>& values, int width);

/// Cuts UTF-8 text to `columns` characters.
std::string cutToColumns(std::string_view text, int columns);

}  // namespace upcycle
