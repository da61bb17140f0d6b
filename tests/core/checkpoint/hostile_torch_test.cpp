// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"
#include "tests/core/checkpoint/torch_files.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace core::test {
namespace {

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
const std::string kEight(8, '\0');

/// {"a": TENSOR} of one storage of two floats.
std::string one(const std::function<void(PickleText&)>& tensor) {
    PickleText pickle;
    pickle.op("}").text("a");
    tensor(pickle);
    return torchBytes(pickle.op("s").end(), {kEight});
}

std::string view(std::int64_t offset, const std::vector<std::int64_t>& sizes,
                 const std::vector<std::int64_t>& strides, std::int64_t elements = 2) {
    return one([&](PickleText& p) { p.tensor("0", elements, offset, sizes, strides); });
}

std::string bare(const std::string& opcodes) {
    return torchBytes(PickleText().op(opcodes).end(), {kEight});
}

/// A value that doubles with each of `times` steps: shared, it must cost nothing.
std::string doubling(int times) {
    std::string opcodes = "]q";
    opcodes += '\0';
    for (int i = 0; i < times; ++i) opcodes += std::string("]q\1(h\0h\0eh\1q\0", 13) + "0";
    return opcodes;
}

struct Case {
    const char* name;
    std::string bytes;
    const char* reason;  ///< must occur in the message
};

std::vector<Case> pickles() {
    const std::string good =
        PickleText().op("}").text("a").tensor("0", 2, 0, {2}, {1}).op("s").end();
    const auto tensor = [](const char* function,
                           const std::function<void(PickleText&)>& arguments) {
        return one([&](PickleText& p) {
            p.global("torch._utils", function).op("(");
            arguments(p);
            p.op("tR");
        });
    };
    return {
        {"Empty", torchBytes(""), "needs 1 more bytes, 0 follow"},
        {"NoStop", torchBytes(good.substr(0, good.size() - 1), {kEight}), "0 follow"},
        {"Halved", torchBytes(good.substr(0, good.size() / 2), {kEight}), "follow"},
        {"StopAlone", bare(""), "empty stack"},
        {"UnknownOpcode", bare("\xff"), "opcode 0xff"},
        {"Instance", bare("(ios\nsystem\n"), "opcode 0x69"},
        {"Object", bare("(o"), "opcode 0x6f"},
        {"Extension", bare("\x82\x01"), "opcode 0x82"},
        {"ProtocolNine", torchBytes("\x80\x09}."), "pickle protocol 9"},
        {"FrameTooLong", bare("\x95" + littleEndian(UINT64_MAX, 8)), "a frame of"},
        {"TextTooLong", bare("X" + littleEndian(0xFFFFFFFF, 4)), "needs 4294967295 more bytes"},
        {"Text8TooLong", bare("\x8d" + littleEndian(UINT64_MAX, 8)), "needs 18446744073709551615"},
        {"BytesTooLong", bare("\x8e" + littleEndian(UINT64_MAX - 3, 8)), "more bytes"},
        {"IntegerTooLong", bare("\x8b" + littleEndian(0x80000000, 4)), "more bytes"},
        {"NameWithoutEnd", bare("c" + std::string(2000, 'a')), "no end"},
        {"MemoNeverFilled", bare("h\x05"), "memo place 5 was never filled"},
        {"MemoFarAway", bare("j" + littleEndian(0xFFFFFFFF, 4)), "was never filled"},
        {"MemoAbsurd", bare("Nr" + littleEndian(0xFFFFFFFF, 4)), "4294967295 is absurd"},
        {"MemoOfNothing", bare(std::string("q\0", 2)), "empty stack"},
        {"PopOfNothing", bare("0"), "empty stack"},
        {"PopBelowMark", bare("N(0"), "empty stack"},
        {"TupleWithoutMark", bare("Nt"), "mark that was never set"},
        {"TupleOfTooFew", bare("NN\x87"), "empty stack"},
        {"AppendToTuple", bare(")Na"), "items of a list are put into a tuple"},
        {"AppendToNothing", bare("(Ne"), "put into nothing"},
        {"ItemsOfList", bare("](NNu"), "items of a dict are put into a list"},
        {"KeyWithoutValue", bare("}(Nu"), "a key without a value"},
        {"CallOfText",
         bare("U\x01"
              "a)R"),
         "calls a string"},
        {"CallOfStorageType", bare("ctorch\nFloatStorage\nK\x01\x85R"),
         "which state dicts only name"},
        {"CallWithList", bare("ccollections\nOrderedDict\n]R"), "with a list, expected a tuple"},
        {"DictOfIntegers",
         bare("ccollections\nOrderedDict\n](K\x01K\x02"
              "e\x85R"),
         "list of pairs"},
        {"DictOfInteger", bare("ccollections\nOrderedDict\nK\x01\x85R"), "list of pairs"},
        {"AttributesOfList", bare("]}b"), "attributes are set on a list"},
        {"System", bare("cos\nsystem\nX\x02\0\0\0id\x85R"), "uses os.system, which is not one of"},
        {"SystemOnStack", bare("\x8c\x02os\x8c\x06system\x93"), "uses os.system"},
        {"Eval", bare("cbuiltins\neval\n"), "uses builtins.eval"},
        {"Reduce", bare("ccopyreg\n_reconstructor\n"), "uses copyreg._reconstructor"},
        {"NameOfIntegers", bare("K\x01K\x02\x93"), "a name is not a string"},
        {"NameOfControls", bare("co\x1bs\nsy\x07stem\n"), "uses o\\x1bs.sy\\x07stem"},
        {"DottedName", bare("ctorch\n_utils.os.system\n"), "uses torch._utils.os.system"},
        {"Doubling", bare(doubling(3000)), "holds a list"},
        {"DictOfItself", bare(std::string("}q\0X\1\0\0\0ah\0s", 11)), "no dict of tensors"},
        {"DeepDicts", bare([] {
             std::string text;
             for (int i = 0; i < 100000; ++i) text += std::string("}X\1\0\0\0a", 7);
             return text + "N" + std::string(100000, 's');
         }()),
         "no dict of tensors"},
        {"RootIsNone", bare("N"), "holds None"},
        {"EmptyDict", bare("}"), "no dict of tensors"},
        {"NoArguments", tensor("_rebuild_tensor_v2", [](PickleText&) {}), "0 arguments"},
        {"TooManyArguments", tensor("_rebuild_tensor_v2", [](PickleText& p) { p.op("NNNNNNNNN"); }),
         "9 arguments"},
        {"StorageIsText",
         tensor("_rebuild_tensor_v2", [](PickleText& p) { p.text("x").view(0, {2}, {1}); }),
         "a view of a string"},
        {"ParameterOfText", tensor("_rebuild_parameter", [](PickleText& p) { p.op("NNN"); }),
         "a parameter of None"},
        {"TypeOfNothing", one([](PickleText& p) {
             p.global("torch._tensor", "_rebuild_from_type_v2").op("(NN)NtR");
         }),
         "makes no tensor"},
        {"TypeOfItself", one([](PickleText& p) {
             // _rebuild_from_type_v2(_rebuild_from_type_v2, None, ARGUMENTS, None), again and again
             const std::string function = "ctorch._tensor\n_rebuild_from_type_v2\n";
             p.op(function + "(");
             for (int i = 0; i < 50; ++i) p.op(function + "N(");
             for (int i = 0; i < 50; ++i) p.op("tN");
             p.op("tR");
         }),
         "wrapped too often"},
        {"TensorTwice",
         torchBytes(PickleText()
                        .op("}")
                        .text("a")
                        .tensor("0", 2, 0, {2}, {1})
                        .op("s")
                        .text("a")
                        .tensor("0", 2, 0, {2}, {1})
                        .op("s")
                        .end(),
                    {kEight}),
         "occurs twice"},
        {"NameNotUtf8",
         torchBytes(PickleText().op("}").text("\xff\xfe").tensor("0", 2, 0, {2}, {1}).op("s").end(),
                    {kEight}),
         "is not UTF-8"},
    };
}

std::vector<Case> tensors() {
    const auto id = [](const std::string& opcodes) {
        return one([&](PickleText& p) {
            p.global("torch._utils", "_rebuild_tensor_v2").op("(").op(opcodes).op("Q");
            p.view(0, {2}, {1}).op("tR");
        });
    };
    const std::string type = "ctorch\nFloatStorage\n";
    return {
        {"BeyondTheStorage", view(0, {3}, {1}), "reaches outside its storage"},
        {"OffsetBeyond", view(2, {1}, {1}), "reaches outside"},
        {"OffsetHuge", view(kHuge, {2}, {1}), "reaches outside"},
        {"OffsetNegative", view(-1, {2}, {1}), "no storage offset from 0"},
        {"StrideHuge", view(0, {2}, {kHuge}), "reaches outside"},
        {"StridesOverflow", view(0, {3, 3}, {kHuge / 2, kHuge / 2}), "reaches outside"},
        {"StrideNegative", view(1, {2}, {-1}), "numbers from 0 as its strides"},
        {"SizeNegative", view(0, {-2}, {1}), "numbers from 0 as its size"},
        {"SizeHuge", view(0, {kHuge}, {0}), "absurd shape"},
        {"ProductOverflows", view(0, {1LL << 32, 1LL << 32}, {0, 0}), "absurd shape"},
        {"Petabyte", view(0, {1LL << 48}, {0}), "repeats a storage of 8 bytes"},
        {"Windows", view(0, {1LL << 30, 2}, {0, 1}), "repeats a storage"},
        {"StridesTooFew", view(0, {1, 2}, {1}), "1 strides for the shape [1, 2]"},
        {"ManyAxes", view(0, std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1)),
         "more than 64 axes"},
        {"ElementsHuge", view(0, {2}, {1}, kHuge), "absurdly many"},
        {"ElementsNegative", view(0, {2}, {1}, -1), "no number of elements"},
        {"ElementsLie", view(0, {2}, {1}, 1LL << 40), "storage '0' has 8 bytes"},
        {"StorageMissing", one([](PickleText& p) { p.tensor("7", 2, 0, {2}, {1}); }),
         "does not hold storage '7'"},
        {"StorageElsewhere", one([](PickleText& p) { p.tensor("../data.pkl", 2, 0, {2}, {1}); }),
         "does not hold storage '../data.pkl'"},
        {"IdIsText", id("U\x01x"), "a persistent id is not"},
        {"IdTooShort",
         id("(U\x07storage" + type +
            "U\x01"
            "0t"),
         "a persistent id is not"},
        {"IdOfModule",
         id("(U\x06module" + type +
            "U\x01"
            "0U\x03"
            "cpuK\x02t"),
         "a persistent id"},
        {"IdWithoutType",
         id("(U\x07storageNU\x01"
            "0U\x03"
            "cpuK\x02t"),
         "no type or no key"},
        {"IdOfOtherType",
         id("(U\x07storagectorch\nSize\nU\x01"
            "0U\x03"
            "cpuK\x02t"),
         "torch.Size, which is no type of storages"},
        {"ViewBeyond",
         id("(U\x07storage" + type +
            "U\x01"
            "0U\x03"
            "cpuK\x02(U\x01vK\x01K\x02tt"),
         "elements 1 + 2 of storage '0' are viewed"},
        {"ViewOfText",
         id("(U\x07storage" + type +
            "U\x01"
            "0U\x03"
            "cpuK\x02U\x01vt"),
         "a view without"},
        {"TwoSizes",
         torchBytes(PickleText()
                        .op("}")
                        .text("a")
                        .tensor("0", 2, 0, {2}, {1})
                        .op("s")
                        .text("b")
                        .tensor("0", 3, 0, {2}, {1})
                        .op("s")
                        .end(),
                    {kEight}),
         "8 bytes and 12 bytes"},
        {"TwoPickles", zipBytes({{"x/data.pkl", "N."}, {"y/data.pkl", "N."}}),
         "expected one data.pkl"},
        {"NoDType", one([](PickleText& p) {
             p.global("torch._utils", "_rebuild_tensor_v3").op("(").storage("0", 2);
             p.view(0, {2}, {1}).op("NtR");
         }),
         "has no dtype"},
    };
}

