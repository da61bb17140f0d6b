// SPDX-License-Identifier: Apache-2.0
#include "tests/app/bad_files/bad_file.h"
#include "tests/core/checkpoint/torch_files.h"

#include <functional>
#include <limits>

namespace upcycle_test {
namespace {

using namespace core::test;

constexpr const char* kFile = "pytorch_model.bin";
constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
const std::string kEight(8, '\0');

class Torch {
  public:
    void add(const std::string& name, std::string bytes) {
        list_.push_back(badFile(name, kFile, std::move(bytes)));
    }
    void pickle(const std::string& name, const std::string& opcodes) {
        add(name, torchBytes(PickleText().op(opcodes).end(), {kEight}));
    }
    /// {"a": TENSOR} of one storage of two floats.
    void tensor(const std::string& name, const std::function<void(PickleText&)>& write) {
        PickleText text;
        text.op("}").text("a");
        write(text);
        add(name, torchBytes(text.op("s").end(), {kEight}));
    }
    void view(const std::string& name, std::int64_t offset, const std::vector<std::int64_t>& sizes,
              const std::vector<std::int64_t>& strides, std::int64_t elements = 2) {
        tensor(name, [&](PickleText& p) { p.tensor("0", elements, offset, sizes, strides); });
    }
    void calls(const std::string& name, const std::string& module, const std::string& function) {
        tensor(name, [&](PickleText& p) { p.global(module, function).text("true").op("\x85R"); });
    }
    std::vector<BadFile> take() { return std::move(list_); }

