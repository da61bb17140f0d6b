// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/ops/bench.h"

#include "core/base/random.h"
#include "core/ops/memory.h"
#include "core/run/device.h"

#include <array>

namespace ops_bench {
namespace {

constexpr std::array<Sizes, 3> kSizes{{{"demo", 128, 50, 96, 3, 384},
                                       {"vit-s", 8, 197, 384, 6, 1536},
                                       {"vit-b", 128, 197, 768, 12, 3072}}};

std::string& chosenDevice() {
    static std::string chosen = "cpu";
    return chosen;
}

std::vector<std::int64_t> threadCounts() {
    return onGpu() ? std::vector<std::int64_t>{1} : std::vector<std::int64_t>{1, 2};
}

benchmark::internal::Benchmark* add(const char* name, Function function) {
    return benchmark::RegisterBenchmark(name, function)
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
}

std::shared_ptr<core::Buffer> bufferFor(core::Backend& backend, const core::Shape& shape,
                                        core::DType dtype) {
    return backend.allocate(static_cast<std::size_t>(shape.elements()) * core::dtypeBytes(dtype));
}

}  // namespace

const std::string& device() { return chosenDevice(); }

void setDevice(const std::string& device) { chosenDevice() = device; }

bool onGpu() { return device() != "cpu"; }

const Sizes& sizesOf(const benchmark::State& state) {
    return kSizes.at(static_cast<std::size_t>(state.range(2)));
}

Bench::Bench(const benchmark::State& state)
    : backend_(core::makeBackend(device(), static_cast<int>(state.range(0))).backend),
      dtype_(state.range(1) == 0 ? core::DType::F32 : core::DType::BF16) {}

core::Tensor Bench::f32(core::Shape shape, std::uint64_t seed) {
    const core::Tensor host = core::Tensor::host(std::move(shape));
    const core::CounterRandom random(seed);
    std::uint64_t index = 0;
    for (float& value : host.span<float>()) value = random.normal(index++);
    return core::ops::toDevice(*backend_, host);
}

core::Tensor Bench::activations(core::Shape shape, std::uint64_t seed) {
    const core::Tensor wide = f32(std::move(shape), seed);
    if (dtype_ == core::DType::F32) return wide;
    const core::Tensor narrow(bufferFor(*backend_, wide.shape(), dtype_), 0, wide.shape(), dtype_);
    core::ops::copy(*backend_, narrow, wide);
    return narrow;
}

core::Tensor Bench::zeros(core::Shape shape) {
    return core::ops::toDevice(*backend_, core::Tensor::zeros(std::move(shape)));
}

core::Tensor Bench::one() {
    return core::ops::toDevice(*backend_, core::Tensor::of<float>({1}, std::vector{1.0F}));
}

core::Tensor Bench::number() {
    return core::ops::toDevice(*backend_, core::Tensor::zeros({1}, core::DType::F64));
}

core::Tensor Bench::ids(std::int64_t count, std::int64_t below) {
    const core::Tensor host = core::Tensor::host({count}, core::DType::I64);
    const core::CounterRandom random(1);
    std::uint64_t index = 0;
    for (std::int64_t& id : host.span<std::int64_t>())
        id = static_cast<std::int64_t>(random.below(index++, static_cast<std::uint64_t>(below)));
    return core::ops::toDevice(*backend_, host);
}

void countFlops(benchmark::State& state, double flopsPerCall) {
    state.counters["GFLOP/s"] = benchmark::Counter(
        flopsPerCall * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void countBytes(benchmark::State& state, double bytesPerCall) {
    state.counters["GB/s"] = benchmark::Counter(
        bytesPerCall * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void addSized(const char* name, Function function) {
    const std::vector<std::int64_t> sizes =
        onGpu() ? std::vector<std::int64_t>{1, 2} : std::vector<std::int64_t>{0, 1};
    add(name, function)
        ->ArgNames({"threads", "bf16", "size"})
        ->ArgsProduct({threadCounts(), {0, 1}, sizes});
}

void addPlain(const char* name, Function function, int cases) {
    std::vector<std::int64_t> numbers;
    for (int i = 0; i < cases; ++i) numbers.push_back(i);
    if (cases > 1)
        add(name, function)
            ->ArgNames({"threads", "bf16", "case"})
            ->ArgsProduct({threadCounts(), {0, 1}, numbers});
    else
        add(name, function)->ArgNames({"threads", "bf16"})->ArgsProduct({threadCounts(), {0, 1}});
}

void addF32(const char* name, Function function) {
    add(name, function)->ArgNames({"threads", "bf16"})->ArgsProduct({threadCounts(), {0}});
}

}  // namespace ops_bench
