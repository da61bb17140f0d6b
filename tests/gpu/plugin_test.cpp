// SPDX-License-Identifier: Apache-2.0
#include "gpu/plugin.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

namespace {

#ifdef UPCYCLE_CUDA_PLUGIN
constexpr const char* kPlugin = UPCYCLE_CUDA_PLUGIN;
#else
constexpr const char* kPlugin = nullptr;
#endif

class CudaPlugin : public testing::Test {
  protected:
    void SetUp() override {
        if (kPlugin == nullptr)
            GTEST_SKIP() << "the CUDA plug-in was not built: nvcc was not found";
        library_ = dlopen(kPlugin, RTLD_NOW | RTLD_LOCAL);
        if (library_ == nullptr)
            GTEST_SKIP() << "the CUDA plug-in does not open here: " << dlerror();
    }

    template <typename Function>
    Function* symbol(const char* name) {
        return reinterpret_cast<Function*>(dlsym(library_, name));
    }

    void* library_ = nullptr;  // stays open: the CUDA runtime does not like to be unloaded
};

TEST_F(CudaPlugin, SpeaksTheInterfaceOfThisBuild) {
    auto* const abi = symbol<decltype(upcycleCudaAbi)>("upcycleCudaAbi");
    ASSERT_NE(abi, nullptr);
    EXPECT_EQ(abi(), kUpcycleCudaAbi);
}

TEST_F(CudaPlugin, SaysWhyADeviceCannotBeUsed) {
    auto* const probe = symbol<decltype(upcycleCudaProbe)>("upcycleCudaProbe");
    ASSERT_NE(probe, nullptr);
    std::array<UpcycleCudaDevice, 8> devices{};
    std::array<char, 256> error{};
    const int count = probe(devices.data(), static_cast<int>(devices.size()), error.data(),
                            static_cast<int>(error.size()));
    if (count < 0) {
        EXPECT_FALSE(std::string(error.data()).empty());
        return;
    }
    for (int i = 0; i < count && i < static_cast<int>(devices.size()); ++i) {
        const UpcycleCudaDevice& device = devices.at(static_cast<std::size_t>(i));
        EXPECT_EQ(device.usable == 0, !std::string(device.reason).empty())
            << device.name << ": " << device.reason;
        if (device.usable != 0) {
            EXPECT_GT(device.totalBytes, 0U);
        }
    }
}

TEST_F(CudaPlugin, ProvesARealDevice) {
    auto* const probe = symbol<decltype(upcycleCudaProbe)>("upcycleCudaProbe");
    ASSERT_NE(probe, nullptr);
    std::array<UpcycleCudaDevice, 8> devices{};
    std::array<char, 256> error{};
    const int count = probe(devices.data(), static_cast<int>(devices.size()), error.data(),
                            static_cast<int>(error.size()));
    if (count <= 0)
        GTEST_SKIP() << "no CUDA device: " << (count < 0 ? error.data() : "the driver lists none");
    EXPECT_EQ(devices[0].usable, 1) << devices[0].reason;
}

}  // namespace
