// SPDX-License-Identifier: Apache-2.0
#include "gpu/plugin.h"

#include "core/ops/backend.h"

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

    void probe() {
        auto* const function = symbol<decltype(upcycleCudaProbe)>("upcycleCudaProbe");
        ASSERT_NE(function, nullptr);
        count_ = function(devices_.data(), static_cast<int>(devices_.size()), error_.data(),
                          static_cast<int>(error_.size()));
    }

    std::array<UpcycleCudaDevice, 8> devices_{};
    std::array<char, 256> error_{};
    int count_ = 0;  ///< of devices; below 0 there is an error

  private:
    void* library_ = nullptr;  // stays open: the CUDA runtime does not like to be unloaded
};

TEST_F(CudaPlugin, SpeaksTheInterfaceOfThisBuild) {
    auto* const abi = symbol<decltype(upcycleCudaAbi)>("upcycleCudaAbi");
    ASSERT_NE(abi, nullptr);
    EXPECT_EQ(abi(), kUpcycleCudaAbi);
    auto* const version = symbol<decltype(upcycleCudaVersion)>("upcycleCudaVersion");
    ASSERT_NE(version, nullptr);
    EXPECT_EQ(std::string(version()), UPCYCLER_VERSION);
}

TEST_F(CudaPlugin, MakesABackendOrSaysWhyNot) {
    auto* const create = symbol<decltype(upcycleCudaCreate)>("upcycleCudaCreate");
    ASSERT_NE(create, nullptr);
    ASSERT_NO_FATAL_FAILURE(probe());
    std::array<char, 256> error{};
    const std::unique_ptr<core::Backend> backend(
        create(0, error.data(), static_cast<int>(error.size())));
    if (count_ > 0 && devices_[0].usable != 0)
        EXPECT_NE(backend, nullptr) << error.data();
    else
        EXPECT_EQ(backend, nullptr);
    EXPECT_EQ(backend == nullptr, !std::string(error.data()).empty());
}

TEST_F(CudaPlugin, SaysWhyADeviceCannotBeUsed) {
    ASSERT_NO_FATAL_FAILURE(probe());
    if (count_ < 0) {
        EXPECT_FALSE(std::string(error_.data()).empty());
        return;
    }
    for (int i = 0; i < count_ && i < static_cast<int>(devices_.size()); ++i) {
        const UpcycleCudaDevice& device = devices_.at(static_cast<std::size_t>(i));
        EXPECT_EQ(device.usable == 0, !std::string(device.reason).empty())
            << device.name << ": " << device.reason;
        if (device.usable != 0) {
            EXPECT_GT(device.totalBytes, 0U);
        }
    }
}

TEST_F(CudaPlugin, ProvesARealDevice) {
    ASSERT_NO_FATAL_FAILURE(probe());
    if (count_ <= 0)
        GTEST_SKIP() << "no CUDA device: "
                     << (count_ < 0 ? error_.data() : "the driver lists none");
    EXPECT_EQ(devices_[0].usable, 1) << devices_[0].reason;
}

}  // namespace