std::vector<Case> streams() {
    const std::string good =
        PickleText().op("}").text("a").tensor("0", 2, 0, {2}, {1}).op("s").end();
    const std::string keys = PickleText().op("](").text("0").op("e").end();
    const std::string two = littleEndian(2, 8);
    return {
        {"StreamCut", torchStreamBytes(good, keys + two + "1234"), "needs 8 bytes at byte"},
        {"StreamWithoutStorages", torchStreamBytes(good, ""), "0 follow"},
        {"StreamWithoutCount", torchStreamBytes(good, keys), "more bytes were expected"},
        {"StreamKeysMissing", torchStreamBytes(good, "\x80\x02]."), "is missing from the list"},
        {"StreamKeysTwice",
         torchStreamBytes(good, PickleText().op("](").text("0").text("0").op("e").end() + two +
                                    kEight + two + kEight),
         "is listed twice"},
        {"StreamKeysUnknown", torchStreamBytes(good, PickleText().op("](").text("9").op("e").end()),
         "no tensor has it"},
        {"StreamKeysAreNone", torchStreamBytes(good, "\x80\x02N."), "expected a list"},
        {"StreamCountLies", torchStreamBytes(good, keys + littleEndian(1ULL << 60U, 8) + kEight),
         "1152921504606846976 elements at byte"},
        {"StreamMagicAlone",
         std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."), "0 follow"},
        {"StreamOtherMagic",
         std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x18."), "magic number"},
        {"StreamSystem",
         torchStreamBytes("\x80\x02"
                          "cos\nsystem\n.",
                          ""),
         "uses os.system"},
    };
}

void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

void expectRefused(const std::string& bytes, const char* reason) {
    const TemporaryFolder folder;
    const Path path = folder / "x.pt";
    writeBytes(path, bytes);
    const std::string text = errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(path); });
    EXPECT_NE(text.find(reason), std::string::npos) << text;
    EXPECT_NE(text.find(path.string()), std::string::npos) << text;
}

