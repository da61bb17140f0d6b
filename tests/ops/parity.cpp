// SPDX-License-Identifier: Apache-2.0
#include "tests/ops/parity.h"

#include "core/base/random.h"
#include "core/ops/assignment.h"
#include "core/ops/routing.h"
#include "core/tensor/convert.h"
#include "tests/ops/exact_assignment.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace parity {

using core::BFloat16;
using core::DType;
using core::Shape;
using core::Tensor;

namespace {

/// Rounding to the 8 bits of bf16.
constexpr double kBf16Rounding = 0x1.0p-8;
/// Of a BF16 result: sums are F32 inside, and the result is rounded once.
constexpr double kBf16Tolerance = kBf16Rounding + 1e-4;

std::vector<BFloat16> narrowed(const Values& values) {
    std::vector<BFloat16> result;
    result.reserve(values.size());
    for (const double value : values)
        result.push_back({core::floatToBf16(static_cast<float>(value))});
    return result;
}

}  // namespace

double representable(double x) {
    return static_cast<double>(core::bf16ToFloat(core::floatToBf16(static_cast<float>(x))));
}

Values randomValues(std::int64_t n, std::uint64_t seed, double scale) {
    const core::CounterRandom random(core::hashName(seed, "parity"));
    Values values(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = representable(static_cast<double>(random.normal(i)) * scale);
    return values;
}

double dot(const Values& a, const Values& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

Values plus(Values a, const Values& b) {
    std::transform(a.begin(), a.end(), b.begin(), a.begin(), std::plus<>());
    return a;
}

std::string caseName(const testing::TestParamInfo<BackendCase>& row) { return row.param.name; }

void OpsTest::SetUp() {
    MadeBackend made = GetParam().make();
    if (made.backend == nullptr) GTEST_SKIP() << GetParam().name << ": " << made.absence;
    backend_ = std::move(made.backend);
}

Tensor OpsTest::scalar() {
    return upload(Tensor::of<double>({1}, std::vector{std::numeric_limits<double>::quiet_NaN()}));
}

Tensor OpsTest::upload(const Tensor& host) {
    Tensor device(backend_->allocate(host.bytes()), 0, host.shape(), host.dtype());
    backend_->upload(device, host);
    return device;
}

Tensor OpsTest::toHost(const Tensor& device) {
    Tensor host = Tensor::host(device.shape(), device.dtype());
    backend_->download(host, device);
    backend_->synchronize();
    return host;
}

double OpsTest::rounding() const { return dtype() == DType::BF16 ? kBf16Rounding : 0.0; }

Tensor OpsTest::tensor(Shape shape, const Values& values) {
    if (dtype() == DType::F32) return f32(std::move(shape), values);
    return upload(Tensor::of<BFloat16>(std::move(shape), narrowed(values)));
}

Tensor OpsTest::f32(Shape shape, const Values& values) {
    const std::vector<float> floats(values.begin(), values.end());
    return upload(Tensor::of<float>(std::move(shape), floats));
}

Tensor OpsTest::number64(const std::vector<double>& values) {
    return upload(Tensor::of<double>({static_cast<std::int64_t>(values.size())}, values));
}

Tensor OpsTest::labels(const std::vector<std::int64_t>& values) {
    return upload(Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

Tensor OpsTest::mask(const std::vector<std::uint8_t>& values) {
    return upload(Tensor::of<std::uint8_t>({static_cast<std::int64_t>(values.size())}, values));
}

core::Assignment OpsTest::assignment(std::int64_t tokens,
                                     std::span<const std::vector<std::int32_t>> accepted) {
    core::Assignment made = core::ops::makeAssignment(tokens, accepted);
    for (Tensor* table : {&made.slotToken, &made.slotExpert, &made.tokenOffsets, &made.tokenSlots})
        *table = upload(*table);
    return made;
}

core::Assignment OpsTest::topK(const Tensor& scores, const core::RoutingGroups& groups,
                               const core::TopKRule& rule) {
    return exact(backend(), core::ops::topK(backend(), scores, groups, rule));
}

Tensor OpsTest::output(Shape shape) {
    const auto n = static_cast<std::size_t>(shape.elements());
    return tensor(std::move(shape), Values(n, std::numeric_limits<double>::quiet_NaN()));
}

Tensor OpsTest::f32Output(Shape shape) {
    const auto n = static_cast<std::size_t>(shape.elements());
    return f32(std::move(shape), Values(n, std::numeric_limits<double>::quiet_NaN()));
}

Values OpsTest::read(const Tensor& tensor) {
    const Tensor host = toHost(tensor);
    std::vector<float> floats(static_cast<std::size_t>(host.elements()));
    core::toFloats(floats, host.raw(), host.dtype());
    return {floats.begin(), floats.end()};
}

Values OpsTest::stored(const Values& values) const {
    Values result;
    result.reserve(values.size());
    for (const double value : values)
        result.push_back(dtype() == DType::BF16 ? representable(value)
                                                : static_cast<double>(static_cast<float>(value)));
    return result;
}

std::vector<std::int64_t> OpsTest::readInts(const Tensor& tensor) {
    const Tensor host = toHost(tensor);
    const auto ints = host.span<std::int32_t>();
    return {ints.begin(), ints.end()};
}

std::vector<std::byte> OpsTest::bytesOf(const Tensor& tensor) {
    const Tensor host = toHost(tensor);
    const auto bytes = host.rawSpan();
    return {bytes.begin(), bytes.end()};
}

void OpsTest::expectClose(const Tensor& actual, const Values& expected, const char* what,
                          double factor) {
    const double tolerance = actual.dtype() == DType::BF16 ? kBf16Tolerance : GetParam().tolerance;
    expectWithin(tolerance * factor, actual, expected, what);
}

void OpsTest::expectWithin(double relative, const Tensor& actual, const Values& expected,
                           const char* what) {
    const Values found = read(actual);
    ASSERT_EQ(found.size(), expected.size()) << what;
    double largest = 1e-30;
    for (const double value : expected) largest = std::max(largest, std::abs(value));
    const double allowed = relative * largest;
    for (std::size_t i = 0; i < found.size(); ++i)
        ASSERT_LE(std::abs(found[i] - expected[i]), allowed)
            << what << "[" << i << "] is " << found[i] << ", expected " << expected[i]
            << " (largest " << largest << ")";
}

void OpsTest::expectRefusal(const std::function<void()>& call, const std::string& words) {
    try {
        call();
    } catch (const core::CheckFailure& failure) {
        EXPECT_NE(std::string(failure.what()).find(words), std::string::npos)
            << failure.what() << "\nexpected: " << words;
        return;
    }
    FAIL() << "accepted, expected: " << words;
}

Tensor OpsTest::ofOtherType(Shape shape) {
    return upload(
        Tensor::zeros(std::move(shape), dtype() == DType::F32 ? DType::BF16 : DType::F32));
}

}  // namespace parity
