// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/checkpoint_writer.h"
#include "core/checkpoint/readers.h"
#include "core/tensor/convert.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"
#include "tests/core/checkpoint/every_type.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace core::test {
namespace {

WriterOptions hdf5Options() {
    WriterOptions options;
    options.format = FileFormat::Hdf5;
    return options;
}

/// One tensor of each type.
std::vector<TensorInfo> allTypes() {
    std::vector<TensorInfo> infos = oneOfEach(kNumpyTypes, "layer.0.");
    for (TensorInfo& info : oneOfEach(kNarrowTypes, "layer.0.")) infos.push_back(std::move(info));
    return infos;
}

TEST(Hdf5, EveryTypeReadsBackBitForBit) {
    const TemporaryFolder folder;
    WriterOptions options = hdf5Options();
    options.metadata = {{"note", "naïve"}, {"format", "pt"}};
    options.configText = "{\"a\": 1}";
    writePatterns(folder / "x.h5", allTypes(), options);
    const auto checkpoint = Checkpoint::open(folder / "x.h5");
    EXPECT_EQ(checkpoint->format(), "hdf5");
    EXPECT_EQ(checkpoint->configText(), options.configText);
    EXPECT_EQ(checkpoint->metadata(), (std::map<std::string, std::string>{{"note", "naïve"}}));
    expectPatterns(*checkpoint, allTypes());
    for (const TensorInfo& info : checkpoint->tensors()) {
        EXPECT_GT(info.offset, 0U);
        const std::size_t width = dtypeBytes(info.dtype);
        std::vector<std::byte> bytes(info.bytes), middle(4 * width);
        checkpoint->read(info, 0, 15, bytes);
        checkpoint->read(info, 6, 4, middle);
        EXPECT_TRUE(std::equal(middle.begin(), middle.end(),
                               bytes.begin() + 6 * static_cast<std::ptrdiff_t>(width)));
    }
}

TEST(Hdf5, TheSameBytesTwice) {
    const TemporaryFolder folder;
    writePatterns(folder / "a.h5", allTypes(), hdf5Options());
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    writePatterns(folder / "b.h5", allTypes(), hdf5Options());
    EXPECT_EQ(readBytes(folder / "a.h5"), readBytes(folder / "b.h5"));
}

TEST(Hdf5, FolderHoldsModelAndConfig) {
    const TemporaryFolder folder;
    WriterOptions options = hdf5Options();
    options.configText = "{\"model_type\": \"vit\"}";
    writeCheckpoint(folder / "model", {{"w", {2}, {1, 2}}, {"none", {0}, {}}, {"s", {}, {7}}},
                    options);
    EXPECT_EQ(readBytes(folder / "model/config.json"), options.configText);
    const auto checkpoint = Checkpoint::open(folder / "model");
    EXPECT_EQ(checkpoint->files(), std::vector<std::string>{"model.h5"});
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("w")), (std::vector<float>{1, 2}));
    EXPECT_TRUE(checkpoint->readFloats(*checkpoint->find("none")).empty());
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("s")), std::vector<float>{7});
}

TEST(Hdf5, HoldsALongConfigAndManyTensors) {
    const TemporaryFolder folder;
    WriterOptions options = hdf5Options();
    options.configText = "{\"long\": \"" + std::string(300'000, 'x') + "\"}";
    std::vector<NamedFloats> tensors;
    for (int i = 0; i < 500; ++i)
        tensors.push_back({"vit.encoder.layer." + std::to_string(i) + ".weight",
                           {2},
                           {static_cast<float>(i), 1}});
    writeCheckpoint(folder / "x.h5", tensors, options);
    const auto checkpoint = Checkpoint::open(folder / "x.h5");
    EXPECT_EQ(checkpoint->configText(), options.configText);
    ASSERT_EQ(checkpoint->tensors().size(), tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        EXPECT_EQ(checkpoint->tensors()[i].name, tensors[i].name);
        EXPECT_EQ(checkpoint->readFloats(checkpoint->tensors()[i]), tensors[i].values);
    }
}

TEST(Hdf5, NamesThatItCannotHoldAreRefused) {
    const TemporaryFolder folder;
    for (const std::string name : {"", ".", "/a", "a/", "a//b", "a/./b"}) {
        const std::string text = errorOf(ErrorKind::BadInput, [&] {
            writeCheckpoint(folder / "x.h5", {{"w", {1}, {1}}, {name, {1}, {1}}}, hdf5Options());
        });
        EXPECT_NE(text.find("'" + name + "'"), std::string::npos) << text;
    }
    const std::string text = errorOf(ErrorKind::BadInput, [&] {
        writeCheckpoint(folder / "x.h5", {{"a/b/c", {1}, {1}}, {"a/b", {1}, {1}}}, hdf5Options());
    });
    EXPECT_NE(text.find("'a/b'"), std::string::npos) << text;
    EXPECT_EQ(folder.entries(), 0U);
}

TEST(Hdf5, NamesWithSlashesReadBack) {
    const TemporaryFolder folder;
    const std::vector<NamedFloats> tensors{
        {"params/encoder/layers_0/attention/query/kernel", {2}, {1, 2}},
        {"params/encoder/layers_0/mlp/wi/kernel", {3}, {3, 4, 5}},
        {"params/encoder/encoder_norm/scale", {1}, {6}},
        {"flat.name", {1}, {7}},
        {"params/decoder/layers_0/mlp/wi/kernel", {}, {8}}};
    writeCheckpoint(folder / "a.h5", tensors, hdf5Options());
    const auto checkpoint = openHdf5(folder / "a.h5", {});
    ASSERT_EQ(checkpoint->tensors().size(), tensors.size());
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const TensorInfo& info = checkpoint->tensors()[i];
        EXPECT_EQ(info.name, tensors[i].name);
        EXPECT_EQ(info.shape, tensors[i].shape);
        EXPECT_EQ(checkpoint->readFloats(info), tensors[i].values);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    writeCheckpoint(folder / "b.h5", tensors, hdf5Options());
    EXPECT_EQ(readBytes(folder / "a.h5"), readBytes(folder / "b.h5"));
}

TEST(Hdf5, FormatAndNameMustAgree) {
    const TemporaryFolder folder;
    errorOf(ErrorKind::Usage, [&] { writeCheckpoint(folder / "x.h5", {}, {}); });
    errorOf(ErrorKind::Usage,
            [&] { writeCheckpoint(folder / "x.safetensors", {}, hdf5Options()); });
    WriterOptions shards = hdf5Options();
    shards.maxShardBytes = 10;
    errorOf(ErrorKind::Usage, [&] { writeCheckpoint(folder / "x", {}, shards); });
    EXPECT_EQ(folder.entries(), 0U);
}

TEST(Hdf5, ManyThreadsReadAtOnce) {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "AddressSanitizer's allocator may be locked by another thread when a child is "
                    "forked, and then stays so in the child";
#endif
    const TemporaryFolder folder;
    const auto checkpoint =
        Checkpoint::open(Path(UPCYCLER_SOURCE_DIR) / "tests/reference/checkpoint/h5py.h5");
    const TensorInfo& info = *checkpoint->find("chunked");
    const std::vector<float> expected = checkpoint->readFloats(info);
    std::vector<std::thread> threads;
    std::array<bool, 4> good{};
    for (std::size_t t = 0; t < good.size(); ++t)
        threads.emplace_back([&, t] {
            good[t] = true;
            for (int i = 0; i < 20; ++i)
                good[t] = good[t] && checkpoint->readFloats(info) == expected;
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, (std::array<bool, 4>{true, true, true, true}));
}

}  // namespace
}  // namespace core::test
