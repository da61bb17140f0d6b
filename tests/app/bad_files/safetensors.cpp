// SPDX-License-Identifier: Apache-2.0
#include "tests/app/bad_files/bad_file.h"
#include "tests/core/checkpoint/zip_helpers.h"

#include <utility>

namespace upcycle_test {
namespace {

using core::test::littleEndian;

constexpr const char* kFile = "model.safetensors";

std::string withLength(const std::string& json, std::size_t dataBytes, std::uint64_t claimed) {
    return littleEndian(claimed, 8) + json + std::string(dataBytes, '\1');
}
std::string of(const std::string& json, std::size_t dataBytes = 8) {
    return withLength(json, dataBytes, json.size());
}
std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" +
           offsets + "}";
}
/// A file of one tensor of 8 bytes whose fields are given.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return of("{" + entry("a", dtype, shape, offsets) + "}");
}
std::string pair(const std::string& offsetsA, const std::string& offsetsB, std::size_t bytes) {
    return of("{" + entry("a", "\"F32\"", "[2]", offsetsA) + "," +
                  entry("b", "\"F32\"", "[2]", offsetsB) + "}",
              bytes);
}

const std::string kGood = "{" + entry("a", "\"F32\"", "[2]", "[0,8]") + "}";

using Named = std::pair<const char*, std::string>;

std::vector<Named> headers() {
    return {{"LengthZero", withLength("", 0, 0)},
            {"LengthOne", withLength(kGood, 8, 1)},
            {"LengthOneLess", withLength(kGood, 8, kGood.size() - 1)},
            {"LengthOneMore", withLength(kGood, 8, kGood.size() + 1)},
            {"LengthPastTheEnd", withLength(kGood, 8, kGood.size() + 9)},
            {"LengthOverTheLimit", withLength(kGood, 8, 100'000'001)},
            {"LengthHalfOfAll", withLength(kGood, 8, 1ULL << 63U)},
            {"LengthAll", withLength(kGood, 8, ~0ULL)},
            {"NotJson", of("these are notes")},
            {"Array", of("[]")},
            {"Number", of("17")},
            {"Text", of("\"a\"")},
            {"Null", of("null")},
            {"NoBrace", of(kGood.substr(0, kGood.size() - 1))},
            {"TwoObjects", of(kGood + "{}")},
            {"CommaAtTheEnd", of(kGood.substr(0, kGood.size() - 1) + ",}")},
            {"NoColon", of(R"({"a" {"dtype":"F32","shape":[2],"data_offsets":[0,8]}})")},
            {"SingleQuotes", of("{'a':{}}")},
            {"Comment", of("{/* a */" + kGood.substr(1))},
            {"BareName", of("{a:{}}")},
            {"OpenText", of("{\"a")},
            {"ControlCharacter", of("{\"a\x01\":{}}")},
            {"EscapeUnknown", of("{\"\\q\":{}}")},
            {"EscapeCut", of("{\"\\u12\":{}}")},
            {"EscapeLoneSurrogate", of("{\"\\udc00\":{}}")},
            {"Utf8Cut", of("{\"\xe2\x82\":{}}")},
            {"Utf8TooLong", of("{\"\xc0\xaf\":{}}")},
            {"Utf8Surrogate", of("{\"\xed\xa0\x80\":{}}")},
            {"Utf8BeyondUnicode", of("{\"\xf4\x90\x80\x80\":{}}")},
            {"ByteOrderMark", of("\xef\xbb\xbf" + kGood)},
            {"Nul", of(std::string("{\0}", 3))},
            {"DeepNesting",
             of("{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}")},
            {"TensorIsText", of("{\"a\":\"F32\"}")},
            {"TensorIsArray", of("{\"a\":[]}")},
            {"NoDType", of(R"({"a":{"shape":[2],"data_offsets":[0,8]}})")},
            {"NoShape", of(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})")},
            {"NoOffsets", of(R"({"a":{"dtype":"F32","shape":[2]}})")},
            {"TensorTwice", of("{" + entry("a", "\"F32\"", "[1]", "[0,4]") + "," +
                               entry("a", "\"F32\"", "[1]", "[4,8]") + "}")},
            {"MetadataOfNumbers", of(R"({"__metadata__":{"step":3}})", 0)},
            {"MetadataNested", of(R"({"__metadata__":{"a":{"b":"c"}}})", 0)},
            {"MetadataIsArray", of(R"({"__metadata__":["a"]})", 0)},
            {"MetadataNull", of(R"({"__metadata__":{"a":null}})", 0)}};
}

