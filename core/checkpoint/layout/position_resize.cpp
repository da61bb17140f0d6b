// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/layout/position_resize.h"

#include "core/base/error.h"
#include "core/checkpoint/layout/layout_config.h"
#include "core/checkpoint/readers.h"
#include "core/checkpoint/tensor_index.h"
#include "core/tensor/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

namespace core {
namespace {

constexpr std::int64_t kLargestImage = 1 << 16;
constexpr std::int64_t kMostElements = std::int64_t{1} << 31;

[[noreturn]] void refuse(const Checkpoint& vit, const std::string& what, const std::string& hint) {
    throw Error(
        ErrorKind::BadInput,
        fmt::format("{}: the image size cannot be changed: {}", vit.folder().string(), what), hint);
}

const TensorInfo& tensorOf(const Checkpoint& vit, const std::string& rest, std::size_t rank) {
    for (const char* prefix : {"vit.embeddings.", "embeddings."})
        if (const TensorInfo* tensor = vit.find(prefix + rest)) {
            if (tensor->shape.rank() != rank)
                refuse(vit,
                       fmt::format("tensor {} has the shape {}, expected {} axes", tensor->name,
                                   toString(tensor->shape), rank),
                       "the file is damaged, or not of a Vision Transformer");
            return *tensor;
        }
    refuse(vit, fmt::format("there is no tensor {}", rest),
           "only a Vision Transformer has an image size");
}

std::int64_t rootOf(std::int64_t square) {
    const auto root =
        std::llround(std::sqrt(static_cast<double>(std::max<std::int64_t>(0, square))));
    return root * root == square ? root : -1;
}

class ResizedVit final : public Checkpoint {
  public:
    ResizedVit(std::shared_ptr<const Checkpoint> vit, const TensorInfo& positions, std::int64_t to,
               std::int64_t imageSize)
        : vit_(std::move(vit)), stored_(positions), to_(to) {
        std::vector<TensorInfo> infos(vit_->tensors().begin(), vit_->tensors().end());
        for (TensorInfo& info : infos) {
            if (info.name != stored_.name) continue;
            info.shape = {1, 1 + to * to, stored_.shape[2]};
            info.bytes = static_cast<std::uint64_t>(info.shape.elements()) * dtypeBytes(info.dtype);
            if (info.storedAs.empty()) info.storedAs = info.name;
        }
        index_ = TensorIndex(std::move(infos));
        configText_ = vit_->configText();
        layoutConfig_ = vit_->layoutConfig();
        const std::string where = (vit_->folder() / "config.json").string();
        std::string& changed = configText_.empty() ? layoutConfig_ : configText_;
        changed = withImageSizeKey(changed, imageSize, where);
        notes_ = vit_->notes();
        notes_.push_back(fmt::format("{} is resized from {} to {} for images of {} x {}",
                                     stored_.name, toString(stored_.shape),
                                     toString(find(stored_.name)->shape), imageSize, imageSize));
    }

    std::string format() const override { return vit_->format(); }
    const Path& folder() const override { return vit_->folder(); }
    std::vector<std::string> files() const override { return vit_->files(); }
    const std::string& configText() const override { return configText_; }
    const std::map<std::string, std::string>& metadata() const override { return vit_->metadata(); }
    std::string layout() const override { return vit_->layout(); }
    const std::string& layoutConfig() const override { return layoutConfig_; }
    const std::vector<std::string>& notes() const override { return notes_; }
    std::span<const TensorInfo> tensors() const override { return index_.tensors(); }
    const TensorInfo* find(std::string_view name) const override { return index_.find(name); }

    void read(const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
              std::span<std::byte> into) const override {
        if (tensor.name != stored_.name) return vit_->read(tensor, begin, count, into);
        checkReadRange(tensor, begin, count, into.size());
        const std::vector<std::byte> bytes = asBytes(resized());
        std::memcpy(into.data(),
                    bytes.data() + static_cast<std::size_t>(begin) * dtypeBytes(tensor.dtype),
                    into.size());
    }

  private:
    std::vector<double> values() const {
        const auto elements = static_cast<std::size_t>(stored_.shape.elements());
        std::vector<double> values(elements);
        if (stored_.dtype == DType::F64) {
            vit_->read(stored_, 0, stored_.shape.elements(),
                       std::as_writable_bytes(std::span(values)));
            return values;
        }
        const std::vector<float> floats = vit_->readFloats(stored_);
        std::copy(floats.begin(), floats.end(), values.begin());
        return values;
    }