class HostileTorch : public testing::TestWithParam<Case> {};

TEST_P(HostileTorch, IsRefusedWithItsReason) { expectRefused(GetParam().bytes, GetParam().reason); }

std::string repeated(int times, const std::string& opcodes) {
    std::string text;
    for (int i = 0; i < times; ++i) text += opcodes;
    return text;
}

// Megabytes each: made when the test runs, as parameters are made whenever this program starts.
TEST(HostileTorch, MoreThanAnyStateDictIsRefused) {
    expectRefused(bare(std::string(5U << 20U, ')')), "more values than any state dict");
    expectRefused(bare(std::string(17U << 20U, '(')), "more steps");
    expectRefused(bare("N" + std::string(17U << 20U, '2')), "more steps");
    expectRefused(bare("N" + repeated(1100000, "]Na")), "more lists and dicts");
}

const auto kName = [](const auto& parameter) { return std::string(parameter.param.name); };
INSTANTIATE_TEST_SUITE_P(Pickles, HostileTorch, testing::ValuesIn(pickles()), kName);
INSTANTIATE_TEST_SUITE_P(Tensors, HostileTorch, testing::ValuesIn(tensors()), kName);
INSTANTIATE_TEST_SUITE_P(Streams, HostileTorch, testing::ValuesIn(streams()), kName);

