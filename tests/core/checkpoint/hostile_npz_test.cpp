// SPDX-License-Identifier: Apache-2.0
// Zip archives and array headers that lie.
#include "core/checkpoint/checkpoint.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"
#include "tests/core/checkpoint/zip_helpers.h"

#include <gtest/gtest.h>

namespace core::test {
namespace {

/// The sentence with which the file is refused; it names the file.
std::string refusal(const std::string& bytes) {
    const TemporaryFolder folder;
    const Path path = folder / "x.npz";
    writeBytes(path, bytes);
    const std::string text = errorOf(ErrorKind::BadInput, [&] {
        const auto checkpoint = Checkpoint::open(path);
        for (const TensorInfo& info : checkpoint->tensors()) checkpoint->readFloats(info);
    });
    EXPECT_NE(text.find(path.string()), std::string::npos) << text;
    return text;
}

void expectRefusal(const std::string& bytes, const std::string& reason) {
    const std::string text = refusal(bytes);
    EXPECT_NE(text.find(reason), std::string::npos) << text;
}

ZipPart partWith(const std::function<void(ZipPart&)>& change) {
    ZipPart part = floatsPart("w", 3);
    change(part);
    return part;
}

void expectPartRefused(const std::string& reason, const std::function<void(ZipPart&)>& change) {
    expectRefusal(zipBytes({floatsPart("v", 3), partWith(change), floatsPart("u", 3)}), reason);
}

void expectEndRefused(const std::string& reason, const ZipEnd& end) {
    expectRefusal(zipBytes({floatsPart("v", 3), floatsPart("w", 3)}, end), reason);
}

void expectHeaderRefused(const std::string& reason, const std::string& header, char major = 1) {
    expectRefusal(zipBytes({{"w.npy", npyBytes(header, std::string(12, '\0'), major)}}), reason);
}

TEST(HostileNpz, TheHandMadeArchiveIsGood) {
    const TemporaryFolder folder;
    writeBytes(folder / "x.npz", zipBytes({floatsPart("v", 3), floatsPart("w", 2).deflate()},
                                          {.comment = "a comment PK\x05\x06 and more"}));
    const auto checkpoint = Checkpoint::open(folder / "x.npz");
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("v")), (std::vector<float>{0, 1, 2}));
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("w")), (std::vector<float>{0, 1}));
}

TEST(HostileNpz, CutShortAtAnyLength) {
    const std::string good = zipBytes({floatsPart("v", 3), floatsPart("w", 30).deflate()});
    for (std::size_t bytes = 0; bytes < good.size(); ++bytes) refusal(good.substr(0, bytes));
}

TEST(HostileNpz, AnyByteChangedNeverDoesHarm) {
    const TemporaryFolder folder;
    const Path path = folder / "x.npz";
    const std::string good = zipBytes({floatsPart("v", 3), floatsPart("w", 30).deflate()});
    std::size_t refused = 0;
    for (std::size_t at = 0; at < good.size(); ++at)
        for (const char other : {'\0', '\x7F', '\xFF'}) {
            std::string bad = good;
            bad[at] = other;
            writeBytes(path, bad);
            try {
                const auto checkpoint = Checkpoint::open(path);
                for (const TensorInfo& info : checkpoint->tensors()) checkpoint->readFloats(info);
            } catch (const Error& error) {
                EXPECT_EQ(error.kind(), ErrorKind::BadInput) << error.what();
                ++refused;
            }
        }
    EXPECT_GT(refused, good.size());
}

TEST(HostileNpz, TheEndOfTheArchive) {
    expectEndRefused("claims 1 members", {.moreMembers = -1});
    expectEndRefused("claims 3 members", {.moreMembers = 1});
    expectEndRefused("but ends at", {.moreBytes = 1});
    expectEndRefused("but ends at", {.moreOffset = -1});
    expectEndRefused("but ends at", {.moreOffset = 0x7FFFFFFF});
    expectEndRefused("but ends at", {.gap = "hidden"});
    expectEndRefused("several parts", {.disk = 1});
    expectEndRefused("two end records", {.comment = "x" + zipBytes({floatsPart("other", 3)})});
    const std::string good = zipBytes({floatsPart("v", 3)});
    expectRefusal("PK\x03\x04" + good, "but ends at");
    expectRefusal(good + "trailing", "missing");
    expectRefusal(zipBytes({}), "holds no .npy arrays");
    expectRefusal(zipBytes({{"a.txt", "text"}}), "holds no .npy arrays");
}

