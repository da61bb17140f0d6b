// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/layout.h"
#include "core/checkpoint/readers.h"
#include "core/checkpoint/zip_archive.h"
#include "core/tensor/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>

namespace core {
namespace {

enum class Kind { Safetensors, Index, Hdf5, Npz, Torch, TorchIndex };

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
    constexpr std::array<std::pair<std::string_view, Kind>, 7> kUsual{
        {{"model.safetensors", Kind::Safetensors},
         {"model.safetensors.index.json", Kind::Index},
         {"model.h5", Kind::Hdf5},
         {"model.npz", Kind::Npz},
         {"pytorch_model.bin", Kind::Torch},
         {"pytorch_model.bin.index.json", Kind::TorchIndex},
         {"tf_model.h5", Kind::Hdf5}}};
    std::error_code code;
    for (const auto& [name, kind] : kUsual)
        if (std::filesystem::exists(folder / name, code)) return {folder / name, kind};
    constexpr std::array<std::pair<std::string_view, Kind>, 8> kEndings{
        {{".safetensors.index.json", Kind::Index},
         {".safetensors", Kind::Safetensors},
         {".h5", Kind::Hdf5},
         {".bin.index.json", Kind::TorchIndex},
         {".npz", Kind::Npz},
         {".bin", Kind::Torch},
         {".pt", Kind::Torch},
         {".pth", Kind::Torch}}};
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
                "expected model.safetensors, model.safetensors.index.json, model.h5, "
                "pytorch_model.bin, tf_model.h5 or one .npz in it");
}

/// torch.save's archives hold ".../data.pkl", NumPy's hold .npy members and end in .npz.
Kind kindOfZip(const File& file) {
    if (file.path().extension() == ".npz") return Kind::Npz;
    for (const ZipMember& member : readZipDirectory(file)) {
        if (member.name == "data.pkl" || member.name.ends_with("/data.pkl")) return Kind::Torch;
        if (member.name.ends_with(".npy")) return Kind::Npz;
    }
    throw Error(ErrorKind::BadInput,
                fmt::format("{} is a zip archive that holds neither .npy arrays nor a data.pkl",
                            file.path().string()),
                "give a .npz of arrays or a file that torch.save wrote");
}

Kind kindOfFile(const Path& path) {
    if (!std::filesystem::is_regular_file(path))
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} is neither a file nor a folder", path.string()),
                    "give the path of a checkpoint");
    const std::string name = path.filename().string();
    if (name.ends_with(".bin.index.json")) return Kind::TorchIndex;
    if (name.ends_with(".index.json")) return Kind::Index;
    const File file = File::openForReading(path);
    std::array<char, 9> head{};
    const std::size_t bytes = std::min<std::uint64_t>(file.size(), head.size());
    file.readAt(0, std::as_writable_bytes(std::span(head)).first(bytes));
    const std::string_view text(head.data(), bytes);
    if (text.starts_with("\x89HDF\r\n\x1a\n")) return Kind::Hdf5;
    if (text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06")) return kindOfZip(file);
    if (name.ends_with(".safetensors") || (bytes == 9 && text[8] == '{')) return Kind::Safetensors;
    if (text.size() > 1 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5) return Kind::Torch;
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kNamed{
        {{".h5", "an HDF5 file"},
         {".hdf5", "an HDF5 file"},
         {".npz", "a zip archive of arrays"},
         {".bin", "a file that torch.save wrote"},
         {".pt", "a file that torch.save wrote"},
         {".pth", "a file that torch.save wrote"}}};
    for (const auto& [ending, what] : kNamed)
        if (name.ends_with(ending))
            throw Error(ErrorKind::BadInput,
                        fmt::format("{} does not begin like {}", path.string(), what),
                        "the file is damaged or not what its name says");
    throw Error(ErrorKind::BadInput,
                fmt::format("{} is not a checkpoint in a known format", path.string()),
                "give a .safetensors, .h5, .npz, .bin or .pt file, a shard index, or a folder in "
                "the Hugging Face layout");
}

std::string configBeside(const Path& folder) {
    const Path config = folder / "config.json";
    std::error_code code;
    return std::filesystem::exists(config, code) ? readTextFile(config, 16U << 20U) : std::string();
}

std::shared_ptr<const Checkpoint> openFound(const Found& found) {
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
        case Kind::Npz:
            return openNpz(found.file, std::move(place));
        case Kind::Torch:
            return openTorch(found.file, std::move(place));
        case Kind::TorchIndex:
            return openTorchShards(found.file, std::move(place));
    }
    return nullptr;
}

}  // namespace

std::shared_ptr<const Checkpoint> Checkpoint::open(const Path& path, const OpenOptions& options) {
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
    return withLayout(openFound(found), options);
}

const std::string& Checkpoint::layoutConfig() const {
    static const std::string none;
    return none;
}

const std::vector<std::string>& Checkpoint::notes() const {
    static const std::vector<std::string> none;
    return none;
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
