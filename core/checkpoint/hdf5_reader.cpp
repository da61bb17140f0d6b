// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/hdf5_listing.h"
#include "core/checkpoint/hdf5_names.h"
#include "core/checkpoint/readers.h"
#include "core/checkpoint/tensor_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

namespace core {
namespace {

/// Decoded at once where an element's chunk allows it. A child process, and each chunk, is started
/// once for that many bytes.
constexpr std::int64_t kWindowBytes = std::int64_t{16} << 20U;
/// A row of chunks that is larger is decoded in parts, again and again.
constexpr std::int64_t kMostTogether = std::int64_t{1} << 30U;

/// Elements of datasets that need the library, from any thread. Keeps what was decoded last, since
/// slices come one after the other.
class DecodedWindow {
  public:
    explicit DecodedWindow(Path path) : path_(std::move(path)) {}

    void read(const Hdf5Listing::Dataset& from, std::int64_t begin, std::int64_t count,
              std::span<std::byte> into) {
        const std::lock_guard lock(mutex_);
        const auto width = static_cast<std::int64_t>(dtypeBytes(from.info.dtype));
        while (count > 0) {
            if (dataset_ != &from || begin < begin_ || begin >= end_) fetch(from, begin, width);
            const std::int64_t part = std::min(count, end_ - begin);
            const auto bytes = static_cast<std::size_t>(part * width);
            std::memcpy(into.data(), elements_.bytes().data() + (begin - begin_) * width, bytes);
            into = into.subspan(bytes);
            begin += part;
            count -= part;
        }
        if (end_ < from.info.shape.elements() || begin < end_) return;
        dataset_ = nullptr;
        elements_ = {};
    }

  private:
    void fetch(const Hdf5Listing::Dataset& from, std::int64_t begin, std::int64_t width) {
        dataset_ = nullptr;
        const std::int64_t together = from.together > kMostTogether / width ? 1 : from.together;
        const std::int64_t rows = std::max<std::int64_t>(1, kWindowBytes / width / together);
        begin_ = begin / together * together;
        end_ = begin_ + std::min(rows * together, from.info.shape.elements() - begin_);
        elements_ = {};
        elements_ = SharedBytes(static_cast<std::size_t>((end_ - begin_) * width));
        readHdf5(path_, from, begin_, end_ - begin_, elements_);
        dataset_ = &from;
    }

    Path path_;
    std::mutex mutex_;
    const Hdf5Listing::Dataset* dataset_ = nullptr;
    std::int64_t begin_ = 0, end_ = 0;  ///< elements of it that are in `elements_`
    SharedBytes elements_;
};

class Hdf5Checkpoint final : public Checkpoint {
  public:
    Hdf5Checkpoint(const Path& path, CheckpointPlace place)
        : place_(std::move(place)),
          path_(path),
          file_(File::openForReading(path)),
          listing_(listHdf5(path)),
          window_(path) {
        metadata_ = listing_.attributes;
        metadata_.erase(kHdf5FormatAttribute);
        if (listing_.keras)
            std::erase_if(metadata_,
                          [](const auto& entry) { return !describesKeras(entry.first); });
        else if (auto config = metadata_.extract(kHdf5ConfigAttribute))
            place_.configText = std::move(config.mapped());
        if (!listing_.keras)
            std::stable_sort(
                listing_.datasets.begin(), listing_.datasets.end(),
                [](const auto& a, const auto& b) { return a.info.offset < b.info.offset; });
        std::vector<TensorInfo> tensors;
        tensors.reserve(listing_.datasets.size());
        for (const Hdf5Listing::Dataset& dataset : listing_.datasets)
            tensors.push_back(dataset.info);
        index_ = TensorIndex(std::move(tensors));
        if (const TensorInfo* twice = index_.duplicate())
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: weight '{}' is listed twice", path.string(),
                                    printable(twice->name)),
                        "the file is damaged: copy or download it again");
    }

    std::string format() const override { return "hdf5"; }
    const Path& folder() const override { return place_.folder; }
    std::vector<std::string> files() const override { return {path_.filename().string()}; }
    const std::string& configText() const override { return place_.configText; }
    const std::map<std::string, std::string>& metadata() const override { return metadata_; }
    const std::vector<std::string>& notes() const override { return listing_.notes; }
    std::span<const TensorInfo> tensors() const override { return index_.tensors(); }
    const TensorInfo* find(std::string_view name) const override { return index_.find(name); }

    void read(const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
              std::span<std::byte> into) const override {
        checkReadRange(tensor, begin, count, into.size());
        if (count == 0) return;
        const Hdf5Listing::Dataset& dataset = listing_.datasets[index_.positionOf(tensor)];
        if (!dataset.plain) return window_.read(dataset, begin, count, into);
        file_.readAt(tensor.offset + static_cast<std::uint64_t>(begin) * dtypeBytes(tensor.dtype),
                     into);
    }

  private:
    /// Of a Keras file's attributes the two that say who wrote it; the others are its model's and
    /// its optimizer's configuration.
    static bool describesKeras(const std::string& attribute) {
        return attribute == "backend" || attribute == "keras_version";
    }

    CheckpointPlace place_;
    Path path_;
    File file_;
    Hdf5Listing listing_;  ///< datasets in the order of the index
    std::map<std::string, std::string> metadata_;
    TensorIndex index_;
    mutable DecodedWindow window_;
};

}  // namespace

std::shared_ptr<const Checkpoint> openHdf5(const Path& file, CheckpointPlace place) {
    return std::make_shared<Hdf5Checkpoint>(file, std::move(place));
}

}  // namespace core
