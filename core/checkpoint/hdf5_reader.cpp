// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/checkpoint/hdf5_listing.h"
#include "core/checkpoint/hdf5_names.h"
#include "core/checkpoint/readers.h"
#include "core/checkpoint/tensor_index.h"

#include <algorithm>
#include <utility>

namespace core {
namespace {

class Hdf5Checkpoint final : public Checkpoint {
  public:
    Hdf5Checkpoint(const Path& path, CheckpointPlace place)
        : place_(std::move(place)), path_(path), file_(File::openForReading(path)) {
        Hdf5Listing listing = listHdf5(path);
        metadata_ = std::move(listing.attributes);
        metadata_.erase(kHdf5FormatAttribute);
        if (auto config = metadata_.extract(kHdf5ConfigAttribute))
            place_.configText = std::move(config.mapped());
        std::vector<TensorInfo> tensors;
        for (Hdf5Listing::Dataset& dataset : listing.datasets) {
            plain_.emplace(dataset.info.name, dataset.plain);
            tensors.push_back(std::move(dataset.info));
        }
        std::stable_sort(
            tensors.begin(), tensors.end(),
            [](const TensorInfo& a, const TensorInfo& b) { return a.offset < b.offset; });
        index_ = TensorIndex(std::move(tensors));
    }

    std::string format() const override { return "hdf5"; }
    const Path& folder() const override { return place_.folder; }
    std::vector<std::string> files() const override { return {path_.filename().string()}; }
    const std::string& configText() const override { return place_.configText; }
    const std::map<std::string, std::string>& metadata() const override { return metadata_; }
    std::span<const TensorInfo> tensors() const override { return index_.tensors(); }
    const TensorInfo* find(std::string_view name) const override { return index_.find(name); }

    void read(const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
              std::span<std::byte> into) const override {
        checkReadRange(tensor, begin, count, into.size());
        if (count == 0) return;
        const auto plain = plain_.find(tensor.name);
        CORE_CHECK(plain != plain_.end(), "a tensor of this checkpoint, found " + tensor.name);
        if (!plain->second) return readHdf5(path_, tensor, begin, count, into);
        file_.readAt(tensor.offset + static_cast<std::uint64_t>(begin) * dtypeBytes(tensor.dtype),
                     into);
    }

  private:
    CheckpointPlace place_;
    Path path_;
    File file_;
    std::map<std::string, bool> plain_;
    std::map<std::string, std::string> metadata_;
    TensorIndex index_;
};

}  // namespace

std::shared_ptr<const Checkpoint> openHdf5(const Path& file, CheckpointPlace place) {
    return std::make_shared<Hdf5Checkpoint>(file, std::move(place));
}

}  // namespace core
