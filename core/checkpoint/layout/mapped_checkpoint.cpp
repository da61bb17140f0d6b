// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/layout/mapped_checkpoint.h"

#include "core/base/error.h"
#include "core/checkpoint/axis_permutation.h"
#include "core/checkpoint/readers.h"
#include "core/checkpoint/tensor_index.h"
#include "core/tensor/buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>

namespace core {
namespace {

constexpr std::int64_t kPiece = std::int64_t{1} << 20;  ///< elements read at once

class MappedCheckpoint final : public Checkpoint {
  public:
    MappedCheckpoint(std::shared_ptr<const Checkpoint> raw, LayoutMapping mapping)
        : raw_(std::move(raw)), mapping_(std::move(mapping)), notes_(raw_->notes()) {
        std::vector<TensorInfo> infos;
        infos.reserve(mapping_.tensors.size());
        for (const TensorMap& map : mapping_.tensors) {
            const TensorInfo* const stored = raw_->find(map.stored);
            CORE_CHECK(stored != nullptr, "a stored tensor for " + map.name);
            sources_.push_back({stored, map.slice.value_or(0) * map.shape.elements()});
            infos.push_back(info(map, sources_.back()));
        }
        index_ = TensorIndex(std::move(infos));
        notes_.insert(notes_.end(), mapping_.notes.begin(), mapping_.notes.end());
        if (mapping_.config) config_ = mapping_.config(*this);
    }

    std::string format() const override { return raw_->format(); }
    const Path& folder() const override { return raw_->folder(); }
    std::vector<std::string> files() const override { return raw_->files(); }
    const std::string& configText() const override { return raw_->configText(); }
    const std::map<std::string, std::string>& metadata() const override { return raw_->metadata(); }
    std::string layout() const override { return mapping_.layout; }
    const std::string& layoutConfig() const override { return config_; }
    const std::vector<std::string>& notes() const override { return notes_; }
    std::span<const TensorInfo> tensors() const override { return index_.tensors(); }
    const TensorInfo* find(std::string_view name) const override { return index_.find(name); }

    void read(const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
              std::span<std::byte> into) const override {
        checkReadRange(tensor, begin, count, into.size());
        if (count == 0) return;
        const std::size_t position = positionOf(tensor);
        const Source& source = sources_[position];
        if (mapping_.tensors[position].order.empty())
            return raw_->read(*source.stored, source.begin + begin, count, into);
        const std::lock_guard lock(mutex_);
        if (gathered_ != position) gather(position);
        std::memcpy(into.data(),
                    values_->data() + static_cast<std::size_t>(begin) * dtypeBytes(tensor.dtype),
                    into.size());
    }

  private:
    struct Source {
        const TensorInfo* stored;
        std::int64_t begin;  ///< first element
    };

    static TensorInfo info(const TensorMap& map, const Source& source) {
        TensorInfo made = *source.stored;
        made.name = map.name;
        made.shape = map.shape;
        made.bytes = static_cast<std::uint64_t>(map.shape.elements()) * dtypeBytes(made.dtype);
        if (map.slice && made.offset != 0)
            made.offset += static_cast<std::uint64_t>(source.begin) * dtypeBytes(made.dtype);
        if (map.slice)
            made.storedAs = fmt::format("{}[{}]", map.stored, *map.slice);
        else if (map.name != map.stored)
            made.storedAs = map.stored;
        return made;
    }

    std::size_t positionOf(const TensorInfo& tensor) const {
        const std::size_t position = index_.positionOf(tensor);
        const TensorInfo& own = tensors()[position];
        CORE_CHECK(own.shape == tensor.shape && own.dtype == tensor.dtype,
                   "a tensor of this checkpoint, found " + tensor.name);
        return position;
    }

    void gather(std::size_t position) const {
        const TensorMap& map = mapping_.tensors[position];
        const Source& source = sources_[position];
        const std::size_t width = dtypeBytes(source.stored->dtype);
        const std::int64_t elements = map.shape.elements();
        const AxisPermutation permutation(map.view, map.order, width);
        gathered_.reset();
        values_.reset();
        values_ = allocateHost(static_cast<std::size_t>(elements) * width);
        const std::span<std::byte> values(values_->data(),
                                          static_cast<std::size_t>(elements) * width);
        std::vector<std::byte> piece(static_cast<std::size_t>(std::min(kPiece, elements)) * width);
        for (std::int64_t begin = 0; begin < elements; begin += kPiece) {
            const std::int64_t count = std::min(kPiece, elements - begin);
            const std::span<std::byte> bytes =
                std::span(piece).first(static_cast<std::size_t>(count) * width);
            raw_->read(*source.stored, source.begin + begin, count, bytes);
            permutation.scatter(begin, bytes, values);
        }
        gathered_ = position;
    }

    std::shared_ptr<const Checkpoint> raw_;
    LayoutMapping mapping_;
    std::vector<std::string> notes_;
    std::string config_;
    std::vector<Source> sources_;
    TensorIndex index_;
    mutable std::mutex mutex_;
    mutable std::optional<std::size_t> gathered_;  ///< the tensor in values_
    mutable std::shared_ptr<Buffer> values_;
};

}  // namespace

TensorMap unmapped(const TensorInfo& stored) {
    return {stored.name, stored.shape, stored.name, std::nullopt, stored.shape, {}};
}

std::shared_ptr<const Checkpoint> mapCheckpoint(std::shared_ptr<const Checkpoint> raw,
                                                LayoutMapping mapping) {
    return std::make_shared<MappedCheckpoint>(std::move(raw), std::move(mapping));
}

}  // namespace core
