// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/layout/mapped_writer.h"

#include "core/base/error.h"
#include "core/checkpoint/axis_permutation.h"
#include "core/tensor/buffer.h"

#include <optional>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kPiece = std::size_t{8} << 20;  ///< bytes handed on at once

class MappedWriter final : public CheckpointWriter {
  public:
    MappedWriter(std::unique_ptr<CheckpointWriter> stored, std::vector<StoredLayout::Part> parts,
                 std::vector<DType> dtypes)
        : stored_(std::move(stored)), parts_(std::move(parts)), dtypes_(std::move(dtypes)) {}

    void write(std::size_t index, std::span<const std::byte> bytes) override {
        CORE_CHECK(index < parts_.size(), "a tensor of this writer");
        const StoredLayout::Part& part = parts_[index];
        if (part.map.order.empty()) return stored_->write(part.stored, bytes);
        if (open_ != index) begin(index);
        const std::size_t width = dtypeBytes(dtypes_[index]);
        permutation_->scatter(static_cast<std::int64_t>(filled_ / width), bytes,
                              {whole_->data(), whole_->bytes()});
        filled_ += bytes.size();
        if (filled_ == whole_->bytes()) finish(part);
    }

    bool takesFiles() const noexcept override { return stored_->takesFiles(); }
    void addFile(const std::string& name, std::string_view content) override {
        stored_->addFile(name, content);
    }
    void commit() override {
        CORE_CHECK(!open_, "each tensor whole before the commit");
        stored_->commit();
    }

  private:
    /// The permutation that undoes the map's: from the HF axes to the stored ones.
    void begin(std::size_t index) {
        CORE_CHECK(!open_, "each tensor whole before the next");
        const TensorMap& map = parts_[index].map;
        const std::size_t width = dtypeBytes(dtypes_[index]);
        permutation_.emplace(permuted(map.view, map.order), inverseOrder(map.order), width);
        whole_ = allocateHost(static_cast<std::size_t>(map.shape.elements()) * width);
        filled_ = 0;
        open_ = index;
    }

    void finish(const StoredLayout::Part& part) {
        const std::span<const std::byte> whole(whole_->data(), whole_->bytes());
        for (std::size_t begin = 0; begin < whole.size(); begin += kPiece)
            stored_->write(part.stored,
                           whole.subspan(begin, std::min(kPiece, whole.size() - begin)));
        whole_.reset();
        open_.reset();
    }

    std::unique_ptr<CheckpointWriter> stored_;
    std::vector<StoredLayout::Part> parts_;
    std::vector<DType> dtypes_;
    std::optional<std::size_t> open_;  ///< the tensor that is being collected
    std::optional<AxisPermutation> permutation_;
    std::shared_ptr<Buffer> whole_;  ///< in the stored order
    std::size_t filled_ = 0;         ///< bytes
};

}  // namespace

std::unique_ptr<CheckpointWriter> mapWriter(std::unique_ptr<CheckpointWriter> stored,
                                            std::vector<StoredLayout::Part> parts,
                                            std::vector<DType> dtypes) {
    return std::make_unique<MappedWriter>(std::move(stored), std::move(parts), std::move(dtypes));
}

}  // namespace core
