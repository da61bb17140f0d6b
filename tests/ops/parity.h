// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/memory.h"
#include "tests/ops/backends.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

/// The parity suite: every op on every backend against a reference in double written in the test,
/// gradients against central differences of that reference, outputs filled with NaN beforehand. To
/// add an op, add x_test.cpp for core/ops/x.h with a fixture `class X : public parity::OpsTest {}`
/// and PARITY_SUITE(X). `tensor` and `output` make activations and weights of products, in the
/// row's dtype; `f32` and `f32Output` what is F32 on every backend. All inputs are numbers that
/// bf16 has, so that a reference holds for every row.
namespace parity {

using Values = std::vector<double>;

/// The bf16 number nearest to x.
double representable(double x);

/// Normal numbers, exactly representable in bf16, the same for the same seed.
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
    core::DType dtype() const { return GetParam().dtype; }
    /// Largest relative error of writing a result in the row's dtype, beyond the row's tolerance:
    /// 2^-8 in bf16, 0 in f32.
    double rounding() const;

    /// Of the row's dtype.
    core::Tensor tensor(core::Shape shape, const Values& values);
    core::Tensor f32(core::Shape shape, const Values& values);
    core::Tensor number64(const std::vector<double>& values);
    core::Tensor labels(const std::vector<std::int64_t>& values);
    core::Tensor mask(const std::vector<std::uint8_t>& values);
    /// Its tables lie on the backend's device, as those of the routing ops do.
    core::Assignment assignment(std::int64_t tokens,
                                std::span<const std::vector<std::int32_t>> accepted);
    /// ops::topK, with its counts on the host.
    core::Assignment topK(const core::Tensor& scores, const core::RoutingGroups& groups,
                          const core::TopKRule& rule);
    /// Filled with NaN, of the row's dtype.
    core::Tensor output(core::Shape shape);
    core::Tensor f32Output(core::Shape shape);
    /// Elements of F32 or BF16.
    Values read(const core::Tensor& tensor);
    /// The values as a tensor of the row's dtype holds them.
    Values stored(const Values& values) const;
    std::vector<std::int64_t> readInts(const core::Tensor& tensor);
    /// What an op writes into an F64 [1], filled with NaN before.
    template <typename F>
    double number(F op) {
        const core::Tensor total = scalar();
        op(total);
        return core::ops::hostNumber(backend(), total);
    }
    /// Raw bytes, for comparisons to the last bit.
    std::vector<std::byte> bytesOf(const core::Tensor& tensor);

    /// |actual - expected| <= tolerance * factor * largest |expected| for every element; the
    /// tolerance of a BF16 tensor is that of results rounded to it, of an F32 tensor the row's.
    void expectClose(const core::Tensor& actual, const Values& expected, const char* what,
                     double factor = 1.0);
    /// |actual - expected| <= relative * largest |expected| for every element.
    void expectWithin(double relative, const core::Tensor& actual, const Values& expected,
                      const char* what);
    /// The call ends in a CheckFailure that says these words.
    static void expectRefusal(const std::function<void()>& call, const std::string& words);
    /// The other of F32 and BF16, for mixtures that must be refused; filled with zeros.
    core::Tensor ofOtherType(core::Shape shape);

  private:
    core::Tensor scalar();
    core::Tensor upload(const core::Tensor& host);
    core::Tensor toHost(const core::Tensor& device);

    std::unique_ptr<core::Backend> backend_;
};

}  // namespace parity

#define PARITY_SUITE(Suite)                                                              \
    INSTANTIATE_TEST_SUITE_P(Backends, Suite, testing::ValuesIn(parity::backendCases()), \
                             parity::caseName)
