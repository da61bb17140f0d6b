// SPDX-License-Identifier: Apache-2.0
#include "core/base/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace {

TEST(FormatBytes, DecimalUnits) {
    EXPECT_EQ(core::formatBytes(0), "0 B");
    EXPECT_EQ(core::formatBytes(999), "999 B");
    EXPECT_EQ(core::formatBytes(1000), "1.00 kB");
    EXPECT_EQ(core::formatBytes(1.14e9), "1.14 GB");
    EXPECT_EQ(core::formatBytes(77e6), "77.0 MB");
    EXPECT_EQ(core::formatBytes(999.6e3), "1.00 MB");
    EXPECT_EQ(core::formatBytes(5e15), "5000.0 TB");
}

TEST(FormatCount, FieldLetters) {
    EXPECT_EQ(core::formatCount(12), "12");
    EXPECT_EQ(core::formatCount(4700), "4.70 k");
    EXPECT_EQ(core::formatCount(148.6e6), "148.6 M");
    EXPECT_EQ(core::formatCount(2.003e9), "2.00 B");
    EXPECT_EQ(core::formatCount(1e12), "1.00 T");
}

TEST(FormatDuration, FromSecondsToHours) {
    EXPECT_EQ(core::formatDuration(0.4), "0 s");
    EXPECT_EQ(core::formatDuration(12), "12 s");
    EXPECT_EQ(core::formatDuration(59.7), "1 min 00 s");
    EXPECT_EQ(core::formatDuration(245), "4 min 05 s");
    EXPECT_EQ(core::formatDuration(3600 * 3 + 60 * 12), "3 h 12 min");
}

TEST(FormatDuration, WhatIsNoDurationIsUnknown) {
    EXPECT_EQ(core::formatDuration(-1), "unknown");
    EXPECT_EQ(core::formatDuration(std::numeric_limits<double>::infinity()), "unknown");
    EXPECT_EQ(core::formatDuration(std::numeric_limits<double>::quiet_NaN()), "unknown");
}

TEST(IsUtf8, AcceptsWellFormedText) {
    EXPECT_TRUE(core::isUtf8(""));
    EXPECT_TRUE(core::isUtf8("plain"));
    EXPECT_TRUE(core::isUtf8("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"));
    EXPECT_TRUE(core::isUtf8("\xF4\x8F\xBF\xBF"));  // U+10FFFF
}

TEST(IsUtf8, RefusesTheRest) {
    EXPECT_FALSE(core::isUtf8("\x80"));              // continuation alone
    EXPECT_FALSE(core::isUtf8("\xC3"));              // cut short
    EXPECT_FALSE(core::isUtf8("\xC0\xAF"));          // overlong
    EXPECT_FALSE(core::isUtf8("\xE0\x80\x80"));      // overlong
    EXPECT_FALSE(core::isUtf8("\xED\xA0\x80"));      // surrogate
    EXPECT_FALSE(core::isUtf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
    EXPECT_FALSE(core::isUtf8("\xFF"));
}

TEST(Printable, EscapesControlCharacters) {
    EXPECT_EQ(core::printable("a\nb\x1B[0m\x7F"), "a\\x0ab\\x1b[0m\\x7f");
    EXPECT_EQ(core::printable("caf\xC3\xA9"), "caf\xC3\xA9");
}

TEST(Printable, CutsLongText) {
    EXPECT_EQ(core::printable("abcdefgh", 4), "abcd...");
    EXPECT_EQ(core::printable("abcd", 4), "abcd");
    EXPECT_EQ(core::printable("caf\xC3\xA9s", 4), "caf\xC3\xA9...");
    EXPECT_EQ(core::printable("caf\xC3\xA9", 4), "caf\xC3\xA9");
}

TEST(Printable, NeverGivesBrokenUtf8) {
    EXPECT_EQ(core::printable("\xFF\xFE broken"), "\\xff\\xfe broken");
}

}  // namespace
