// SPDX-License-Identifier: Apache-2.0
// .npz files that NumPy wrote (tests/reference/make_checkpoint_fixtures.py) and hand-made ones.
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/readers.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"
#include "tests/core/checkpoint/counting.h"
#include "tests/core/checkpoint/zip_helpers.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace core::test {
namespace {

/// As the file names its tensors, whatever layout is recognised.
std::shared_ptr<const Checkpoint> openRaw(const std::string& name) {
    return openNpz(fixture(name), CheckpointPlace{fixture(name).parent_path(), {}});
}

const std::vector<Expected>& allArrays() {
    static const std::vector<Expected> arrays{
        {"f32", DType::F32, {2, 3}},
        {"f16", DType::F16, {5}},
        {"f64", DType::F64, {4}},
        {"bf16", DType::BF16, {3, 2}},
        {"big/f32", DType::F32, {2, 2}},
        {"big/f16", DType::F16, {3}},
        {"big/i64", DType::I64, {3}},
        {"fortran/2", DType::F32, {5, 7}},
        {"fortran/3", DType::F64, {2, 3, 4}},
        {"fortran/big", DType::I16, {3, 2}},
        {"i64", DType::I64, {3}},
        {"i32", DType::I32, {3}},
        {"i16", DType::I16, {3}},
        {"i8", DType::I8, {7}},
        {"bool", DType::Bool, {3}},
        {"scalar", DType::F32, {}},
        {"empty", DType::F32, {0, 4}},
        {"nämé 𝄞", DType::F32, {1}},
        {"Transformer/encoderblock_0/MlpBlock_3/Dense_0/kernel", DType::F32, {30, 20}}};
    return arrays;
}

class NumpyArchives : public testing::TestWithParam<const char*> {};

TEST_P(NumpyArchives, EveryTypeAndOrder) {
    const auto checkpoint = openRaw(GetParam());
    EXPECT_EQ(checkpoint->format(), "npz");
    ASSERT_EQ(checkpoint->tensors().size(), allArrays().size());
    for (std::size_t i = 0; i < allArrays().size(); ++i) {
        const Expected& expected = allArrays()[i];
        const TensorInfo& info = checkpoint->tensors()[i];
        EXPECT_EQ(info.name, expected.name);
        expectCounting(*checkpoint, info, expected);
    }
    ASSERT_EQ(checkpoint->notes().size(), 1U);
    EXPECT_NE(checkpoint->notes()[0].find("bfloat16"), std::string::npos);
}

TEST_P(NumpyArchives, AnyRangeInAnyOrder) {
    const auto checkpoint = openRaw(GetParam());
    for (const char* name : {"fortran/2", "Transformer/encoderblock_0/MlpBlock_3/Dense_0/kernel"}) {
        const TensorInfo& info = *checkpoint->find(name);
        const std::int64_t elements = info.shape.elements();
        const std::vector<float> all = counting(static_cast<std::size_t>(elements));
        for (std::int64_t step = 0; step < 200; ++step) {
            const std::int64_t begin = step * 17 % elements;
            const std::int64_t count = std::min(step % 13, elements - begin);
            std::vector<float> part(static_cast<std::size_t>(count));
            checkpoint->read(info, begin, count, std::as_writable_bytes(std::span(part)));
            ASSERT_TRUE(std::equal(part.begin(), part.end(), all.begin() + begin))
                << name << " " << begin << " " << count;
        }
    }
}

TEST_P(NumpyArchives, ManyThreadsAtOnce) {
    const auto checkpoint = openRaw(GetParam());
    std::vector<std::thread> threads;
    std::array<bool, 4> good{};
    for (std::size_t t = 0; t < good.size(); ++t)
        threads.emplace_back([&, t] {
            bool same = true;
            for (std::size_t i = 0; i < 20 * allArrays().size(); ++i) {
                const TensorInfo& info = checkpoint->tensors()[(i + t) % allArrays().size()];
                if (info.dtype != DType::F32) continue;
                std::vector<float> values(static_cast<std::size_t>(info.shape.elements()));
                for (std::size_t at = 0; at < values.size(); at += 11) {
                    const std::size_t count = std::min<std::size_t>(11, values.size() - at);
                    checkpoint->read(info, static_cast<std::int64_t>(at),
                                     static_cast<std::int64_t>(count),
                                     std::as_writable_bytes(std::span(values).subspan(at, count)));
                }
                same = same && values == counting(values.size());
            }
            good[t] = same;
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, (std::array<bool, 4>{true, true, true, true}));
}

INSTANTIATE_TEST_SUITE_P(Files, NumpyArchives, testing::Values("numpy.npz", "deflated.npz"),
                         [](const auto& parameter) {
                             const std::string name = parameter.param;
                             return name.substr(0, name.find('.'));
                         });

TEST(Npz, OffsetOfAStoredArrayIsThatOfItsElements) {
    const auto checkpoint = Checkpoint::open(fixture("numpy.npz"));
    const TensorInfo& info = *checkpoint->find("f32");
    std::vector<float> values(6);
    File::openForReading(fixture("numpy.npz"))
        .readAt(info.offset, std::as_writable_bytes(std::span(values)));
    EXPECT_EQ(values, counting(6));
}

TEST(Npz, Zip64OtherHeaderVersionsAndStrayMembers) {
    const auto checkpoint = Checkpoint::open(fixture("zip64.npz"));
    ASSERT_EQ(checkpoint->tensors().size(), 2U);
    for (const TensorInfo& info : checkpoint->tensors())
        EXPECT_EQ(checkpoint->readFloats(info), counting(6)) << info.name;
    ASSERT_EQ(checkpoint->notes().size(), 1U);
    EXPECT_NE(checkpoint->notes()[0].find("'readme.txt'"), std::string::npos);
    EXPECT_TRUE(checkpoint->configText().empty());
}

TEST(Npz, SizesBehindTheDataAsInAPipe) {
    const auto checkpoint = Checkpoint::open(fixture("piped.npz"));
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("f32")), counting(6));
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("f64")), counting(4));
}

