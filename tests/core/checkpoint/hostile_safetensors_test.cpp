// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <gtest/gtest.h>

#include <random>

namespace core::test {
namespace {

struct Case {
    const char* name;
    std::string bytes;
    const char* reason;  ///< must occur in the message
};

std::string entry(const std::string& name, const std::string& shape, int begin, int end) {
    return "\"" + name + R"(":{"dtype":"F32","shape":)" + shape + ",\"data_offsets\":[" +
           std::to_string(begin) + "," + std::to_string(end) + "]}";
}

std::string file(const std::string& json, std::size_t dataBytes) {
    return safetensorsBytes(json, std::string(dataBytes, '\0'));
}

std::string one(const std::string& fields) { return file("{\"t\":{" + fields + "}}", 8); }

std::vector<Case> cases() {
    const std::string good = "{" + entry("t", "[2]", 0, 8) + "}";
    const std::string nested = "{\"t\":{\"x\":" + std::string(200, '[') + std::string(200, ']') +
                               R"(,"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
    const std::string rank = [] {
        std::string text = "[1";
        for (int i = 0; i < 200; ++i) text += ",1";
        return text + "]";
    }();
    return {
        {"Empty", "", "0 bytes"},
        {"SevenBytes", "1234567", "7 bytes"},
        {"HeaderLengthAlone", std::string(8, '\0'), "a JSON object"},
        {"HugeHeaderLength", safetensorsBytes(good, "", ~0ULL), "claims 18446744073709551615"},
        {"HeaderOverTheLimit", safetensorsBytes(good, "", 100'000'001), "at most 100000000"},
        {"HeaderLongerThanFile", safetensorsBytes(good, "", 5000), "claims 5000 bytes"},
        {"HeaderCutShort", safetensorsBytes(good, "", good.size() - 5), "byte"},
        {"NotJson", file("hello world", 0), "a JSON object"},
        {"ArrayAtTop", file("[]", 0), "a JSON object"},
        {"TrailingText", file(good + "x", 8), "nothing more"},
        {"TruncatedData", file(good, 7), "ends at byte 8 of the data, which has 7"},
        {"SurplusData", file(good, 9), "end at byte 8 of the data, which has 9"},
        {"Overlap", file("{" + entry("a", "[2]", 0, 8) + "," + entry("b", "[2]", 4, 12) + "}", 12),
         "it overlaps"},
        {"SameRange", file("{" + entry("a", "[2]", 0, 8) + "," + entry("b", "[2]", 0, 8) + "}", 8),
         "it overlaps"},
        {"Hole", file("{" + entry("a", "[2]", 0, 8) + "," + entry("b", "[2]", 12, 20) + "}", 20),
         "a hole"},
        {"HoleAtTheStart", file("{" + entry("a", "[2]", 4, 12) + "}", 12), "a hole"},
        {"ReversedRange", file("{" + entry("a", "[2]", 8, 0) + "}", 8), "[8, 0]"},
        {"ShapeLies", file("{" + entry("a", "[3]", 0, 8) + "}", 8), "needs 12 bytes"},
        {"EmptyShapeWithData", file("{" + entry("a", "[0]", 0, 8) + "}", 8), "needs 0 bytes"},
        {"ProductOverflows", file("{" + entry("a", "[4294967296,4294967296]", 0, 8) + "}", 8),
         "absurd shape"},
        {"ProductOverflowsToZero", file("{" + entry("a", "[9223372036854775808,2]", 0, 0) + "}", 0),
         "absurd size"},
        {"BytesOverflow", file("{" + entry("a", "[4611686018427387904]", 0, 8) + "}", 8),
         "absurd shape"},
        {"NegativeSize", file("{" + entry("a", "[-1]", 0, 8) + "}", 8), "a whole number"},
        {"FractionalSize", file("{" + entry("a", "[2.0]", 0, 8) + "}", 8), "a size"},
        {"SizeOfTwentyDigits", file("{" + entry("a", "[99999999999999999999]", 0, 8) + "}", 8),
         "a size"},
        {"TooManyAxes", file("{" + entry("a", rank, 0, 4) + "}", 4), "axes"},
        {"UnknownDType", one(R"("dtype":"F33","shape":[2],"data_offsets":[0,8])"), "'F33'"},
        {"DTypeIsNumber", one(R"("dtype":32,"shape":[2],"data_offsets":[0,8])"), "dtype"},
        {"NoDType", one(R"("shape":[2],"data_offsets":[0,8])"), "no 'dtype'"},
        {"NoShape", one(R"("dtype":"F32","data_offsets":[0,8])"), "no 'shape'"},
        {"NoOffsets", one(R"("dtype":"F32","shape":[2])"), "no 'data_offsets'"},
        {"ThreeOffsets", one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,9])"), "two offsets"},
        {"OneOffset", one(R"("dtype":"F32","shape":[2],"data_offsets":[8])"), "two offsets"},
        {"NegativeOffset", one(R"("dtype":"F32","shape":[2],"data_offsets":[-8,0])"), "offset"},
        {"DTypeTwice", one(R"("dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8])"),
         "'dtype' twice"},
        {"TensorTwice",
         file("{" + entry("a", "[1]", 0, 4) + "," + entry("a", "[1]", 4, 8) + "}", 8),
         "'a' occurs twice"},
        {"TensorTwiceByEscape",
         file("{" + entry("a", "[1]", 0, 4) + "," + entry("\\u0061", "[1]", 4, 8) + "}", 8),
         "'a' occurs twice"},
        {"MetadataTwice", file(R"({"__metadata__":{},"__metadata__":{}})", 0), "twice"},
        {"MetadataKeyTwice", file(R"({"__metadata__":{"a":"1","a":"2"}})", 0), "'a' twice"},
        {"MetadataOfNumbers", file(R"({"__metadata__":{"a":1}})", 0), "a text"},
        {"MetadataIsText", file(R"({"__metadata__":"a"})", 0), "an object"},
        {"TensorIsNull", file(R"({"t":null})", 0), "an object"},
        {"NameNotUtf8", file("{\"\xff\xfe\":{}}", 0), "not UTF-8"},
        {"LoneSurrogate", file("{" + entry("\\ud800", "[2]", 0, 8) + "}", 8), "surrogate"},
        {"BadEscape", file("{" + entry("\\x41", "[2]", 0, 8) + "}", 8), "escape"},
        {"ControlInName", file("{" + entry("a\nb", "[2]", 0, 8) + "}", 8), "control"},
        {"UnterminatedName", file("{\"abc", 0), "end of a string"},
        {"DeepNesting", file(nested, 8), "nesting"},
        {"MissingComma", file("{" + entry("a", "[1]", 0, 4) + entry("b", "[1]", 4, 8) + "}", 8),
         "a comma"},
        {"CommaAtTheEnd", file("{" + entry("a", "[1]", 0, 4) + ",}", 4), "a key"},
    };
}

