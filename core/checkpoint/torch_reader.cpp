// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/readers.h"
#include "core/checkpoint/shard_index.h"
#include "core/checkpoint/tensor_index.h"
#include "core/checkpoint/torch_file.h"

#include <fmt/format.h>

#include <utility>

namespace core {
namespace {

class TorchCheckpoint final : public Checkpoint {
  public:
    using Files = std::vector<std::unique_ptr<TorchFile>>;

    TorchCheckpoint(CheckpointPlace place, std::vector<std::string> names, Files files)
        : place_(std::move(place)), names_(std::move(names)), files_(std::move(files)) {
        std::vector<TensorInfo> tensors;
        for (std::size_t f = 0; f < files_.size(); ++f) {
            const TorchFile& file = *files_[f];
            for (const std::string& note : file.notes())
                notes_.push_back(files_.size() == 1 ? note : names_[f] + ": " + note);
            for (std::size_t t = 0; t < file.tensors().size(); ++t) {
                tensors.push_back(file.tensors()[t]);
                places_.push_back({&file, t});
            }
        }
        index_ = TensorIndex(std::move(tensors));
    }

    std::string format() const override { return "torch"; }
    const Path& folder() const override { return place_.folder; }
    std::vector<std::string> files() const override { return names_; }
    const std::string& configText() const override { return place_.configText; }
    const std::map<std::string, std::string>& metadata() const override { return metadata_; }
    const std::vector<std::string>& notes() const override { return notes_; }
    std::span<const TensorInfo> tensors() const override { return index_.tensors(); }
    const TensorInfo* find(std::string_view name) const override { return index_.find(name); }
    const TensorIndex& index() const { return index_; }

    void read(const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
              std::span<std::byte> into) const override {
        checkReadRange(tensor, begin, count, into.size());
        const Place& place = places_[index_.positionOf(tensor)];
        place.file->read(place.tensor, begin, count, into);
    }

  private:
    struct Place {
        const TorchFile* file;
        std::size_t tensor;
    };

    CheckpointPlace place_;
    std::vector<std::string> names_;
    Files files_;
    std::vector<Place> places_;  ///< of each tensor of the index
    TensorIndex index_;
    std::vector<std::string> notes_;
    std::map<std::string, std::string> metadata_;
};

}  // namespace

std::shared_ptr<const Checkpoint> openTorch(const Path& file, CheckpointPlace place) {
    TorchCheckpoint::Files files;
    files.push_back(std::make_unique<TorchFile>(File::openForReading(file)));
    return std::make_shared<TorchCheckpoint>(
        std::move(place), std::vector{file.filename().string()}, std::move(files));
}

std::shared_ptr<const Checkpoint> openTorchShards(const Path& index, CheckpointPlace place) {
    const ShardIndex shards = readShardIndex(index, kTorchShards);
    TorchCheckpoint::Files files;
    std::vector<std::string> names;
    for (const std::string& name : shards.files) {
        names.push_back(name);
        files.push_back(std::make_unique<TorchFile>(openShard(index, name)));
        for (const TensorInfo& tensor : files.back()->tensors())
            shards.requireNamed(tensor.name, name, index);
    }
    auto checkpoint =
        std::make_shared<TorchCheckpoint>(std::move(place), std::move(names), std::move(files));
    shards.requireWhole(checkpoint->index(), index);
    return checkpoint;
}

}  // namespace core
