// SPDX-License-Identifier: Apache-2.0
// The CUDA backend around its ops, on the host SIMT harness: memory, faults of the device, the
// plug-in's interface.
#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/memory.h"
#include "core/ops/reduce.h"
#include "gpu/blas.h"
#include "gpu/cuda_backend.h"
#include "gpu/handles.h"
#include "gpu/plugin.h"
#include "tests/gpu/simt/runtime.h"

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using core::DType;
using core::ErrorKind;
using core::Shape;
using core::Tensor;

class CudaBackendOnHost : public testing::Test {
  protected:
    void TearDown() override {
        simt::loseDevice(0);
        simt::setDeviceMemory(std::size_t{64} << 30);
    }

    Tensor uploaded(const std::vector<float>& values) {
        return core::ops::toDevice(
            backend(), Tensor::of<float>({static_cast<std::int64_t>(values.size())}, values));
    }
    std::vector<float> downloaded(const Tensor& tensor) {
        const Tensor host = core::ops::readable(backend(), tensor);
        return {host.span<float>().begin(), host.span<float>().end()};
    }
    core::Backend& backend() { return *backend_; }

  private:
    std::unique_ptr<core::Backend> backend_ = gpu::makeCudaBackend(0);
};

std::string faultsOf(ErrorKind kind, const std::function<void()>& run) {
    try {
        run();
    } catch (const core::Error& error) {
        EXPECT_EQ(core::errorKindName(error.kind()), core::errorKindName(kind)) << error.what();
        EXPECT_FALSE(error.hint().empty()) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "no error";
    return {};
}

TEST_F(CudaBackendOnHost, SaysWhatItIs) {
    EXPECT_EQ(backend().name(), "cuda:0");
    EXPECT_NE(backend().description().find("host SIMT harness"), std::string::npos)
        << backend().description();
}

TEST_F(CudaBackendOnHost, UploadsOfAnySizeArriveAndAreReadAtOnce) {
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{5000000}}) {
        std::vector<float> values(n);
        for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(i % 1000003);
        const Tensor host = Tensor::of<float>({static_cast<std::int64_t>(n)}, values);
        const Tensor device = core::ops::toDevice(backend(), host);
        std::fill_n(host.data<float>(), n, -1.0F);  // the call has returned: the memory is ours
        EXPECT_EQ(downloaded(device), values);
    }
}

TEST_F(CudaBackendOnHost, RefusesHostTensorsAndOtherTypes) {
    const Tensor host = Tensor::zeros({3});
    EXPECT_THROW(core::ops::add(backend(), host, host, host), core::CheckFailure);
    const Tensor device = uploaded({1, 2, 3});
    EXPECT_THROW(backend().upload(device, Tensor::zeros({3}, DType::I32)), core::CheckFailure);
    EXPECT_THROW(backend().download(Tensor::zeros({4}), device), core::CheckFailure);
    EXPECT_THROW(backend().upload(host, host), core::CheckFailure);
}

TEST_F(CudaBackendOnHost, MemoryOfAGoneBufferIsGivenToTheNextOfItsSize) {
    const std::byte* first = nullptr;
    {
        const auto buffer = backend().allocate(5000);
        EXPECT_FALSE(buffer->onHost());
        EXPECT_EQ(buffer->bytes(), 5000U);
        first = buffer->data();
    }
    EXPECT_EQ(backend().allocate(5100)->data(), first) << "both need ten times 512 bytes";
    const auto kept = backend().allocate(5100);
    EXPECT_NE(backend().allocate(5100)->data(), kept->data());
}

TEST_F(CudaBackendOnHost, BuffersMayOutliveTheirBackend) {
    std::shared_ptr<core::Buffer> buffer;
    {
        const auto other = gpu::makeCudaBackend(0);
        buffer = other->allocate(100);
    }
    EXPECT_NE(buffer->data(), nullptr);
}

TEST_F(CudaBackendOnHost, AFullDeviceIsSaidInWords) {
    simt::setDeviceMemory(std::size_t{512} << 20);
    const std::string text = faultsOf(ErrorKind::OutOfMemory, [&] {
        backend().allocate(std::size_t{400} << 20);  // kept when it goes
        const auto held = backend().allocate(std::size_t{300} << 20);
        backend().allocate(std::size_t{256} << 20);
    });
    EXPECT_NE(text.find("256 MiB"), std::string::npos) << text;
    EXPECT_NE(text.find("of 512 MiB are free"), std::string::npos) << text;
    // And the backend lives.
    EXPECT_EQ(downloaded(uploaded({1, 2})), (std::vector<float>{1, 2}));
}

