// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"

#include <gtest/gtest.h>

namespace {

using core::Error;
using core::ErrorKind;

TEST(Error, CarriesKindMessageAndHint) {
    const Error error(ErrorKind::BadInput, "weights.bin is empty", "download it again");
    EXPECT_EQ(error.kind(), ErrorKind::BadInput);
    EXPECT_STREQ(error.what(), "weights.bin is empty");
    EXPECT_EQ(error.hint(), "download it again");
}

TEST(Error, ExitCodesAreTheContract) {
    EXPECT_EQ(core::exitCode(ErrorKind::Usage), 2);
    EXPECT_EQ(core::exitCode(ErrorKind::BadInput), 3);
    EXPECT_EQ(core::exitCode(ErrorKind::Device), 4);
    EXPECT_EQ(core::exitCode(ErrorKind::OutOfMemory), 5);
    EXPECT_EQ(core::exitCode(ErrorKind::DiskFull), 5);
    EXPECT_EQ(core::exitCode(ErrorKind::Stopped), 6);
    EXPECT_EQ(core::exitCode(ErrorKind::Internal), 1);
}

TEST(Error, KindsHaveStableNames) {
    EXPECT_EQ(core::errorKindName(ErrorKind::Usage), "usage");
    EXPECT_EQ(core::errorKindName(ErrorKind::BadInput), "bad-input");
    EXPECT_EQ(core::errorKindName(ErrorKind::Device), "device");
    EXPECT_EQ(core::errorKindName(ErrorKind::OutOfMemory), "out-of-memory");
    EXPECT_EQ(core::errorKindName(ErrorKind::DiskFull), "disk-full");
    EXPECT_EQ(core::errorKindName(ErrorKind::Stopped), "stopped");
    EXPECT_EQ(core::errorKindName(ErrorKind::Internal), "internal");
}

TEST(Check, SaysConditionPlaceAndText) {
    try {
        CORE_CHECK(1 + 1 == 3, "sums");
        FAIL() << "the check let it pass";
    } catch (const core::CheckFailure& failure) {
        const std::string text = failure.what();
        EXPECT_NE(text.find("1 + 1 == 3"), std::string::npos);
        EXPECT_NE(text.find("error_test.cpp"), std::string::npos);
        EXPECT_NE(text.find("sums"), std::string::npos);
    }
}

TEST(Check, EvaluatesItsTextOnlyOnFailure) {
    int calls = 0;
    const auto text = [&] {
        ++calls;
        return std::string("text");
    };
    CORE_CHECK(true, text());
    EXPECT_EQ(calls, 0);
}

}  // namespace
