// SPDX-License-Identifier: Apache-2.0
// Bytes of good files changed where the format says what they must be (HDF5 File Format
// Specification 2.0, superblock 0).
#include "tests/app/bad_files/bad_file.h"
#include "tests/core/checkpoint/zip_helpers.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace upcycle_test {
namespace {

constexpr const char* kFile = "model.h5";
const std::string kFolder = "tests/reference/checkpoint/";

/// They belong to two empty groups and to texts that say nothing of tensors.
const std::set<std::string> kNeverLookedAt{"tf_model_TREE5", "tf_model_HEAP5", "tf_model_TREE17",
                                           "tf_model_HEAP17", "tf_model_GCOL0"};

class Hdf5 {
  public:
    Hdf5(const std::string& source, std::vector<BadFile>& list)
        : name_(source.substr(0, source.find('.'))),
          good_(sourceFile(kFolder + source)),
          list_(list) {}

    void set(const std::string& what, std::size_t at, std::uint64_t value, std::size_t width) {
        const std::string_view good = good_;
        add(what, core::test::joined({good.substr(0, at), core::test::littleEndian(value, width),
                                      good.substr(at + width)}));
    }
    void cut(std::size_t bytes) { add("Cut" + std::to_string(bytes), good_.substr(0, bytes)); }
    void cutParts(std::size_t parts) {
        for (std::size_t part = 1; part < parts; ++part) cut(good_.size() * part / parts);
        cut(good_.size() - 1);
    }
    /// A structure's signature replaced, everywhere it stands, one by one.
    void spoil(const std::string& signature) {
        std::size_t count = 0;
        for (std::size_t at = good_.find(signature); at != std::string::npos;
             at = good_.find(signature, at + 1)) {
            std::string bytes = good_;
            std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), signature.size(), 'x');
            const std::string what = signature + std::to_string(count++);
            if (!kNeverLookedAt.contains(name_ + "_" + what)) add(what, bytes);
        }
    }
    std::size_t size() const { return good_.size(); }

  private:
    void add(const std::string& what, const std::string& bytes) {
        list_.push_back(badFile(name_ + "_" + what, kFile, bytes));
    }

    std::string name_;
    std::string good_;
    std::vector<BadFile>& list_;
};

void addSuperblocks(std::vector<BadFile>& list) {
    Hdf5 file("h5py.h5", list);
    file.set("Version", 8, 9, 1);
    file.set("FreeSpaceVersion", 9, 9, 1);
    file.set("RootVersion", 10, 9, 1);
    file.set("HeaderVersion", 12, 9, 1);
    file.set("OffsetsOfThree", 13, 3, 1);
    file.set("OffsetsOfZero", 13, 0, 1);
    file.set("LengthsOfThree", 14, 3, 1);
    file.set("LengthsOfZero", 14, 0, 1);
    file.set("LeafOfZero", 16, 0, 2);
    file.set("NodeOfZero", 18, 0, 2);
    file.set("BaseBeyond", 24, file.size() * 2, 8);
    file.set("EndBeyond", 40, file.size() * 2, 8);
    file.set("EndHuge", 40, 1ULL << 62U, 8);
    file.set("EndBeforeAll", 40, 100, 8);
    file.set("RootBeyond", 64, file.size() * 2, 8);
    file.set("RootHuge", 64, 1ULL << 62U, 8);
    file.set("RootIsSuperblock", 64, 0, 8);
    file.set("RootUndefined", 64, ~0ULL, 8);
    file.cutParts(20);
}

}  // namespace

std::vector<BadFile> badHdf5() {
    std::vector<BadFile> list;
    addSuperblocks(list);
    for (const char* name : {"h5py.h5", "groups.h5", "tf_model.h5"}) {
        Hdf5 file(name, list);
        for (const char* signature : {"TREE", "SNOD", "HEAP", "GCOL"}) file.spoil(signature);
    }
    Hdf5("tf_model.h5", list).cutParts(8);
    list.push_back(badFile("NotHdf5", kFile, "these are notes"));
    list.push_back(badFile("Empty", kFile, ""));
    list.push_back(badFile("SignatureAlone", kFile, "\x89HDF\r\n\x1a\n"));
    for (const char* name : {"external_link.h5", "external_storage.h5", "virtual.h5", "unstored.h5",
                             "unstored_chunks.h5"})
        list.push_back(badFile(
            std::string("Hostile_") + std::string(name).substr(0, std::string(name).find('.')),
            kFile, sourceFile(kFolder + name)));
    return list;
}

}  // namespace upcycle_test
