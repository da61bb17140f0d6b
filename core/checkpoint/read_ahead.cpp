// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/read_ahead_internal.h"

#include <algorithm>

namespace core {

ReadAhead::ReadAhead(const Checkpoint& checkpoint, const TensorInfo& tensor, bool keep)
    : checkpoint_(checkpoint), tensor_(tensor), keep_(keep) {
    const std::int64_t elements = tensor.shape.elements();
    const std::int64_t most = keep ? elements : std::min(elements, 2 * kPiece);
    store_.resize(static_cast<std::size_t>(most) * dtypeBytes(tensor.dtype));
    const std::int64_t count = std::min(kPiece, elements);
    if (count == 0) return;
    coming_ = place(0);
    checkpoint_.read(tensor_, 0, count, coming_);
    begin_ = count;
}

std::span<std::byte> ReadAhead::place(std::int64_t begin) {
    const std::int64_t count = std::min(kPiece, tensor_.shape.elements() - begin);
    const std::int64_t at = keep_ ? begin : begin % (2 * kPiece);
    const std::size_t width = dtypeBytes(tensor_.dtype);
    return std::span(store_).subspan(static_cast<std::size_t>(at) * width,
                                     static_cast<std::size_t>(count) * width);
}

std::span<const std::byte> ReadAhead::next() {
    if (reading_.valid()) reading_.get();
    const std::span<const std::byte> ready = coming_;
    coming_ = {};
    const std::int64_t left = tensor_.shape.elements() - begin_;
    if (left > 0) {
        coming_ = place(begin_);
        reading_ = std::async(std::launch::async, [this, begin = begin_, into = coming_] {
            checkpoint_.read(tensor_, begin, std::min(kPiece, tensor_.shape.elements() - begin),
                             into);
        });
        begin_ += std::min(kPiece, left);
    }
    return ready;
}

}  // namespace core
