// SPDX-License-Identifier: Apache-2.0
#include "tests/app/bad_files/bad_file.h"
#include "tests/core/checkpoint/zip_helpers.h"

#include <functional>
#include <utility>

namespace upcycle_test {
namespace {

using namespace core::test;

constexpr const char* kFile = "model.npz";

class Npz {
  public:
    void add(const std::string& name, std::string bytes) {
        list_.push_back(badFile(name, kFile, std::move(bytes)));
    }
    /// An archive in which the middle one of three members is bent.
    void bent(const std::string& name, const std::function<void(ZipPart&)>& bend) {
        ZipPart part = floatsPart("w", 3);
        bend(part);
        add(name, zipBytes({floatsPart("v", 3), part, floatsPart("u", 3)}));
    }
    void end(const std::string& name, const ZipEnd& end) {
        add(name, zipBytes({floatsPart("v", 3), floatsPart("w", 3)}, end));
    }
    /// An archive of one array with this header, and 12 bytes of elements.
    void header(const std::string& name, const std::string& text, char major = 1) {
        add(name, zipBytes({{"w.npy", npyBytes(text, std::string(12, '\0'), major)}}));
    }
    std::vector<BadFile> take() { return std::move(list_); }

  private:
    std::vector<BadFile> list_;
};

std::string fields(const std::string& descr, const std::string& order, const std::string& shape) {
    return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

void addHeaders(Npz& npz) {
    const std::string f4 = "'<f4'";
    npz.header("HeaderEmpty", "");
    npz.header("HeaderIsText", "three floats");
    npz.header("HeaderOpen", fields(f4, "False", "(3,)").substr(0, 30));
    npz.header("HeaderTrailing", fields(f4, "False", "(3,)") + "x");
    npz.header("HeaderExpression", "__import__('os').system('id')");
    npz.header("NoDescr", "{'fortran_order': False, 'shape': (3,)}");
    npz.header("NoOrder", "{'descr': '<f4', 'shape': (3,)}");
    npz.header("NoShape", "{'descr': '<f4', 'fortran_order': False}");
    npz.header("MoreKeys", "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'x': 1}");
    npz.header("DescrUnknown", fields("'<q4'", "False", "(3,)"));
    npz.header("DescrEmpty", fields("''", "False", "(3,)"));
    npz.header("DescrNumber", fields("4", "False", "(3,)"));
    npz.header("DescrFloatOfFive", fields("'<f5'", "False", "(3,)"));
    npz.header("DescrCut", fields("'<", "False", "(3,)"));
    npz.header("OrderIsText", fields(f4, "'C'", "(3,)"));
    npz.header("OrderIsNone", fields(f4, "None", "(3,)"));
    npz.header("ShapeIsNumber", fields(f4, "False", "3"));
    npz.header("ShapeIsText", fields(f4, "False", "'(3,)'"));
    npz.header("ShapeNegative", fields(f4, "False", "(-3,)"));
    npz.header("ShapeFraction", fields(f4, "False", "(3.0,)"));
    npz.header("ShapeOpen", fields(f4, "False", "(3,"));
    npz.header("ShapeTooLarge", fields(f4, "False", "(4,)"));
    npz.header("ShapeTooSmall", fields(f4, "False", "(2,)"));
    npz.header("ShapePetabyte", fields(f4, "False", "(281474976710656,)"));
    npz.header("ShapeOverflow", fields(f4, "False", "(4294967296, 4294967296)"));
    npz.header("ShapeOverflowToThree", fields(f4, "False", "(18446744073709551619,)"));
    npz.header("ShapeThousandDigits", fields(f4, "False", "(" + std::string(1000, '9') + ",)"));
    npz.header("VersionZero", fields(f4, "False", "(3,)"), 0);
    npz.header("VersionNine", fields(f4, "False", "(3,)"), 9);
    npz.header("HeaderNotUtf8", fields("'<f4\xff'", "False", "(3,)"), 3);
    npz.add("NoMagic", zipBytes({{"w.npy", std::string(200, 'x')}}));
    npz.add("MagicCut", zipBytes({{"w.npy", "\x93NUM"}}));
    npz.add("MemberEmpty", zipBytes({{"w.npy", ""}}));
    npz.add("HeaderLongerThanMember",
            zipBytes({{"w.npy", std::string("\x93NUMPY\1\0\xff\xff{", 11)}}));
    npz.add("HeaderOfGigabytes",
            zipBytes({{"w.npy", std::string("\x93NUMPY\2\0\xff\xff\xff\xff{", 13)}}));
}

void addArchives(Npz& npz) {
    npz.bent("StoredLies", [](ZipPart& p) { p.bytes += 4; });
    npz.bent("StoredBeyond", [](ZipPart& p) { p.bytes = p.stored = 1U << 30U; });
    npz.bent("DeflateBomb", [](ZipPart& p) { p.deflate().bytes = 0xF0000000; });
    npz.bent("DeflateEmpty", [](ZipPart& p) {
        p.data.clear();
        p.stored = 0;
        p.method = 8;
    });
    npz.bent("DeflateGarbage", [](ZipPart& p) {
        p.data.assign(p.data.size(), '\xee');
        p.method = 8;
    });
    npz.bent("DeflateCut", [](ZipPart& p) {
        p.deflate().data.resize(p.data.size() / 2);
        p.stored = p.data.size();
    });
    npz.bent("Encrypted", [](ZipPart& p) { p.flags = 1; });
    npz.bent("MethodUnknown", [](ZipPart& p) { p.method = 77; });
    npz.bent("NameTwice", [](ZipPart& p) { p.name = "v.npy"; });
    npz.bent("NameElsewhere", [](ZipPart& p) { p.localName = "z.npy"; });
    npz.bent("NameNotUtf8", [](ZipPart& p) { p.name = p.localName = "\xff.npy"; });
    npz.bent("PlaceBeyond", [](ZipPart& p) { p.shift = 1 << 20; });
    npz.bent("PlaceInside", [](ZipPart& p) { p.shift = 5; });
    npz.bent("PlaceOfAnother", [](ZipPart& p) { p.shift = -30; });
    npz.bent("Zip64Huge", [](ZipPart& p) {
        p.extra = littleEndian(1, 2) + littleEndian(16, 2) + std::string(16, '\x7f');
        p.bytes = p.stored = 0xFFFFFFFF;
    });
    npz.end("MoreMembers", {.moreMembers = 1});
    npz.end("ManyMembers", {.moreMembers = 60000});
    npz.end("DirectoryTooLong", {.moreBytes = 1000});
    npz.end("DirectoryBeyond", {.moreOffset = 1 << 20});
    npz.end("DirectoryElsewhere", {.moreOffset = 7});
    npz.end("OtherDisk", {.disk = 1});
    npz.add("NoArrays", zipBytes(std::vector<ZipPart>{{"notes.txt", "these are notes"}}));
    npz.add("NoMembers", zipBytes(std::vector<ZipPart>{}));
    npz.add("NotAZip", "these are notes, not an archive");
    npz.add("Empty", "");
}

}  // namespace

std::vector<BadFile> badNpz() {
    Npz npz;
    addHeaders(npz);
    addArchives(npz);
    const std::string good = zipBytes({floatsPart("v", 3), floatsPart("w", 300).deflate()});
    for (std::size_t part = 1; part < 10; ++part)
        npz.add("Cut" + std::to_string(part), good.substr(0, good.size() * part / 10));
    npz.add("CutByOne", good.substr(0, good.size() - 1));
    return npz.take();
}

}  // namespace upcycle_test
