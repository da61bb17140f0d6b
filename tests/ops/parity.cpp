// SPDX-License-Identifier: Apache-2.0
#include "tests/ops/parity.h"

#include "core/base/random.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace parity {

using core::DType;
using core::Shape;
using core::Tensor;

Values randomValues(std::int64_t n, std::uint64_t seed, double scale) {
    const core::CounterRandom random(core::hashName(seed, "parity"));
    Values values(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] =
            static_cast<double>(static_cast<float>(static_cast<double>(random.normal(i)) * scale));
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

Tensor OpsTest::tensor(Shape shape, const Values& values) {
    const std::vector<float> floats(values.begin(), values.end());
    return upload(Tensor::of<float>(std::move(shape), floats));
}

Tensor OpsTest::labels(const std::vector<std::int64_t>& values) {
    return upload(Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values));
}

Tensor OpsTest::mask(const std::vector<std::uint8_t>& values) {
    return upload(Tensor::of<std::uint8_t>({static_cast<std::int64_t>(values.size())}, values));
}

Tensor OpsTest::output(Shape shape) {
    const auto n = static_cast<std::size_t>(shape.elements());
    return tensor(std::move(shape), Values(n, std::numeric_limits<double>::quiet_NaN()));
}

Values OpsTest::read(const Tensor& tensor) {
    const Tensor host = toHost(tensor);
    const auto floats = host.span<float>();
    return {floats.begin(), floats.end()};
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
    const Values found = read(actual);
    ASSERT_EQ(found.size(), expected.size()) << what;
    double largest = 1e-30;
    for (const double value : expected) largest = std::max(largest, std::abs(value));
    const double allowed = tolerance() * factor * largest;
    for (std::size_t i = 0; i < found.size(); ++i)
        ASSERT_LE(std::abs(found[i] - expected[i]), allowed)
            << what << "[" << i << "] is " << found[i] << ", expected " << expected[i]
            << " (largest " << largest << ")";
}

}  // namespace parity
