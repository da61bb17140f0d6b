// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/ops/backends.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// The parity suite: every op on every backend against a reference in double written in the test,
/// gradients against central differences of that reference, outputs filled with NaN beforehand. To
/// add an op, add x_test.cpp for core/ops/x.h with a fixture `class X : public parity::OpsTest {}`
/// and PARITY_SUITE(X).
namespace parity {

using Values = std::vector<double>;

/// Normal numbers, exactly representable in f32, the same for the same seed.
Values randomValues(std::int64_t n, std::uint64_t seed, double scale = 1.0);

/// d loss / d x by central differences.
template <typename Loss>
Values numericGradient(Loss loss, Values x, double step = 1e-4) {
    Values gradient(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double kept = x[i];
        x[i] = kept + step;
        const double above = loss(x);
        x[i] = kept - step;
        const double below = loss(x);
        x[i] = kept;
        gradient[i] = (above - below) / (2.0 * step);
    }
    return gradient;
}

double dot(const Values& a, const Values& b);
Values plus(Values a, const Values& b);

std::string caseName(const testing::TestParamInfo<BackendCase>& row);

class OpsTest : public testing::TestWithParam<BackendCase> {
  protected:
    void SetUp() override;

    core::Backend& backend() { return *backend_; }
    double tolerance() const { return GetParam().tolerance; }

    core::Tensor tensor(core::Shape shape, const Values& values);
    core::Tensor labels(const std::vector<std::int64_t>& values);
    core::Tensor mask(const std::vector<std::uint8_t>& values);
    /// Filled with NaN.
    core::Tensor output(core::Shape shape);
    Values read(const core::Tensor& tensor);
    std::vector<std::int64_t> readInts(const core::Tensor& tensor);
    /// Raw bytes, for comparisons to the last bit.
    std::vector<std::byte> bytesOf(const core::Tensor& tensor);

    /// |actual - expected| <= tolerance * factor * largest |expected| for every element.
    void expectClose(const core::Tensor& actual, const Values& expected, const char* what,
                     double factor = 1.0);

  private:
    core::Tensor upload(const core::Tensor& host);
    core::Tensor toHost(const core::Tensor& device);

    std::unique_ptr<core::Backend> backend_;
};

}  // namespace parity

#define PARITY_SUITE(Suite)                                                              \
    INSTANTIATE_TEST_SUITE_P(Backends, Suite, testing::ValuesIn(parity::backendCases()), \
                             parity::caseName)
