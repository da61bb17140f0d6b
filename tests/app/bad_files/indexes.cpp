// SPDX-License-Identifier: Apache-2.0
#include "tests/app/bad_files/bad_file.h"
#include "tests/core/checkpoint/torch_files.h"

#include <utility>

namespace upcycle_test {
namespace {

using core::test::littleEndian;

/// A kind of checkpoint in shards: two of them, "one" with tensor a and "two" with tensor b.
struct Kind {
    std::string ending;
    std::string one, two;
};

std::string safetensorsShard(const std::string& tensor) {
    const std::string json =
        "{\"" + tensor + R"(":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
    return littleEndian(json.size(), 8) + json + std::string(8, '\1');
}

std::string torchShard(const std::string& tensor) {
    core::test::PickleText pickle;
    pickle.op("}").text(tensor).tensor("0", 2, 0, {2}, {1}).op("s");
    return core::test::torchBytes(pickle.end(), {std::string(8, '\1')});
}

void add(const Kind& kind, std::vector<BadFile>& list) {
    const std::string index = "model." + kind.ending + ".index.json";
    const auto file = [&](const std::string& name) {
        return "\"" + name + "." + kind.ending + "\"";
    };
    const auto bad = [&](const std::string& name, const std::string& text,
                         const std::string& named = {}) {
        list.push_back(
            {kind.ending + name,
             {{index, text}, {"one." + kind.ending, kind.one}, {"two." + kind.ending, kind.two}},
             index,
             named.empty() ? index : named});
    };
    const auto map = [&](const std::string& entries) {
        return "{\"weight_map\":{" + entries + "}}";
    };
    const auto elsewhere = [&](const std::string& name, const std::string& path) {
        bad(name, map("\"a\":" + path));
    };
    const std::string both = "\"a\":" + file("one") + ",\"b\":" + file("two");
    bad("Empty", "");
    bad("NotJson", "weights are here");
    bad("Array", "[]");
    bad("NoMap", R"({"metadata":{}})");
    bad("MapIsArray", R"({"weight_map":[]})");
    bad("MapIsNull", R"({"weight_map":null})");
    bad("MapTwice", "{\"weight_map\":{},\"weight_map\":{" + both + "}}");
    bad("Cut", map(both).substr(0, 30));
    bad("TrailingText", map(both) + "x");
    bad("NotUtf8", map("\"\xff\":" + file("one")));
    bad("FileIsNumber", map("\"a\":1"));
    bad("FileIsNull", map("\"a\":null"));
    bad("FileIsList", map("\"a\":[" + file("one") + "]"));
    elsewhere("Parent", file("../one"));
    elsewhere("ParentInside", file("x/../../one"));
    elsewhere("Absolute", file("/tmp/one"));
    elsewhere("Passwords", "\"/etc/passwd\"");
    elsewhere("Folder", file("sub/one"));
    elsewhere("Backslash", file("sub\\\\one"));
    elsewhere("DotDot", "\"..\"");
    elsewhere("Hidden", file(".one"));
    elsewhere("NoName", "\"\"");
    elsewhere("Url", file("https://example.org/one"));
    elsewhere("Config", "\"config.json\"");
    elsewhere("Newline", "\"one\\n." + kind.ending + "\"");
    elsewhere("VeryLong", file(std::string(5000, 'a')));
    bad("Missing", map("\"a\":" + file("one") + ",\"b\":" + file("three")));
    bad("TensorTwice", map("\"a\":" + file("one") + ",\"a\":" + file("two")));
    bad("TensorNotInShard", map(both + ",\"c\":" + file("one")));
    bad("TensorInOtherShard", map("\"a\":" + file("two") + ",\"b\":" + file("one")));
    bad("ShardHoldsMore", map("\"b\":" + file("two") + ",\"x\":" + file("one")));
    list.push_back({kind.ending + "ShardCut",
                    {{index, map(both)},
                     {"one." + kind.ending, kind.one},
                     {"two." + kind.ending, kind.two.substr(0, kind.two.size() - 4)}},
                    index,
                    "two." + kind.ending});
    list.push_back(
        {kind.ending + "ShardEmpty",
         {{index, map(both)}, {"one." + kind.ending, kind.one}, {"two." + kind.ending, ""}},
         index,
         "two." + kind.ending});
    list.push_back({kind.ending + "SameTensorInBoth",
                    {{index, map("\"a\":" + file("two") + ",\"z\":" + file("one"))},
                     {"one." + kind.ending, kind.one},
                     {"two." + kind.ending, kind.one}},
                    index,
                    index});
}

}  // namespace

std::vector<BadFile> badIndexes() {
    std::vector<BadFile> list;
    add({"safetensors", safetensorsShard("a"), safetensorsShard("b")}, list);
    add({"bin", torchShard("a"), torchShard("b")}, list);
    return list;
}

}  // namespace upcycle_test