void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

class HostileSafetensors : public testing::TestWithParam<Case> {};

TEST_P(HostileSafetensors, IsRefusedWithItsReason) {
    const TemporaryFolder folder;
    const Path path = folder / "x.safetensors";
    writeBytes(path, GetParam().bytes);
    const std::string text = errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(path); });
    EXPECT_NE(text.find(GetParam().reason), std::string::npos) << text;
    EXPECT_NE(text.find(path.string()), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(Files, HostileSafetensors, testing::ValuesIn(cases()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(HostileSafetensors, OddButLegalHeadersAreRead) {
    const TemporaryFolder folder;
    const std::string json =
        "{ \"z\" : {\"data_offsets\": [0, 0], \"extra\": {\"a\": [1, -2.5e3, "
        "null, true]}, \"shape\": [0, 7], \"dtype\": \"I64\"},\n" +
        entry("second", "[1]", 4, 8) + "," + entry("first", "[1]", 0, 4) + "}   \t\n";
    writeBytes(folder / "x.safetensors", file(json, 8));
    const auto checkpoint = Checkpoint::open(folder / "x.safetensors");
    ASSERT_EQ(checkpoint->tensors().size(), 3U);
    EXPECT_EQ(checkpoint->tensors()[0].name, "z");
    EXPECT_EQ(checkpoint->tensors()[1].name, "first");
    EXPECT_EQ(checkpoint->tensors()[2].name, "second");
    EXPECT_TRUE(checkpoint->readFloats(checkpoint->tensors()[0]).empty());
    writeBytes(folder / "none.safetensors", file("{}", 0));
    EXPECT_TRUE(Checkpoint::open(folder / "none.safetensors")->tensors().empty());
}

TEST(HostileSafetensors, RandomDamageIsNeverMoreThanAnError) {
    const TemporaryFolder folder;
    const std::string json = "{\"__metadata__\":{\"format\":\"pt\"}," + entry("a", "[2,3]", 0, 24) +
                             "," + entry("b", "[]", 24, 28) + "}";
    const std::string good = file(json, 28);
    std::mt19937 random(1);
    int refused = 0;
    for (int round = 0; round < 1500; ++round) {
        std::string bad = good;
        const int changes = 1 + static_cast<int>(random() % 3);
        for (int i = 0; i < changes; ++i) bad[random() % bad.size()] = static_cast<char>(random());
        if (random() % 4 == 0) bad.resize(random() % bad.size());
        writeBytes(folder / "x.safetensors", bad);
        try {
            const auto checkpoint = Checkpoint::open(folder / "x.safetensors");
            for (const TensorInfo& tensor : checkpoint->tensors()) checkpoint->readFloats(tensor);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::BadInput) << error.what();
            ++refused;
        }
    }
    EXPECT_GT(refused, 500);
}

}  // namespace
}  // namespace core::test