std::vector<Named> tensors() {
    const std::string f32 = "\"F32\"";
    return {{"DTypeUnknown", one("\"F31\"", "[2]", "[0,8]")},
            {"DTypeEmpty", one("\"\"", "[2]", "[0,8]")},
            {"DTypeTorchs", one("\"float32\"", "[2]", "[0,8]")},
            {"DTypeNumber", one("32", "[2]", "[0,8]")},
            {"DTypeNull", one("null", "[2]", "[0,8]")},
            {"DTypeTooWide", one("\"F64\"", "[2]", "[0,8]")},
            {"DTypeTooNarrow", one("\"BF16\"", "[2]", "[0,8]")},
            {"ShapeIsNumber", one(f32, "2", "[0,8]")},
            {"ShapeIsText", one(f32, "\"2\"", "[0,8]")},
            {"ShapeOfTexts", one(f32, "[\"2\"]", "[0,8]")},
            {"ShapeNegative", one(f32, "[-2]", "[0,8]")},
            {"ShapeFraction", one(f32, "[2.5]", "[0,8]")},
            {"ShapeExponent", one(f32, "[2e0]", "[0,8]")},
            {"ShapeLeadingZero", one(f32, "[02]", "[0,8]")},
            {"ShapeTooLarge", one(f32, "[3]", "[0,8]")},
            {"ShapeTooSmall", one(f32, "[1]", "[0,8]")},
            {"ShapePetabyte", one(f32, "[281474976710656]", "[0,8]")},
            {"ShapePetabyteClaimed", one(f32, "[281474976710656]", "[0,1125899906842624]")},
            {"ShapeOverflow", one(f32, "[4294967296,4294967296]", "[0,8]")},
            {"ShapeOverflowToTwo", one(f32, "[9223372036854775809,2]", "[0,8]")},
            {"ShapeTwentyDigits", one(f32, "[18446744073709551618]", "[0,8]")},
            {"OffsetsReversed", one(f32, "[2]", "[8,0]")},
            {"OffsetsOne", one(f32, "[2]", "[8]")},
            {"OffsetsThree", one(f32, "[2]", "[0,8,8]")},
            {"OffsetsNone", one(f32, "[2]", "[]")},
            {"OffsetsText", one(f32, "[2]", "[\"0\",\"8\"]")},
            {"OffsetsNegative", one(f32, "[2]", "[-8,0]")},
            {"OffsetsPastTheEnd", one(f32, "[2]", "[8,16]")},
            {"OffsetsWrapAround", one(f32, "[2]", "[18446744073709551608,0]")},
            {"OffsetsNull", one(f32, "[2]", "null")},
            {"Overlap", pair("[0,8]", "[4,12]", 12)},
            {"SameBytes", pair("[0,8]", "[0,8]", 8)},
            {"Inside", of("{" + entry("a", f32, "[4]", "[0,16]") + "," +
                              entry("b", f32, "[1]", "[4,8]") + "}",
                          16)},
            {"Hole", pair("[0,8]", "[12,20]", 20)},
            {"HoleAtTheStart", pair("[8,16]", "[16,24]", 24)},
            {"DataCut", pair("[0,8]", "[8,16]", 15)},
            {"DataSurplus", pair("[0,8]", "[8,16]", 17)},
            {"DataMissing", pair("[0,8]", "[8,16]", 0)},
            {"DataWithoutTensors", of("{}", 4)}};
}

}  // namespace

std::vector<BadFile> badSafetensors() {
    std::vector<BadFile> files;
    for (const auto& [name, bytes] : headers()) files.push_back(badFile(name, kFile, bytes));
    for (const auto& [name, bytes] : tensors()) files.push_back(badFile(name, kFile, bytes));
    const std::string good = sourceFile("tests/reference/checkpoint/library.safetensors");
    for (const std::size_t bytes : {0UL, 1UL, 7UL, 8UL, 9UL, 100UL, 400UL, 700UL, 860UL})
        files.push_back(badFile("Cut" + std::to_string(bytes), kFile, good.substr(0, bytes)));
    return files;
}

}  // namespace upcycle_test