  private:
    std::vector<BadFile> list_;
};

void addCode(Torch& torch) {
    torch.calls("RunsSystem", "os", "system");
    torch.calls("RunsPosixSystem", "posix", "system");
    torch.calls("RunsEval", "builtins", "eval");
    torch.calls("RunsExec", "__builtin__", "exec");
    torch.calls("RunsPopen", "subprocess", "Popen");
    torch.calls("RunsImport", "builtins", "__import__");
    torch.calls("RunsGetattr", "builtins", "getattr");
    torch.calls("RunsOpen", "io", "open");
    torch.calls("RunsPickle", "pickle", "loads");
    torch.calls("RunsTorchLoad", "torch", "load");
    torch.calls("RunsHub", "torch.hub", "load");
    torch.calls("RunsDotted", "torch", "_utils.os.system");
    torch.calls("RunsPartial", "functools", "partial");
    torch.calls("RunsMarshal", "marshal", "loads");
    torch.calls("RunsCode", "types", "CodeType");
    torch.pickle("RunsByInstance", "(S'true'\nios\nsystem\n");
    torch.pickle("RunsByObject", "(cos\nsystem\nS'true'\no");
    torch.pickle("RunsByStack", "\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R");
    torch.pickle("RunsByExtension", "\x82\x01");
    for (const char* name : {"system", "eval", "getattr"})
        torch.add(std::string("Made_") + name,
                  sourceFile(std::string("tests/reference/torch/bad_") + name + ".pt"));
    torch.add("Made_stream", sourceFile("tests/reference/torch/bad_system_stream.pt"));
}

void addPickles(Torch& torch) {
    torch.add("PickleEmpty", torchBytes(""));
    torch.pickle("StopAlone", "");
    torch.pickle("OpcodeUnknown", "\xff");
    torch.pickle("OpcodeZero", std::string(1, '\0'));
    torch.add("ProtocolNine", torchBytes("\x80\x09}."));
    torch.pickle("FrameTooLong", "\x95" + littleEndian(1ULL << 40U, 8));
    torch.pickle("TextTooLong", "X" + littleEndian(0xFFFFFFFF, 4) + "a");
    torch.pickle("TextOfExabytes", "\x8d" + littleEndian(1ULL << 60U, 8) + "a");
    torch.pickle("BytesTooLong", "B" + littleEndian(0x7FFFFFFF, 4) + "a");
    torch.pickle("NumberTooLong", "\x8b" + littleEndian(0x7FFFFFFF, 4) + "a");
    torch.pickle("NameWithoutEnd", "c" + std::string(5000, 'a'));
    torch.pickle("MemoNeverFilled", "h\x05");
    torch.pickle("MemoFarAway", "j" + littleEndian(0xFFFFFFFF, 4));
    torch.pickle("MemoOfNothing", std::string("q\0", 2));
    torch.pickle("PopOfNothing", "0");
    torch.pickle("PopBelowMark", "N(0");
    torch.pickle("MarkNeverSet", "Nt");
    torch.pickle("TupleOfTooFew", "NN\x87");
    torch.pickle("AppendToTuple", ")Na");
    torch.pickle("ItemsOfList", "](NNu");
    torch.pickle("KeyWithoutValue", "}(Nu");
    torch.pickle("CallOfText",
                 "U\x01"
                 "a)R");
    torch.pickle("CallWithoutTuple", "ccollections\nOrderedDict\n]R");
    torch.pickle("DictOfNumbers",
                 "ccollections\nOrderedDict\n](K\x01K\x02"
                 "e\x85R");
    torch.pickle("ManyValues", std::string(20U << 20U, ')'));
    torch.pickle("ManyMarks", std::string(40U << 20U, '('));
    torch.pickle("ManyCopies", "]" + std::string(40U << 20U, '2'));
    torch.pickle("DoublingList", [] {
        std::string text = std::string("]q\0", 3);
        for (int i = 0; i < 100000; ++i) text += std::string("]q\1(h\0h\0eh\1q\0000", 14);
        return text;
    }());
    torch.pickle("CopiedDicts", [] {
        // OrderedDict([...]) of a long list, again and again
        std::string text = "](";
        for (int i = 0; i < 100000; ++i) text += "NN\x86";
        text += std::string("eq\0\x85q\1", 6);
        for (int i = 0; i < 1000; ++i) text += "ccollections\nOrderedDict\nh\1R";
        return text;
    }());
    torch.pickle("DictOfItself", std::string("}q\0X\1\0\0\0ah\0s", 11));
    torch.pickle("DeepDicts", [] {
        std::string text;
        for (int i = 0; i < 300000; ++i) text += std::string("}X\1\0\0\0a", 7);
        return text + "N" + std::string(300000, 's');
    }());
}

void addTensors(Torch& torch) {
    torch.view("ReachesOut", 0, {3}, {1});
    torch.view("ReachesOutByStride", 0, {2}, {2});
    torch.view("OffsetBeyond", 2, {1}, {1});
    torch.view("OffsetHuge", kHuge, {2}, {1});
    torch.view("OffsetNegative", -1, {2}, {1});
    torch.view("StrideHuge", 0, {2}, {kHuge});
    torch.view("StridesOverflow", 0, {3, 3}, {kHuge / 2, kHuge / 2});
    torch.view("StrideNegative", 1, {2}, {-1});
    torch.view("SizeNegative", 0, {-2}, {1});
    torch.view("SizeHuge", 0, {kHuge}, {0});
    torch.view("SizesOverflow", 0, {1LL << 32, 1LL << 32}, {0, 0});
    torch.view("Petabyte", 0, {1LL << 48}, {0});
    torch.view("StridesTooFew", 0, {1, 2}, {1});
    torch.view("StridesTooMany", 0, {2}, {1, 1});
    torch.view("StorageHuge", 0, {2}, {1}, kHuge);
    torch.view("StorageNegative", 0, {2}, {1}, -1);
    torch.view("StorageTooLarge", 0, {2}, {1}, 1LL << 40);
    torch.view("StorageTooSmall", 0, {1}, {1}, 1);
    torch.tensor("StorageMissing", [](PickleText& p) { p.tensor("7", 2, 0, {2}, {1}); });
    torch.tensor("StorageElsewhere",
                 [](PickleText& p) { p.tensor("../data.pkl", 2, 0, {2}, {1}); });
    torch.tensor("StorageAbsolute", [](PickleText& p) { p.tensor("/etc/passwd", 2, 0, {2}, {1}); });
    torch.tensor("NoArguments",
                 [](PickleText& p) { p.global("torch._utils", "_rebuild_tensor_v2").op(")R"); });
    torch.tensor("ManyArguments", [](PickleText& p) {
        p.global("torch._utils", "_rebuild_tensor_v2").op("(NNNNNNNNNNtR");
    });
    torch.tensor("StorageIsText", [](PickleText& p) {
        p.global("torch._utils", "_rebuild_tensor_v2").op("(").text("x").view(0, {2}, {1}).op("tR");
    });
    torch.tensor("IdIsText", [](PickleText& p) {
        p.global("torch._utils", "_rebuild_tensor_v2").op("(").text("x").op("Q");
        p.view(0, {2}, {1}).op("tR");
    });
    torch.tensor("ParameterOfNone", [](PickleText& p) {
        p.global("torch._utils", "_rebuild_parameter").op("(NNNtR");
    });
    torch.add("Made_petabyte", sourceFile("tests/reference/torch/bad_petabyte.pt"));
}

void addContainers(Torch& torch) {
    const std::string good =
        PickleText().op("}").text("a").tensor("0", 2, 0, {2}, {1}).op("s").end();
    const std::string keys = PickleText().op("](").text("0").op("e").end();
    const std::string two = littleEndian(2, 8);
    torch.add("Empty", "");
    torch.add("NotTorch", "these are notes");
    torch.add("TwoPickles",
              zipBytes({{"x/data.pkl", good}, {"y/data.pkl", good}, {"x/data/0", kEight}}));
    torch.add("NoPickle", zipBytes(std::vector<ZipPart>{{"x/data/0", kEight}}));
    torch.add("ByteOrder", sourceFile("tests/reference/torch/bad_byteorder.pt"));
    torch.add("StreamCut", torchStreamBytes(good, keys + two + "1234"));
    torch.add("StreamWithoutStorages", torchStreamBytes(good, ""));
    torch.add("StreamWithoutCount", torchStreamBytes(good, keys));
    torch.add("StreamKeyMissing", torchStreamBytes(good, "\x80\x02]."));
    torch.add("StreamKeyUnknown",
              torchStreamBytes(good, PickleText().op("](").text("9").op("e").end() + two + kEight));
    torch.add("StreamKeysAreNone", torchStreamBytes(good, "\x80\x02N."));
    torch.add("StreamCountHuge", torchStreamBytes(good, keys + littleEndian(~0ULL, 8) + kEight));
    torch.add("StreamMagicAlone", torchStreamBytes("", "").substr(0, 15));
    torch.add("StreamOtherMagic", "\x80\x02\x8a\x0a" + std::string(10, 'x') + "." + good);
    torch.add("PlainPickle", sourceFile("tests/reference/torch/bad_pickle.pt"));
    for (const char* name : {"zip", "stream", "deflated"}) {
        const std::string whole = sourceFile(std::string("tests/reference/torch/") + name + ".pt");
        for (std::size_t part = 1; part < 8; ++part)
            torch.add(std::string(name) + "Cut" + std::to_string(part),
                      whole.substr(0, whole.size() * part / 8));
    }
}

}  // namespace

std::vector<BadFile> badTorch() {
    Torch torch;
    addCode(torch);
    addPickles(torch);
    addTensors(torch);
    addContainers(torch);
    return torch.take();
}

}  // namespace upcycle_test