TEST(Npz, HeadersThatOtherWritersMake) {
    const TemporaryFolder folder;
    const std::string one(4, '\0');
    for (const char* header :
         {"{'shape':(1,),'descr':'<f4','fortran_order':False}",
          "{\"descr\": \"=f4\", \"fortran_order\": False, \"shape\": (1L,), }  \n",
          " { 'fortran_order' : True , 'descr' : '<f4' , 'shape' : ( 1 , 1 , ) } \n",
          "{'descr': '<f4', 'fortran_order': False, 'shape': ()}"}) {
        writeBytes(folder / "x.npz", zipBytes({{"a.npy", npyBytes(header, one)}}));
        const auto checkpoint = Checkpoint::open(folder / "x.npz");
        EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("a")), std::vector<float>{0}) << header;
    }
}

TEST(Npz, FortranOrderOfMoreThanOnePiece) {
    constexpr std::size_t kRows = 700, kColumns = 601;
    std::vector<float> columns(kRows * kColumns), rows(kRows * kColumns);
    for (std::size_t r = 0; r < kRows; ++r)
        for (std::size_t c = 0; c < kColumns; ++c)
            rows[r * kColumns + c] = columns[c * kRows + r] =
                static_cast<float>(r) + 1000 * static_cast<float>(c);
    ZipPart part("w.npy", npyBytes("{'descr': '<f4', 'fortran_order': True, 'shape': (700, 601)}",
                                   {reinterpret_cast<const char*>(columns.data()),
                                    columns.size() * sizeof(float)}));
    const TemporaryFolder folder;
    for (const bool deflated : {false, true}) {
        if (deflated) part.deflate();
        writeBytes(folder / "x.npz", zipBytes({part}));
        const auto checkpoint = Checkpoint::open(folder / "x.npz");
        const TensorInfo& info = *checkpoint->find("w");
        std::vector<float> read(rows.size());
        for (std::size_t at = 0; at < read.size(); at += 99'999) {
            const std::span<float> slice =
                std::span(read).subspan(at, std::min<std::size_t>(99'999, read.size() - at));
            checkpoint->read(info, static_cast<std::int64_t>(at),
                             static_cast<std::int64_t>(slice.size()),
                             std::as_writable_bytes(slice));
        }
        EXPECT_TRUE(read == rows) << deflated;
        EXPECT_TRUE(checkpoint->readFloats(info) == rows) << deflated;
    }
}

TEST(Npz, ALongHeaderOfADeflatedArray) {
    const TemporaryFolder folder;
    const std::string header = floatsHeader("(2,)") + std::string(5000, ' ') + "\n";
    ZipPart part("a.npy", npyBytes(header, std::string(8, '\0')));
    writeBytes(folder / "x.npz", zipBytes({part.deflate()}));
    const auto checkpoint = Checkpoint::open(folder / "x.npz");
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("a")), (std::vector<float>{0, 0}));
}

TEST(Npz, IsFoundUnderAnyNameAndInAFolder) {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "model");
    writeBytes(folder / "model/odd.npz", zipBytes({floatsPart("w", 3)}));
    EXPECT_EQ(Checkpoint::open(folder / "model")->tensors().size(), 1U);
    writeBytes(folder / "model/model.npz", zipBytes({floatsPart("w", 3), floatsPart("v", 3)}));
    writeBytes(folder / "model/config.json", "{}");
    EXPECT_EQ(Checkpoint::open(folder / "model")->tensors().size(), 2U);
    EXPECT_EQ(Checkpoint::open(folder / "model")->configText(), "{}");
    writeBytes(folder / "download", zipBytes({floatsPart("w", 3)}));
    EXPECT_EQ(Checkpoint::open(folder / "download")->format(), "npz");
}

}  // namespace
}  // namespace core::test