TEST_F(CudaBackendOnHost, ALostDeviceIsAnErrorOfTheDeviceFromThenOn) {
    const Tensor x = uploaded({1, 2, 3});
    simt::loseDevice(cudaErrorIllegalAddress);
    const std::string text = faultsOf(ErrorKind::Device, [&] { downloaded(x); });
    EXPECT_NE(text.find("an illegal memory access was encountered"), std::string::npos) << text;
    faultsOf(ErrorKind::Device, [&] { backend().synchronize(); });
    faultsOf(ErrorKind::Device, [&] { backend().allocate(std::size_t{1} << 30); });
}

/// The rules of cuBLASLt that its host implementation holds callers to.
TEST(BlasOnHost, FusesWhatTheDocumentationAllowsAndRefusesTheRest) {
    const gpu::Stream stream;
    gpu::Blas blas(stream.get());
    const gpu::DeviceMemory memory(4096);
    auto* const begin = static_cast<std::byte*>(memory.get());
    gpu::ProductArgs args;
    args.m = args.n = args.k = 8;
    args.a = args.b = begin;
    args.c = begin + 1024;
    EXPECT_TRUE(blas.supports(args));
    args.epilogue = gpu::Epilogue::Bias;
    EXPECT_FALSE(blas.supports(args)) << "no bias";
    args.bias = begin + 2048;
    EXPECT_TRUE(blas.supports(args));
    args.bias = begin + 2052;
    EXPECT_FALSE(blas.supports(args)) << "a bias at a multiple of 4 bytes";
    args.bias = begin + 2048;
    args.batch = 2;
    args.biasStride = 7;
    EXPECT_FALSE(blas.supports(args)) << "a second bias at a multiple of 4 bytes";
    args.biasStride = 8;
    EXPECT_TRUE(blas.supports(args));
    args.batch = 1;
    args.bias = nullptr;
    args.epilogue = gpu::Epilogue::Relu;
    EXPECT_TRUE(blas.supports(args)) << "with or without a bias";
    args.epilogue = gpu::Epilogue::BiasGradient;
    EXPECT_FALSE(blas.supports(args)) << "no place for the bias' gradient";
    args.biasGradient = begin + 2048;
    EXPECT_TRUE(blas.supports(args));
    args.epilogue = gpu::Epilogue::GeluTanh;
    EXPECT_FALSE(blas.supports(args)) << "no place for what backward needs";
    args.aux = begin + 3072;
    EXPECT_TRUE(blas.supports(args));
    args.n = 7;
    EXPECT_FALSE(blas.supports(args)) << "rows of seven";
    args.n = 8;
    args.type = DType::BF16;
    EXPECT_FALSE(gpu::Blas(stream.get()).supports([&] {
        gpu::ProductArgs mixed = args;
        mixed.type = DType::F32;
        mixed.resultType = DType::BF16;
        return mixed;
    }()))
        << "f32 matrices and a bf16 result";
    args.n = 7;
    EXPECT_THROW(blas.product(args), core::Error);
}

TEST(CudaPluginOnHost, HandsOutABackendOrSaysWhyNot) {
    std::array<char, 200> error{};
    const std::unique_ptr<core::Backend> backend(
        upcycleCudaCreate(0, error.data(), static_cast<int>(error.size())));
    ASSERT_NE(backend, nullptr) << error.data();
    EXPECT_EQ(backend->name(), "cuda:0");
    EXPECT_EQ(upcycleCudaCreate(7, error.data(), static_cast<int>(error.size())), nullptr);
    EXPECT_NE(std::string(error.data()).find("invalid device"), std::string::npos) << error.data();
    EXPECT_EQ(upcycleCudaAbi(), kUpcycleCudaAbi);
    EXPECT_EQ(std::string(upcycleCudaVersion()), UPCYCLER_VERSION);
}

TEST(CudaPluginOnHost, ProvesItsDevice) {
    std::array<UpcycleCudaDevice, 2> devices{};
    std::array<char, 200> error{};
    ASSERT_EQ(upcycleCudaProbe(devices.data(), 2, error.data(), static_cast<int>(error.size())), 1)
        << error.data();
    EXPECT_EQ(devices[0].usable, 1) << static_cast<const char*>(devices[0].reason);
    EXPECT_GT(devices[0].freeBytes, 0U);
}

TEST(CudaPluginOnHost, SaysWhyItsDeviceIsNotUsable) {
    std::array<UpcycleCudaDevice, 2> devices{};
    std::array<char, 200> error{};
    simt::setDeviceMemory(1000);
    const int count =
        upcycleCudaProbe(devices.data(), 2, error.data(), static_cast<int>(error.size()));
    simt::setDeviceMemory(std::size_t{64} << 30);
    ASSERT_EQ(count, 1);
    EXPECT_EQ(devices[0].usable, 0);
    EXPECT_NE(std::string(devices[0].reason).find("memory"), std::string::npos)
        << static_cast<const char*>(devices[0].reason);
}

}  // namespace
