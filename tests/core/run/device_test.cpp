// SPDX-License-Identifier: Apache-2.0
#include "core/run/device.h"

#include "core/base/error.h"
#include "core/cpu/cpu_backend.h"
#include "core/run/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace core {
namespace {

class DeviceTest : public testing::Test {
  protected:
    void SetUp() override { ::setenv("UPCYCLER_CUDA_PLUGIN", "/no/such/plugin.so", 1); }
    void TearDown() override { ::unsetenv("UPCYCLER_CUDA_PLUGIN"); }
};

TEST_F(DeviceTest, TheCpuIsChosenAndTheReasonSaysWhyNoCuda) {
    const std::vector<DeviceInfo> devices = listDevices();
    ASSERT_GE(devices.size(), 2U);
    EXPECT_EQ(devices[0].name, "cpu");
    EXPECT_TRUE(devices[0].chosen);
    EXPECT_NE(devices[0].reason.find("not installed"), std::string::npos) << devices[0].reason;
    EXPECT_EQ(std::count_if(devices.begin(), devices.end(),
                            [](const DeviceInfo& device) { return device.chosen; }),
              1);
}

TEST_F(DeviceTest, AutoTakesTheCpu) {
    const DeviceChoice choice = makeBackend("auto", 1);
    EXPECT_EQ(choice.backend->name(), "cpu");
    EXPECT_NE(choice.reason.find("not installed"), std::string::npos) << choice.reason;
    EXPECT_EQ(makeBackend("cpu", 1).backend->name(), "cpu");
}

TEST_F(DeviceTest, AFileThatIsNoLibraryIsAReasonAndNoCrash) {
    ::setenv("UPCYCLER_CUDA_PLUGIN", "/proc/self/status", 1);
    EXPECT_NE(makeBackend("auto", 1).reason.find("cannot be opened"), std::string::npos);
}

TEST_F(DeviceTest, CudaThatIsNotThereIsADeviceError) {
    for (const char* name : {"cuda", "cuda:3"}) {
        try {
            makeBackend(name, 1);
            FAIL() << name;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Device);
            EXPECT_NE(std::string(error.what()).find("not installed"), std::string::npos);
        }
    }
}

TEST_F(DeviceTest, OtherWordsAreUsageErrors) {
    for (const char* name : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "CPU"}) {
        try {
            makeBackend(name, 1);
            FAIL() << name;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Usage) << name;
        }
    }
}

TEST(Computable, F32AndBf16AndNothingElse) {
    EXPECT_NO_THROW(requireComputable(DType::F32));
    EXPECT_NO_THROW(requireComputable(DType::BF16));
    try {
        requireComputable(DType::F16);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Usage);
        EXPECT_NE(std::string(error.what()).find("f16"), std::string::npos);
    }
}

TEST(Computable, AProcessorWithoutTheUnitSaysHowItComputesBf16) {
    const DeviceChoice cpu = makeBackend("cpu", 1);
    EXPECT_EQ(howComputed(DType::F32, *cpu.backend), "");
    EXPECT_EQ(howComputed(DType::BF16, *cpu.backend).empty(), cpuComputesBf16());
}

TEST(Memory, IsBoundedAndAsked) {
    const std::uint64_t available = availableMemoryBytes();
    EXPECT_GT(available, std::uint64_t{1} << 20);
    EXPECT_LT(available, std::uint64_t{1} << 50);
    EXPECT_NO_THROW(requireMemoryBytes(1, "x"));
    try {
        requireMemoryBytes(std::uint64_t{1} << 60, "training");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::OutOfMemory);
        EXPECT_NE(std::string(error.what()).find("training needs"), std::string::npos);
    }
}

}  // namespace
}  // namespace core
