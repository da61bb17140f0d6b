// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/readers.h"
#include "core/checkpoint/safetensors_file.h"
#include "core/checkpoint/shard_index.h"
#include "core/checkpoint/tensor_index.h"

#include <fmt/format.h>

#include <utility>

namespace core {
namespace {

class SafetensorsCheckpoint final : public Checkpoint {
  public:
    SafetensorsCheckpoint(CheckpointPlace place, std::map<std::string, File, std::less<>> files,
                          TensorIndex index, std::map<std::string, std::string> metadata)
        : place_(std::move(place)),
          files_(std::move(files)),
          index_(std::move(index)),
          metadata_(std::move(metadata)) {}

    std::string format() const override { return "safetensors"; }
    const Path& folder() const override { return place_.folder; }
    std::vector<std::string> files() const override {
        std::vector<std::string> names;
        for (const auto& [name, file] : files_) names.push_back(name);
        return names;
    }
    const std::string& configText() const override { return place_.configText; }
    const std::map<std::string, std::string>& metadata() const override { return metadata_; }
    std::span<const TensorInfo> tensors() const override { return index_.tensors(); }
    const TensorInfo* find(std::string_view name) const override { return index_.find(name); }

    void read(const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
              std::span<std::byte> into) const override {
        checkReadRange(tensor, begin, count, into.size());
        const auto file = files_.find(tensor.file);
        CORE_CHECK(file != files_.end(), "a tensor of this checkpoint, found " + tensor.name);
        file->second.readAt(
            tensor.offset + static_cast<std::uint64_t>(begin) * dtypeBytes(tensor.dtype), into);
    }

  private:
    CheckpointPlace place_;
    std::map<std::string, File, std::less<>> files_;
    TensorIndex index_;
    std::map<std::string, std::string> metadata_;
};

void refuseDuplicates(const TensorIndex& index, const Path& where) {
    if (const TensorInfo* twice = index.duplicate())
        throw Error(
            ErrorKind::BadInput,
            fmt::format("{}: tensor '{}' occurs twice", where.string(), printable(twice->name)),
            "the file is damaged: copy or download it again");
}

}  // namespace

std::shared_ptr<const Checkpoint> openSafetensors(const Path& file, CheckpointPlace place) {
    File opened = File::openForReading(file);
    SafetensorsHeader header = readSafetensorsHeader(opened);
    TensorIndex index(std::move(header.tensors));
    refuseDuplicates(index, file);
    if (auto config = header.metadata.extract(kSafetensorsConfigKey))
        place.configText = std::move(config.mapped());
    std::map<std::string, File, std::less<>> files;
    files.emplace(file.filename().string(), std::move(opened));
    return std::make_shared<SafetensorsCheckpoint>(std::move(place), std::move(files),
                                                   std::move(index), std::move(header.metadata));
}

std::shared_ptr<const Checkpoint> openShards(const Path& index, CheckpointPlace place) {
    const ShardIndex shards = readShardIndex(index, kSafetensorsShards);
    std::map<std::string, File, std::less<>> files;
    std::map<std::string, std::string> metadata;
    std::vector<TensorInfo> tensors;
    for (const std::string& name : shards.files) {
        File file = openShard(index, name);
        SafetensorsHeader header = readSafetensorsHeader(file);
        for (TensorInfo& tensor : header.tensors) {
            shards.requireNamed(tensor.name, name, index);
            tensors.push_back(std::move(tensor));
        }
        metadata.merge(header.metadata);
        files.emplace(name, std::move(file));
    }
    TensorIndex all(std::move(tensors));
    shards.requireWhole(all, index);
    return std::make_shared<SafetensorsCheckpoint>(std::move(place), std::move(files),
                                                   std::move(all), std::move(metadata));
}

}  // namespace core
