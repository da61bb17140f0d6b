// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint_writer.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/output_file.h"
#include "core/checkpoint/tensor_index.h"
#include "core/checkpoint/writers.h"

#include <fmt/format.h>

#include <optional>
#include <system_error>
#include <utility>

namespace core {
namespace {

class StreamWriter final : public CheckpointWriter {
  public:
    StreamWriter(const Path& target, bool directory, std::vector<TensorInfo> tensors,
                 const WriterOptions& options)
        : target_(target, directory ? AtomicTarget::Kind::Directory : AtomicTarget::Kind::File,
                  options.force),
          directory_(directory),
          tensors_(std::move(tensors)),
          written_(tensors_.size()) {
        WritePlace place;
        (directory ? place.folder : place.file) = target_.temporary();
        place.fileName = target.filename().string();
        for (auto& [name, file] : layOut(place, options)) files_.emplace(name, std::move(file));
        if (directory && !options.configText.empty()) addFile("config.json", options.configText);
    }

    void write(std::size_t index, std::span<const std::byte> bytes) override {
        CORE_CHECK(index < tensors_.size(), "a tensor of this writer");
        const TensorInfo& tensor = tensors_[index];
        CORE_CHECK(bytes.size() <= tensor.bytes - written_[index],
                   "no more bytes than tensor " + tensor.name + " has");
        files_.find(tensor.file)->second.writeAt(tensor.offset + written_[index], bytes);
        if (seal_) seal_->see(index, bytes);
        written_[index] += bytes.size();
    }

    bool takesFiles() const noexcept override { return directory_; }

    void addFile(const std::string& name, std::string_view content) override {
        CORE_CHECK(directory_, "a directory as target of " + name);
        CORE_CHECK(!name.empty() && name.find('/') == std::string::npos && name != "..",
                   "a plain file name, found " + name);
        const File file = File::createNew(target_.temporary() / name);
        file.writeAt(0, std::as_bytes(std::span(content)));
    }

    void commit() override {
        for (std::size_t i = 0; i < tensors_.size(); ++i)
            if (written_[i] != tensors_[i].bytes)
                throw Error(ErrorKind::Internal, fmt::format("tensor '{}' got {} of {} bytes",
                                                             printable(tensors_[i].name),
                                                             written_[i], tensors_[i].bytes));
        if (seal_) seal_->seal(files_.begin()->second);
        for (auto& [name, file] : files_) file.close();
        target_.commit();
    }

  private:
    LaidOutFiles layOut(const WritePlace& place, const WriterOptions& options) {
        if (options.format == FileFormat::Safetensors)
            return layOutSafetensors(place, tensors_, options);
        if (options.format == FileFormat::Hdf5) return layOutHdf5(place, tensors_, options);
        SealedFiles sealed = layOutNpz(place, tensors_, options);
        seal_ = std::move(sealed.seal);
        return std::move(sealed.files);
    }

    AtomicTarget target_;
    bool directory_;
    std::vector<TensorInfo> tensors_;
    std::vector<std::uint64_t> written_;
    std::map<std::string, OutputFile, std::less<>> files_;
    std::unique_ptr<WriteSeal> seal_;  ///< of the formats that have one
};

/// The format that a file's name promises; nothing for the name of a folder.
std::optional<FileFormat> formatOfName(const Path& target) {
    const std::string name = target.filename().string();
    if (name.ends_with(".safetensors")) return FileFormat::Safetensors;
    if (name.ends_with(".h5") || name.ends_with(".hdf5")) return FileFormat::Hdf5;
    if (name.ends_with(".npz")) return FileFormat::Npz;
    return std::nullopt;
}

bool namesOneFile(const Path& target) { return formatOfName(target).has_value(); }

const char* nameOf(FileFormat format) {
    switch (format) {
        case FileFormat::Safetensors:
            return "safetensors";
        case FileFormat::Hdf5:
            return "HDF5";
        case FileFormat::Npz:
            return "npz";
    }
    return "";
}

void checkFormat(const Path& target, const WriterOptions& options) {
    const std::optional<FileFormat> named = formatOfName(target);
    if (options.maxShardBytes != 0 && (options.format != FileFormat::Safetensors || named))
        throw Error(ErrorKind::Usage,
                    fmt::format("{} cannot be split into shards", target.string()),
                    "shards need a folder as target and the format safetensors");
    if (named && *named != options.format)
        throw Error(ErrorKind::Usage,
                    fmt::format("{} is to be written as {}, which its name denies", target.string(),
                                nameOf(options.format)),
                    "choose the name's ending and the format alike");
}

/// With `force` a target is replaced as a whole, so only what may be our own work goes: a folder
/// with a checkpoint in a format that we write. Others (pytorch_model.bin, tf_model.h5) are
/// somebody's source.
void checkReplaceable(const Path& target, bool directory) {
    std::error_code code;
    const auto status = std::filesystem::symlink_status(target, code);
    if (!std::filesystem::exists(status)) return;
    if (directory != std::filesystem::is_directory(status))
        throw Error(
            ErrorKind::BadInput,
            fmt::format("{} is {}, which a {} cannot replace", target.string(),
                        directory ? "not a folder" : "a folder", directory ? "folder" : "file"),
            "choose another name");
    if (!directory || std::filesystem::is_empty(target, code)) return;
    for (const char* name :
         {"model.safetensors", "model.safetensors.index.json", "model.h5", "model.npz"})
        if (std::filesystem::exists(target / name, code)) return;
    throw Error(ErrorKind::BadInput,
                fmt::format("{} holds files but no checkpoint of ours, it is not replaced",
                            target.string()),
                "choose another name");
}

std::uint64_t checkTensors(std::vector<TensorInfo>& tensors) {
    std::uint64_t total = 0;
    for (TensorInfo& tensor : tensors) {
        CORE_CHECK(tensor.shape.checkedElements().has_value(),
                   "a possible shape of " + tensor.name);
        tensor.bytes =
            static_cast<std::uint64_t>(tensor.shape.elements()) * dtypeBytes(tensor.dtype);
        total += tensor.bytes;
    }
    CORE_CHECK(TensorIndex(tensors).duplicate() == nullptr, "each tensor name once");
    return total;
}

}  // namespace

std::unique_ptr<CheckpointWriter> CheckpointWriter::create(const Path& target,
                                                           std::vector<TensorInfo> tensors,
                                                           const WriterOptions& options) {
    const Path named = target.has_filename() ? target : target.parent_path();
    const bool directory = !namesOneFile(named);
    checkFormat(named, options);
    if (options.force) checkReplaceable(named, directory);
    constexpr std::uint64_t kHeaderOfTensor = 512;
    requireDiskBytes(named, checkTensors(tensors) + kHeaderOfTensor * tensors.size(),
                     "the checkpoint");
    return std::make_unique<StreamWriter>(named, directory, std::move(tensors), options);
}

bool CheckpointWriter::isFolder(const Path& target) {
    return !namesOneFile(target.has_filename() ? target : target.parent_path());
}

void CheckpointWriter::checkTarget(const Path& target, const WriterOptions& options) {
    const Path named = target.has_filename() ? target : target.parent_path();
    const bool directory = !namesOneFile(named);
    checkFormat(named, options);
    if (options.force) checkReplaceable(named, directory);
    const AtomicTarget probe(
        named, directory ? AtomicTarget::Kind::Directory : AtomicTarget::Kind::File, options.force);
}

}  // namespace core
