// SPDX-License-Identifier: Apache-2.0
// The input is an index beside two whole shards, once of each format.
#include "core/base/error.h"
#include "core/base/file.h"
#include "tests/core/checkpoint/torch_files.h"
#include "tests/fuzz/input.h"

#include <cstdlib>

namespace {

/// A folder with the shards "one" (tensor a) and "two" (tensor b), removed at the end.
class Folder {
  public:
    Folder() {
        std::string pattern = "/tmp/upcycler-fuzz-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        path_ = pattern;
        const std::string data(8, '\1');
        for (const auto& [file, tensor] : {std::pair{"one", "a"}, std::pair{"two", "b"}}) {
            const std::string json = std::string("{\"") + tensor +
                                     R"(":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
            core::writeTextFile(path_ / (std::string(file) + ".safetensors"),
                                core::test::littleEndian(json.size(), 8) + json + data);
            core::test::PickleText pickle;
            pickle.op("}").text(tensor).tensor("0", 2, 0, {2}, {1}).op("s");
            core::writeTextFile(path_ / (std::string(file) + ".bin"),
                                core::test::torchBytes(pickle.end(), {data}));
        }
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    /// Writes an index, in place: nothing is synced.
    core::Path index(const char* name, const std::string& text) const {
        const core::Path path = path_ / name;
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
        core::File::createNew(path).append(text);
        return path;
    }

  private:
    core::Path path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Folder folder;
    const std::string text = fuzz::textOf(data, size);
    for (const char* name : {"x.safetensors.index.json", "x.bin.index.json"}) {
        const core::Path path = folder.index(name, text);
        fuzz::expectRefusalAtMost([&] { fuzz::look(*core::Checkpoint::open(path)); });
    }
    return 0;
}
