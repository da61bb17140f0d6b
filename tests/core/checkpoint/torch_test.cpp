// SPDX-License-Identifier: Apache-2.0
// Files of torch.save (tests/reference/make_torch_fixtures.py), beside what torch.load gave of
// them.
#include "core/checkpoint/checkpoint.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"
#include "tests/core/checkpoint/torch_files.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace core::test {
namespace {

Path fixture(const std::string& name) {
    return Path(UPCYCLER_SOURCE_DIR) / "tests/reference/torch" / name;
}

std::vector<std::byte> bytesOf(const Checkpoint& checkpoint, const TensorInfo& tensor,
                               std::int64_t begin, std::int64_t count) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(count) * dtypeBytes(tensor.dtype));
    checkpoint.read(tensor, begin, count, bytes);
    return bytes;
}

void expectSame(const Checkpoint& found, const Checkpoint& expected) {
    EXPECT_EQ(found.tensors().size(), expected.tensors().size());
    for (const TensorInfo& tensor : expected.tensors()) {
        SCOPED_TRACE(tensor.name);
        const TensorInfo* same = found.find(tensor.name);
        ASSERT_NE(same, nullptr);
        EXPECT_EQ(same->dtype, tensor.dtype);
        EXPECT_EQ(same->shape, tensor.shape);
        EXPECT_EQ(same->bytes, tensor.bytes);
        const std::int64_t all = tensor.shape.elements();
        EXPECT_EQ(bytesOf(found, *same, 0, all), bytesOf(expected, tensor, 0, all));
        for (std::int64_t begin = 0; begin < all; ++begin)
            for (const std::int64_t count : {std::int64_t{1}, (all - begin) / 2, all - begin})
                ASSERT_EQ(bytesOf(found, *same, begin, count),
                          bytesOf(expected, tensor, begin, count))
                    << begin << " + " << count;
    }
}

class TorchFiles : public testing::TestWithParam<const char*> {};

TEST_P(TorchFiles, GiveWhatTorchGives) {
    const std::string name = GetParam();
    const auto found = Checkpoint::open(fixture(name + ".pt"));
    EXPECT_EQ(found->format(), "torch");
    const std::string values = name == "deflated" ? "zip" : name;
    expectSame(*found, *Checkpoint::open(fixture(values + ".safetensors")));
}

INSTANTIATE_TEST_SUITE_P(Fixtures, TorchFiles,
                         testing::Values("zip", "zip_protocol_3", "zip_protocol_4",
                                         "zip_protocol_5", "stream", "stream_protocol_4",
                                         "deflated", "big_endian", "new_types", "training",
                                         "training_stream", "nested", "mixed", "attributes",
                                         "data_parallel"),
                         [](const auto& parameter) { return std::string(parameter.param); });

bool isNoted(const Checkpoint& checkpoint, const std::string& words) {
    return std::any_of(
        checkpoint.notes().begin(), checkpoint.notes().end(),
        [&](const std::string& note) { return note.find(words) != std::string::npos; });
}

TEST(Torch, SaysWhatWasTakenAndLeftAside) {
    const auto training = Checkpoint::open(fixture("training.pt"));
    EXPECT_TRUE(isNoted(*training,
                        "the tensors under 'model' were taken, left aside: 'epoch', "
                        "'optimizer', 'loss', 'best'"));
    const auto nested = Checkpoint::open(fixture("nested.pt"));
    EXPECT_TRUE(isNoted(*nested, "the tensors under 'trainer' were taken"));
    EXPECT_TRUE(isNoted(*nested, "the tensors under 'state_dict' were taken"));
    EXPECT_TRUE(isNoted(*Checkpoint::open(fixture("mixed.pt")),
                        "not tensors, left aside: 'step', '(unnamed)', 'name'"));
}

TEST(Torch, TiedTensorsAreListedAndNoted) {
    const auto checkpoint = Checkpoint::open(fixture("zip.pt"));
    EXPECT_TRUE(isNoted(*checkpoint, "'tied.a', 'tied.b' are the same values (tied)"));
    EXPECT_EQ(checkpoint->notes().size(), 1U);
    EXPECT_EQ(checkpoint->find("tied.a")->offset, checkpoint->find("tied.b")->offset);
}