    std::vector<double> resized() const {
        const std::vector<double> old = values();
        const std::int64_t width = stored_.shape[2];
        const auto cls = static_cast<std::size_t>(width);
        std::vector<double> made(old.begin(), old.begin() + width);
        const std::vector<double> grid =
            zoomGrid(std::span(old).subspan(cls), rootOf(stored_.shape[1] - 1), to_, width);
        made.insert(made.end(), grid.begin(), grid.end());
        return made;
    }

    std::vector<std::byte> asBytes(const std::vector<double>& values) const {
        std::vector<std::byte> bytes(values.size() * dtypeBytes(stored_.dtype));
        if (stored_.dtype == DType::F64) {
            std::memcpy(bytes.data(), values.data(), bytes.size());
            return bytes;
        }
        std::vector<float> floats(values.size());
        std::transform(values.begin(), values.end(), floats.begin(),
                       [](double value) { return static_cast<float>(value); });
        fromFloats(bytes.data(), stored_.dtype, floats);
        return bytes;
    }

    std::shared_ptr<const Checkpoint> vit_;
    TensorInfo stored_;  ///< the position embeddings as they are in `vit_`
    std::int64_t to_;    ///< patches a side
    TensorIndex index_;
    std::string configText_, layoutConfig_;
    std::vector<std::string> notes_;
};

}  // namespace

std::vector<double> zoomGrid(std::span<const double> grid, std::int64_t from, std::int64_t to,
                             std::int64_t width) {
    struct Between {
        std::int64_t low, high;
        double share;  ///< of `high`
    };
    std::vector<Between> places;
    for (std::int64_t i = 0; i < to; ++i) {
        const double at = to > 1 ? static_cast<double>(i) * static_cast<double>(from - 1) /
                                       static_cast<double>(to - 1)
                                 : 0.0;
        const auto low = std::min(static_cast<std::int64_t>(at), from - 1);
        places.push_back({low, std::min(low + 1, from - 1), at - static_cast<double>(low)});
    }
    const auto value = [&](std::int64_t row, std::int64_t column, std::int64_t k) {
        return grid[static_cast<std::size_t>((row * from + column) * width + k)];
    };
    std::vector<double> result;
    result.reserve(static_cast<std::size_t>(to * to * width));
    for (const Between& row : places)
        for (const Between& column : places)
            for (std::int64_t k = 0; k < width; ++k) {
                const double above = value(row.low, column.low, k) * (1 - column.share) +
                                     value(row.low, column.high, k) * column.share;
                const double below = value(row.high, column.low, k) * (1 - column.share) +
                                     value(row.high, column.high, k) * column.share;
                result.push_back(above * (1 - row.share) + below * row.share);
            }
    return result;
}

std::shared_ptr<const Checkpoint> withImageSize(std::shared_ptr<const Checkpoint> vit,
                                                std::int64_t imageSize) {
    const TensorInfo& positions = tensorOf(*vit, "position_embeddings", 3);
    const Shape& kernel = tensorOf(*vit, "patch_embeddings.projection.weight", 4).shape;
    const std::int64_t patch = kernel[2];
    if (imageSize < 1 || imageSize > kLargestImage || patch < 1 || imageSize % patch != 0)
        throw Error(ErrorKind::Usage,
                    fmt::format("{}: the image size {} is no multiple of the patch size {} up to "
                                "{}",
                                vit->folder().string(), imageSize, patch, kLargestImage),
                    "give a multiple of the patch size, such as 384");
    const std::int64_t grid = rootOf(positions.shape[1] - 1);
    if (positions.shape[0] != 1 || grid < 1 || positions.shape[2] < 1)
        refuse(*vit,
               fmt::format("tensor {} has the shape {}, expected [1, 1 + n * n, hidden]",
                           positions.name, toString(positions.shape)),
               "only position embeddings of a square grid behind a cls token can be resized");
    if (!isFloating(positions.dtype) || dtypeBytes(positions.dtype) == 1)
        refuse(*vit,
               fmt::format("tensor {} is {}, which is only copied", positions.name,
                           dtypeName(positions.dtype)),
               "convert the checkpoint to f32 or bf16 first");
    const std::int64_t to = imageSize / patch;
    if (to * to > kMostElements / positions.shape[2])
        refuse(*vit, fmt::format("{} positions would be too many", to * to),
               "choose a smaller image size");
    if (to == grid) return vit;
    return std::make_shared<ResizedVit>(vit, positions, to, imageSize);
}

}  // namespace core