Path fixture(const std::string& name) {
    return Path(UPCYCLER_SOURCE_DIR) / "tests/reference/torch" / name;
}

class RefusedTorch : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(RefusedTorch, WithItsReason) {
    const auto [name, reason] = GetParam();
    const Path path = fixture(std::string(name) + ".pt");
    const std::string text = errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(path); });
    EXPECT_NE(text.find(reason), std::string::npos) << text;
    EXPECT_NE(text.find(path.string()), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    Fixtures, RefusedTorch,
    testing::Values(std::pair{"bad_system", "posix.system, which is not one of the callables"},
                    std::pair{"bad_system_stream", "posix.system"},
                    std::pair{"bad_eval", "builtins.eval"},
                    std::pair{"bad_getattr", "__builtin__.getattr"},
                    std::pair{"bad_module", "torch.nn.modules.container.Sequential"},
                    std::pair{"bad_script", "__torch__.Scripted"},
                    std::pair{"bad_complex", "'weight' is of ComplexFloatStorage"},
                    std::pair{"bad_conjugate", "conjugate or negative view"},
                    std::pair{"bad_quantised", "torch._utils._rebuild_qtensor"},
                    std::pair{"bad_sparse", "torch._utils._rebuild_sparse_tensor"},
                    std::pair{"bad_petabyte", "repeats a storage of 4 bytes"},
                    std::pair{"bad_two_models", "under 'model', 'state_dict'"},
                    std::pair{"bad_optimizer", "no dict of tensors"},
                    std::pair{"bad_tensor", "expected a dict of tensors"},
                    std::pair{"bad_list", "holds a list"}, std::pair{"bad_pickle", "magic number"},
                    std::pair{"bad_byteorder", "byteorder is 'middle'"}),
    [](const auto& parameter) { return std::string(parameter.param.first); });

/// Opens and reads everything; errors of the right kind are fine.
void expectErrorsAtMost(const Path& path) {
    try {
        const auto checkpoint = Checkpoint::open(path);
        for (const TensorInfo& tensor : checkpoint->tensors()) checkpoint->readFloats(tensor);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::BadInput) << error.what();
    }
}

TEST(HostileTorch, CutShortAtAnyLength) {
    const TemporaryFolder folder;
    for (const char* name : {"zip.pt", "stream.pt", "deflated.pt"}) {
        const std::string good = readBytes(fixture(name));
        for (std::size_t bytes = 0; bytes < good.size(); bytes += 37) {
            writeBytes(folder / "x.pt", good.substr(0, bytes));
            errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(folder / "x.pt"); });
        }
    }
}

TEST(HostileTorch, AnyByteChanged) {
    const TemporaryFolder folder;
    std::mt19937 random(1);
    for (const char* name : {"training.pt", "training_stream.pt", "deflated.pt"}) {
        const std::string good = readBytes(fixture(name));
        for (int i = 0; i < 1500; ++i) {
            std::string bad = good;
            for (int k = 0; k < 3; ++k) bad[random() % bad.size()] = static_cast<char>(random());
            writeBytes(folder / "x.pt", bad);
            expectErrorsAtMost(folder / "x.pt");
        }
    }
}

}  // namespace
}  // namespace core::test
