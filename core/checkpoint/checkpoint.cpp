// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/readers.h"
#include "core/tensor/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>

namespace core {
namespace {

constexpr std::string_view kIndexEnding = ".safetensors.index.json";

enum class Kind { Safetensors, Index, Hdf5 };

struct Found {
    Path file;
    Kind kind;
};

/// Files of `folder` whose names end in `ending`, sorted; temporaries and optimizer state are none.
std::vector<Path> filesEndingIn(const Path& folder, std::string_view ending) {
    std::vector<Path> found;
    std::error_code code;
    for (auto entry = std::filesystem::directory_iterator(folder, code);
         !code && entry != std::filesystem::directory_iterator(); entry.increment(code)) {
        const std::string name = entry->path().filename().string();
        if (name.ends_with(ending) && !name.starts_with(".") && name != "optimizer.safetensors")
            found.push_back(entry->path());
    }
    if (code)
        throw Error(ErrorKind::BadInput,
                    fmt::format("cannot read the folder {}: {}", folder.string(), code.message()),
                    "check its permissions");
    std::sort(found.begin(), found.end());
    return found;
}

Found findInFolder(const Path& folder) {
    constexpr std::array<std::pair<std::string_view, Kind>, 3> kUsual{
        {{"model.safetensors", Kind::Safetensors},
         {"model.safetensors.index.json", Kind::Index},
         {"model.h5", Kind::Hdf5}}};
    std::error_code code;
    for (const auto& [name, kind] : kUsual)
        if (std::filesystem::exists(folder / name, code)) return {folder / name, kind};
    constexpr std::array<std::pair<std::string_view, Kind>, 3> kEndings{
        {{kIndexEnding, Kind::Index}, {".safetensors", Kind::Safetensors}, {".h5", Kind::Hdf5}}};
    for (const auto& [ending, kind] : kEndings) {
        const std::vector<Path> files = filesEndingIn(folder, ending);
        if (files.size() == 1) return {files.front(), kind};
        if (files.size() > 1)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{} holds {} and {} more files ending in {}", folder.string(),
                                    files.front().filename().string(), files.size() - 1, ending),
                        "name the file that is meant");
    }
    throw Error(ErrorKind::BadInput, fmt::format("{} holds no checkpoint", folder.string()),
                "expected model.safetensors, model.safetensors.index.json or model.h5 in it");
}

Kind kindOfFile(const Path& path) {
    if (!std::filesystem::is_regular_file(path))
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} is neither a file nor a folder", path.string()),
                    "give the path of a checkpoint");
    const std::string name = path.filename().string();
    if (name.ends_with(".index.json")) return Kind::Index;
    const File file = File::openForReading(path);
    std::array<char, 9> head{};
    const std::size_t bytes = std::min<std::uint64_t>(file.size(), head.size());
    file.readAt(0, std::as_writable_bytes(std::span(head)).first(bytes));
    const std::string_view text(head.data(), bytes);
    if (text.starts_with("\x89HDF\r\n\x1a\n")) return Kind::Hdf5;
    if (name.ends_with(".safetensors") || (bytes == 9 && text[8] == '{')) return Kind::Safetensors;
    if (name.ends_with(".h5") || name.ends_with(".hdf5"))
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} does not begin like an HDF5 file", path.string()),
                    "the file is damaged or not what its name says");
    throw Error(ErrorKind::BadInput,
                fmt::format("{} is not a checkpoint in a known format", path.string()),
                "give a .safetensors or .h5 file, a shard index, or a folder in the Hugging Face "
                "layout");
}

std::string configBeside(const Path& folder) {
    const Path config = folder / "config.json";
    std::error_code code;
    return std::filesystem::exists(config, code) ? readTextFile(config, 16U << 20U) : std::string();
}

}  // namespace

std::shared_ptr<const Checkpoint> Checkpoint::open(const Path& path) {
    std::error_code code;
    const auto status = std::filesystem::status(path, code);
    if (status.type() == std::filesystem::file_type::none)
        throw Error(ErrorKind::BadInput,
                    fmt::format("cannot look at {}: {}", path.string(), code.message()),
                    "check the permissions of its folders");
    if (!std::filesystem::exists(status))
        throw Error(ErrorKind::BadInput, fmt::format("{} does not exist", path.string()),
                    "check the path");
    const Found found =
        std::filesystem::is_directory(status) ? findInFolder(path) : Found{path, kindOfFile(path)};
    CheckpointPlace place;
    place.folder = found.file.has_parent_path() ? found.file.parent_path() : Path(".");
    place.configText = configBeside(place.folder);
    switch (found.kind) {
        case Kind::Safetensors:
            return openSafetensors(found.file, std::move(place));
        case Kind::Index:
            return openShards(found.file, std::move(place));
        case Kind::Hdf5:
            return openHdf5(found.file, std::move(place));
    }
    return nullptr;
}

std::vector<float> Checkpoint::readFloats(const TensorInfo& tensor) const {
    constexpr std::int64_t kPiece = std::int64_t{1} << 20;
    const std::int64_t elements = tensor.shape.elements();
    std::vector<float> values(static_cast<std::size_t>(elements));
    if (tensor.dtype == DType::F32) {
        read(tensor, 0, elements, std::as_writable_bytes(std::span(values)));
        return values;
    }
    const std::size_t width = dtypeBytes(tensor.dtype);
    std::vector<std::byte> piece(width * static_cast<std::size_t>(std::min(kPiece, elements)));
    for (std::int64_t begin = 0; begin < elements; begin += kPiece) {
        const auto count = static_cast<std::size_t>(std::min(kPiece, elements - begin));
        const std::span<std::byte> bytes = std::span(piece).first(count * width);
        read(tensor, begin, static_cast<std::int64_t>(count), bytes);
        toFloats(std::span(values).subspan(static_cast<std::size_t>(begin), count), bytes.data(),
                 tensor.dtype);
    }
    return values;
}

void checkReadRange(const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
                    std::size_t bytes) {
    CORE_CHECK(begin >= 0 && count >= 0 && begin <= tensor.shape.elements() - count,
               "a range inside tensor " + tensor.name);
    CORE_CHECK(bytes == static_cast<std::size_t>(count) * dtypeBytes(tensor.dtype),
               "as many bytes as elements of " + tensor.name);
}

}  // namespace core