TEST(HostileNpz, TheZip64End) {
    const std::string good = zipBytes({floatsPart("v", 3)});
    const std::string body = good.substr(0, good.size() - 22);
    const std::string end = good.substr(good.size() - 22);
    const auto withRecord = [&](std::uint64_t size, std::uint64_t members, std::uint64_t bytes,
                                std::uint64_t offset, std::uint64_t at) {
        return body + "PK\x06\x06" + littleEndian(size, 8) + std::string(12, '\0') +
               littleEndian(members, 8) + littleEndian(members, 8) + littleEndian(bytes, 8) +
               littleEndian(offset, 8) + "PK\x06\x07" + std::string(4, '\0') + littleEndian(at, 8) +
               littleEndian(1, 4) + end;
    };
    const std::size_t offset = body.find("PK\x01\x02");
    const std::size_t bytes = body.size() - offset;
    const TemporaryFolder folder;
    writeBytes(folder / "x.npz", withRecord(44, 1, bytes, offset, body.size()));
    EXPECT_EQ(Checkpoint::open(folder / "x.npz")->tensors().size(), 1U);
    expectRefusal(withRecord(44, 2, bytes, offset, body.size()), "contradict");
    expectRefusal(withRecord(44, 1, bytes, offset + 1, body.size()), "contradict");
    expectRefusal(withRecord(45, 1, bytes, offset, body.size()), "no zip64 directory");
    expectRefusal(withRecord(44, 1, bytes, offset, body.size() - 1), "no zip64 directory");
    expectRefusal(withRecord(44, 1, bytes, offset, UINT64_MAX), "behind its own mark");
}

TEST(HostileNpz, Members) {
    expectPartRefused("encrypted", [](ZipPart& part) { part.flags = 1; });
    expectPartRefused("encrypted", [](ZipPart& part) { part.flags = 0x2000; });
    expectPartRefused("method 12", [](ZipPart& part) { part.method = 12; });
    expectPartRefused("is stored in", [](ZipPart& part) { part.bytes += 1; });
    expectPartRefused("occurs twice", [](ZipPart& part) { part.name = "v.npy"; });
    expectPartRefused("not UTF-8", [](ZipPart& part) { part.name = "\xC3\x28.npy"; });
    expectPartRefused("another one", [](ZipPart& part) { part.localName = "other"; });
    expectPartRefused("another one", [](ZipPart& part) { part.localName = "x.npy"; });
    expectPartRefused("where no member does", [](ZipPart& part) { part.shift = 1; });
    expectPartRefused("said to begin", [](ZipPart& part) { part.shift = 0x7FFFFFF; });
    expectPartRefused("shares bytes", [](ZipPart& part) {
        part.name = "w.txt";
        part.stored = part.bytes += 40;
    });
    expectPartRefused("members end at",
                      [](ZipPart& part) { part.stored = part.bytes += 100'000'000; });
    expectPartRefused("cannot hold", [](ZipPart& part) {
        part.deflate();
        part.bytes = 0xFFFFFFF0;
    });
    const std::string huge = littleEndian(1, 2) + littleEndian(16, 2) +
                             littleEndian(std::uint64_t{1} << 60U, 8) +
                             littleEndian(std::uint64_t{1} << 60U, 8);
    expectPartRefused("members end at", [&](ZipPart& part) {
        part.bytes = part.stored = 0xFFFFFFFF;
        part.extra = huge;
    });
    expectPartRefused("members end at", [&](ZipPart& part) {
        part.bytes = part.stored = 0xFFFFFFFF;
        part.extra = huge.substr(0, 9);
    });
}

TEST(HostileNpz, TwoEntriesOfOneMember) {
    ZipPart first = floatsPart("v", 3);
    ZipPart again = floatsPart("v", 3);
    const auto bytes = static_cast<std::int64_t>(30 + first.name.size() + first.data.size());
    again.shift = -bytes;
    again.name = "w.npy";
    expectRefusal(zipBytes({first, again}), "another one");
    ZipPart nested("outer", "");
    nested.data = zipBytes({floatsPart("inner", 3)});
    nested.data.resize(nested.data.find("PK\x01\x02"));
    nested.bytes = nested.stored = nested.data.size();
    ZipPart inner = floatsPart("inner", 3);
    inner.shift = -static_cast<std::int64_t>(nested.data.size());
    expectRefusal(zipBytes({nested, inner}), "shares bytes with 'outer'");
}