TEST(Torch, NamesWithoutTheModulePrefixSayWhatTheyWere) {
    const auto checkpoint = Checkpoint::open(fixture("data_parallel.pt"));
    EXPECT_EQ(checkpoint->find("0.weight")->storedAs, "module.0.weight");
    EXPECT_TRUE(isNoted(*checkpoint, "'module.'"));
}

TEST(Torch, OffsetsOfContiguousTensorsAreWhereTheirBytesLie) {
    for (const char* name : {"zip.pt", "stream.pt"}) {
        const auto checkpoint = Checkpoint::open(fixture(name));
        const std::string file = readBytes(fixture(name));
        for (const char* tensor : {"f32", "rows", "bf16", "scalar"}) {
            const TensorInfo& info = *checkpoint->find(tensor);
            const auto bytes = bytesOf(*checkpoint, info, 0, info.shape.elements());
            EXPECT_EQ(std::memcmp(file.data() + info.offset, bytes.data(), bytes.size()), 0)
                << name << " " << tensor;
        }
        EXPECT_EQ(checkpoint->find("transposed")->offset, 0U);
    }
}

TEST(Torch, ShardsAreReadTogether) {
    const auto checkpoint = Checkpoint::open(fixture("shards"));
    EXPECT_EQ(checkpoint->files().size(), 2U);
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("c")), (std::vector<float>{-3, -2, -1, 0}));
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("b")), (std::vector<float>{-3, -2, -1}));
    EXPECT_EQ(checkpoint->find("b")->file, "pytorch_model-00001-of-00002.bin");
}

TEST(Torch, ShardIndexesThatLeadElsewhere) {
    const TemporaryFolder folder;
    const Path index = folder / "pytorch_model.bin.index.json";
    const auto refusal = [&](const std::string& file) {
        writeBytes(index, R"({"weight_map":{"c":")" + file + "\"}}");
        return errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(index); });
    };
    std::filesystem::copy_file(fixture("shards/pytorch_model-00002-of-00002.bin"),
                               folder / "one.bin");
    for (const char* name : {"../one.bin", "/etc/passwd", "..", "", "one.safetensors", ".one.bin"})
        EXPECT_NE(refusal(name).find("plain name of a .bin file"), std::string::npos) << name;
    EXPECT_NE(refusal("two.bin").find("missing"), std::string::npos);
    std::filesystem::create_symlink(fixture("zip.pt"), folder / "link.bin");
    EXPECT_NE(refusal("link.bin").find("is a link"), std::string::npos);
    writeBytes(index, R"({"weight_map":{"c":"one.bin","d":"one.bin"}})");
    EXPECT_NE(errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(index); }).find("'d'"),
              std::string::npos);
    writeBytes(index, R"({"weight_map":{"d":"one.bin"}})");
    EXPECT_NE(errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(index); }).find("'c'"),
              std::string::npos);
    writeBytes(index, R"({"weight_map":{"c":"one.bin"}})");
    EXPECT_EQ(Checkpoint::open(folder.path())->tensors().size(), 1U);
}

/// A header of 640 bytes makes a safetensors file begin with the bytes of a pickle.
TEST(Torch, ASafetensorsFileIsNotTakenForAPickle) {
    const TemporaryFolder folder;
    for (const std::size_t bytes : {640U, 896U, 1152U, 1408U}) {
        std::string json = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
        json.append(bytes - json.size(), ' ');
        writeBytes(folder / "weights", safetensorsBytes(json, "abcd"));
        EXPECT_EQ(Checkpoint::open(folder / "weights")->format(), "safetensors") << bytes;
    }
}

/// Python 2's OrderedDict and strings, and sizes as torch.Size, as files of torch 0.x have them.
TEST(Torch, WhatOldPythonsWrote) {
    const TemporaryFolder folder;
    PickleText pickle;
    pickle.global("collections", "OrderedDict").op("(]((U\x01").op("a");
    pickle.global("torch._utils", "_rebuild_tensor").op("((U\x07storage");
    pickle.global("torch.cuda", "FloatStorage").op("U\x01").op("0U\x03gpu").integer(2).op("tQ");
    pickle.integer(0).global("torch", "Size").op("(").integers({2}).op("tR").integers({1});
    pickle.op("tRletR");
    writeBytes(folder / "x.bin", torchBytes(pickle.end(), {std::string("\0\0\x80?\0\0\0@", 8)}));
    const auto checkpoint = Checkpoint::open(folder / "x.bin");
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("a")), (std::vector<float>{1, 2}));
}

}  // namespace
}  // namespace core::test
