// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise.h"

#include "tests/ops/parity.h"

namespace {

using core::Tensor;
using parity::Values;

class ElementwiseOps : public parity::OpsTest {};

TEST_P(ElementwiseOps, AddOfManySizes) {
    for (const std::int64_t n : {1, 3, 16, 17, 1000, 70001}) {
        const Values a = parity::randomValues(n, 1);
        const Values b = parity::randomValues(n, 2);
        const Tensor y = output({n});
        core::ops::add(backend(), y, tensor({n}, a), tensor({n}, b));
        expectClose(y, parity::plus(a, b), "a + b");
    }
}

TEST_P(ElementwiseOps, AddInPlace) {
    const Values a = parity::randomValues(33, 1);
    const Values b = parity::randomValues(33, 2);
    const Tensor first = tensor({33}, a);
    core::ops::add(backend(), first, first, tensor({33}, b));
    expectClose(first, parity::plus(a, b), "a += b");
    const Tensor second = tensor({33}, b);
    core::ops::add(backend(), second, tensor({33}, a), second);
    expectClose(second, parity::plus(a, b), "b += a");
}

TEST_P(ElementwiseOps, AccumulateAdds) {
    const Values x = parity::randomValues(50003, 3);
    Values expected = parity::randomValues(50003, 4);
    const Tensor y = tensor({50003}, expected);
    core::ops::accumulate(backend(), y, tensor({50003}, x), -0.5F);
    core::ops::accumulate(backend(), y, tensor({50003}, x));
    for (std::size_t i = 0; i < x.size(); ++i) expected[i] += 0.5 * x[i];
    expectClose(y, expected, "y += f x", 2.0);  // rounded twice
}

TEST_P(ElementwiseOps, ScaleMultiplies) {
    Values x = parity::randomValues(40001, 5);
    const Tensor y = tensor({40001}, x);
    core::ops::scale(backend(), y, 0.25F);
    for (double& value : x) value *= 0.25;
    expectClose(y, x, "y *= f");
}

TEST_P(ElementwiseOps, RejectsOtherShapes) {
    EXPECT_THROW(core::ops::add(backend(), output({3}), output({3}), output({4})),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::accumulate(backend(), output({3, 1}), output({3})), core::CheckFailure);
}

TEST_P(ElementwiseOps, MultiplyIsElementByElement) {
    for (const std::int64_t n : {1, 7, 1003, 40000}) {
        const parity::Values a = parity::randomValues(n, 1);
        const parity::Values b = parity::randomValues(n, 2);
        parity::Values expected = a;
        for (std::size_t i = 0; i < b.size(); ++i) expected[i] *= b[i];
        const core::Tensor y = output({n});
        core::ops::multiply(backend(), y, tensor({n}, a), tensor({n}, b));
        expectClose(y, expected, "y");
        const core::Tensor inPlace = tensor({n}, a);
        core::ops::multiply(backend(), inPlace, inPlace, tensor({n}, b));
        EXPECT_EQ(bytesOf(inPlace), bytesOf(y));
    }
}

PARITY_SUITE(ElementwiseOps);

}  // namespace