TEST(HostileNpz, DamagedPackedData) {
    expectPartRefused("checksum", [](ZipPart& part) {
        part.deflate();
        part.crc ^= 1U;
    });
    expectPartRefused("damaged", [](ZipPart& part) {
        part.deflate();
        part.data[part.data.size() / 2] ^= 0x55;
        part.data[part.data.size() / 2 + 1] ^= 0x55;
    });
    expectPartRefused("damaged", [](ZipPart& part) {
        part.data = npyBytes(floatsHeader("(4,)"), std::string(12, 'x'));
        part.bytes = part.data.size() + 4;
        part.deflate();
    });
}

TEST(HostileNpz, Headers) {
    expectHeaderRefused("version 4.0", floatsHeader("(3,)"), 4);
    expectHeaderRefused("expected a text in quotes", "{descr: 1}");
    expectHeaderRefused("expected {", "['descr']");
    expectHeaderRefused("lacks", "{'descr': '<f4', 'shape': (3,)}");
    expectHeaderRefused("once each", "{'descr': '<f4', 'descr': '<f4'}");
    expectHeaderRefused("key 'extra'", "{'extra': 1}");
    expectHeaderRefused("expected True or False", "{'fortran_order': 0}");
    expectHeaderRefused("end of the header", floatsHeader("(3,)") + " more");
    expectHeaderRefused("not a tuple", floatsHeader("(3)"));
    expectHeaderRefused("a size", floatsHeader("(-3,)"));
    expectHeaderRefused("a size", floatsHeader("(99999999999999999999,)"));
    expectHeaderRefused("a comma", floatsHeader("(3 3)"));
    expectHeaderRefused("a size", floatsHeader("(,)"));
    expectHeaderRefused("absurd shape", floatsHeader("(4611686018427387904, 4)"));
    expectHeaderRefused("needs 4611686018427387904 elements",
                        floatsHeader("(4611686018427387904,)"));
    expectHeaderRefused("needs 4 elements", floatsHeader("(4,)"));
    expectHeaderRefused("needs 2 elements", floatsHeader("(2,)"));
    std::string axes;
    for (int i = 0; i < 65; ++i) axes += "1,";
    expectHeaderRefused("64 axes", floatsHeader("(" + axes + ")"));
    expectRefusal(zipBytes({{"w.npy", "no array at all"}}), "does not begin like");
    expectRefusal(zipBytes({{"w.npy", ""}}), "does not begin like");
    expectRefusal(zipBytes({{"w.npy", "\x93NUMPY\x01"}}), "ends in its header");
    expectRefusal(zipBytes({{"w.npy", std::string("\x93NUMPY\x01\0\xFF\xFF{}", 12)}}),
                  "claims a header of 65545 bytes");
    expectRefusal(zipBytes({{"w.npy", std::string("\x93NUMPY\x02\0\xFF\xFF\xFF\xFF", 12)}}),
                  "claims a header of 4294967295 bytes");
}

TEST(HostileNpz, Types) {
    const auto typed = [](const std::string& descr) {
        return "{'descr': " + descr + ", 'fortran_order': False, 'shape': (3,)}";
    };
    expectHeaderRefused("pickle", typed("'|O'"));
    expectHeaderRefused("structured", typed("[('a', '<f4')]"));
    for (const char* descr : {"<c8", "<U4", "|S4", "<M8[s]", "<f16", "f4", "", "|V4", ">V2"})
        expectHeaderRefused(std::string("type '") + descr + "'",
                            typed(std::string("'") + descr + "'"));
    expectHeaderRefused("FP8", typed("'|V1'"));
}

class RefusedNpz : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(RefusedNpz, WithItsReason) {
    const auto [file, reason] = GetParam();
    const Path path = Path(UPCYCLER_SOURCE_DIR) / "tests/reference/checkpoint" / file;
    const std::string text = errorOf(ErrorKind::BadInput, [&] { Checkpoint::open(path); });
    EXPECT_NE(text.find(reason), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(Files, RefusedNpz,
                         testing::Values(std::pair{"objects.npz", "pickle"},
                                         std::pair{"complex.npz", "'<c8'"},
                                         std::pair{"text.npz", "'<U4'"},
                                         std::pair{"structured.npz", "structured"}),
                         [](const auto& parameter) {
                             const std::string name = parameter.param.first;
                             return name.substr(0, name.find('.'));
                         });

}  // namespace
}  // namespace core::test
