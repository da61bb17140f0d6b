// SPDX-License-Identifier: Apache-2.0
#include "core/ops/embedding.h"

#include "tests/ops/parity.h"

namespace {

using core::Tensor;
using parity::Values;

class EmbeddingOps : public parity::OpsTest {};

std::vector<std::int64_t> manyIds(std::int64_t count, std::int64_t rows) {
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i < count; ++i) ids.push_back((i * i + 3 * i) % rows);
    return ids;
}

TEST_P(EmbeddingOps, RowsOfTheTable) {
    for (const std::int64_t width : {1, 7, 96}) {
        const Values table = parity::randomValues(5 * width, 1);
        const Tensor y = output({4, width});
        core::ops::embeddingForward(backend(), y, labels({4, 0, 0, 2}), f32({5, width}, table));
        Values expected;
        for (const std::int64_t id : {4, 0, 0, 2})
            expected.insert(expected.end(), table.begin() + id * width,
                            table.begin() + (id + 1) * width);
        EXPECT_EQ(read(y), expected);
        for (double& value : expected) value *= 1.003;
        Values finer = table;
        for (double& value : finer) value *= 1.003;
        core::ops::embeddingForward(backend(), y, labels({4, 0, 0, 2}), f32({5, width}, finer));
        EXPECT_EQ(read(y), stored(expected)) << "rounded to nearest";
    }
}

TEST_P(EmbeddingOps, ATableOfTheActivationsTypeIsCopied) {
    for (const std::int64_t width : {1, 7, 96}) {
        const Values table = parity::randomValues(5 * width, 3);
        const Tensor y = output({3, width});
        core::ops::embeddingForward(backend(), y, labels({4, 1, 4}), tensor({5, width}, table));
        Values expected;
        for (const std::int64_t id : {4, 1, 4})
            expected.insert(expected.end(), table.begin() + id * width,
                            table.begin() + (id + 1) * width);
        EXPECT_EQ(read(y), expected);
    }
}

TEST_P(EmbeddingOps, GradientsOfRepeatedIdsAddUp) {
    for (const std::int64_t width : {1, 5, 64, 130}) {
        const std::int64_t rows = 13;
        const std::vector<std::int64_t> ids = manyIds(500, rows);
        const Values dy = parity::randomValues(500 * width, 2);
        const Values before = parity::randomValues(rows * width, 3);
        Values expected = before;
        for (std::size_t i = 0; i < ids.size(); ++i)
            for (std::int64_t c = 0; c < width; ++c)
                expected[static_cast<std::size_t>(ids[i] * width + c)] +=
                    dy[i * static_cast<std::size_t>(width) + static_cast<std::size_t>(c)];
        const Tensor dTable = f32({rows, width}, before);
        core::ops::embeddingBackward(backend(), dTable, tensor({500, width}, dy), labels(ids));
        expectClose(dTable, expected, "dTable, accumulated", 4.0);
        const Tensor again = f32({rows, width}, before);
        core::ops::embeddingBackward(backend(), again, tensor({500, width}, dy), labels(ids));
        EXPECT_EQ(bytesOf(again), bytesOf(dTable));
    }
}

TEST_P(EmbeddingOps, AnIdThatRepeatsMuch) {
    // As padding does: half of the rows, beside ids that come once and rows without any.
    const std::int64_t count = 1500;
    const std::int64_t rows = 70000;
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i < count; ++i) ids.push_back(i % 2 == 0 ? 300 : i * 41);
    const Values dy = parity::randomValues(count * 3, 2);
    Values expected(static_cast<std::size_t>(rows * 3), 0.0);
    for (std::size_t i = 0; i < ids.size(); ++i)
        for (std::size_t c = 0; c < 3; ++c)
            expected[static_cast<std::size_t>(ids[i]) * 3 + c] += dy[i * 3 + c];
    const Tensor dTable = f32({rows, 3}, Values(expected.size(), 0.0));
    core::ops::embeddingBackward(backend(), dTable, tensor({count, 3}, dy), labels(ids));
    expectClose(dTable, expected, "dTable", 4.0);
}

TEST_P(EmbeddingOps, RejectsOtherShapesAndIds) {
    EXPECT_THROW(core::ops::embeddingForward(backend(), output({2, 3}), labels({0, 1, 1}),
                                             f32Output({4, 3})),
                 core::CheckFailure);
    // A device may say so when it is waited for.
    for (const std::int64_t id : {std::int64_t{4}, std::int64_t{-1}, std::int64_t{1} << 40}) {
        expectRefusal(
            [&] {
                core::ops::embeddingForward(backend(), output({2, 3}), labels({0, id}),
                                            f32Output({4, 3}));
                backend().synchronize();
            },
            "id " + std::to_string(id) + " is not within 0 and 4");
        expectRefusal(
            [&] {
                core::ops::embeddingBackward(backend(), f32({4, 3}, Values(12, 0.0)),
                                             tensor({2, 3}, Values(6, 1.0)), labels({id, 0}));
                backend().synchronize();
            },
            "id " + std::to_string(id) + " is not within 0 and 4");
    }
    backend().synchronize();  // said once
}

PARITY_SUITE(EmbeddingOps);

}  // namespace
