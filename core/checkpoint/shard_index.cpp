// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/shard_index.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/json_cursor.h"
#include "core/checkpoint/safe_link.h"

#include <fmt/format.h>

#include <system_error>

namespace core {
namespace {

constexpr const char* kDownloadAgain =
    "index and shards do not belong together: copy or download them again";

bool isPlainShardName(std::string_view name, std::string_view ending) {
    if (name.empty() || name.size() > 255 || name.front() == '.') return false;
    for (const char c : name)
        if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20) return false;
    return name.ends_with(ending);
}

}  // namespace

void ShardIndex::requireNamed(std::string_view tensor, std::string_view file,
                              const Path& index) const {
    const auto found = tensors.find(tensor);
    if (found != tensors.end() && found->second == file) return;
    throw Error(
        ErrorKind::BadInput,
        fmt::format(
            "{} holds tensor '{}', which {} {}", file, printable(tensor), index.string(),
            found == tensors.end() ? "does not name" : "places in " + printable(found->second)),
        kDownloadAgain);
}

void ShardIndex::requireWhole(const TensorIndex& found, const Path& index) const {
    if (const TensorInfo* twice = found.duplicate())
        throw Error(
            ErrorKind::BadInput,
            fmt::format("{}: tensor '{}' occurs twice", index.string(), printable(twice->name)),
            "the file is damaged: copy or download it again");
    for (const auto& [tensor, file] : tensors)
        if (found.find(tensor) == nullptr)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{} says that tensor '{}' is in {}, which does not hold it",
                                    index.string(), printable(tensor), file),
                        kDownloadAgain);
}

ShardIndex readShardIndex(const Path& path, std::string_view ending) {
    const std::string text = readTextFile(path);
    JsonCursor cursor(text, path.string());
    ShardIndex index;
    bool mapSeen = false;
    cursor.object("a JSON object with a weight_map", [&](std::string_view key) {
        if (key != "weight_map") {
            cursor.skipValue();
            return;
        }
        if (mapSeen) cursor.fail("one weight_map, not two");
        mapSeen = true;
        cursor.object("an object of tensor names and files", [&](std::string_view tensor) {
            const std::string file(cursor.string("a file name"));
            if (!isPlainShardName(file, ending))
                throw Error(ErrorKind::BadInput,
                            fmt::format("{} puts tensor '{}' into '{}', expected the plain name of "
                                        "a {} file in the same folder",
                                        path.string(), printable(tensor), printable(file), ending),
                            "do not use this index: its file names lead elsewhere");
            if (!index.tensors.emplace(tensor, file).second)
                throw Error(
                    ErrorKind::BadInput,
                    fmt::format("{} names tensor '{}' twice", path.string(), printable(tensor)),
                    kDownloadAgain);
            index.files.insert(file);
        });
    });
    cursor.expectEnd();
    if (!mapSeen)
        throw Error(ErrorKind::BadInput, fmt::format("{} has no weight_map", path.string()),
                    "give the index of a sharded checkpoint");
    return index;
}

File openShard(const Path& index, const std::string& name) {
    const Path path = index.parent_path() / name;
    std::error_code code;
    const auto status = std::filesystem::symlink_status(path, code);
    if (!std::filesystem::exists(status))
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} names the shard {}, which is missing", index.string(), name),
                    "copy or download the missing file");
    const Path folder = index.has_parent_path() ? index.parent_path() : Path(".");
    if (!isSafeLink(path, folder))
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} is a link that leads out of its folder", path.string()),
                    "put the shard itself in its place");
    if (!std::filesystem::is_regular_file(path, code))
        throw Error(ErrorKind::BadInput, fmt::format("{} is not a regular file", path.string()),
                    "put the shard itself in its place");
    return File::openForReading(path);
}

std::string makeShardIndex(std::span<const TensorInfo> tensors) {
    std::uint64_t total = 0;
    std::map<std::string_view, std::string_view> sorted;
    for (const TensorInfo& tensor : tensors) {
        total += tensor.bytes;
        sorted.emplace(tensor.name, tensor.file);
    }
    std::string text = fmt::format(
        "{{\n  \"metadata\": {{\n    \"total_size\": {}\n  }},\n  \"weight_map\": {{", total);
    const char* separator = "\n";
    for (const auto& [name, file] : sorted) {
        text += fmt::format("{}    {}: {}", separator, jsonQuoted(name), jsonQuoted(file));
        separator = ",\n";
    }
    return text + "\n  }\n}\n";
}

}  // namespace core
