// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/strided_view.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace core {
namespace {

/// How much is read at once where elements lie apart.
constexpr std::int64_t kWindowBytes = 16384;

/// Part of a view: along each axis `extent` elements from `start`.
struct Box {
    std::vector<std::int64_t> start, extent;
    std::int64_t elements = 1;
};

/// The longest box that begins at element `begin` in row-major order and whose elements follow one
/// another in it, at most `count` of them. The view has an axis and elements.
Box longestBox(const StridedView& view, std::int64_t begin, std::int64_t count) {
    const std::vector<std::int64_t>& sizes = view.sizes;
    const std::size_t rank = sizes.size();
    Box box{std::vector<std::int64_t>(rank), sizes};
    std::int64_t rest = begin;
    for (std::size_t i = rank; i-- > 0; rest /= sizes[i]) box.start[i] = rest % sizes[i];
    std::size_t axis = rank - 1;
    std::int64_t inner = 1;
    while (axis > 0 && box.start[axis] == 0 && count / inner >= sizes[axis]) inner *= sizes[axis--];
    box.extent[axis] = std::min(count / inner, sizes[axis] - box.start[axis]);
    std::fill_n(box.extent.begin(), axis, std::int64_t{1});
    box.elements = inner * box.extent[axis];
    return box;
}

/// Bytes of the storage, a window of which is kept.
class Window {
  public:
    Window(const ReadBytes& read, std::int64_t endByte) : read_(read), end_(endByte) {}

    /// [begin, begin + bytes); valid until the next call.
    const std::byte* at(std::int64_t begin, std::int64_t bytes) {
        const auto have = static_cast<std::int64_t>(bytes_.size());
        if (begin < begin_ || begin + bytes > begin_ + have) {
            begin_ = begin;
            bytes_.resize(
                static_cast<std::size_t>(std::min(std::max(bytes, kWindowBytes), end_ - begin)));
            read_(static_cast<std::uint64_t>(begin), bytes_);
        }
        return bytes_.data() + (begin - begin_);
    }

  private:
    const ReadBytes& read_;
    std::int64_t end_;
    std::int64_t begin_ = 0;
    std::vector<std::byte> bytes_;
};

/// Copies a box axis by axis, that of the longest stride outermost, so that the storage is read in
/// one direction.
class BoxCopy {
  public:
    BoxCopy(const StridedView& view, std::size_t width, const Box& box, std::byte* into,
            Window& window)
        : width_(static_cast<std::int64_t>(width)), window_(window), into_(into) {
        const std::size_t rank = box.extent.size();
        std::vector<std::int64_t> step(rank, 1);  // of the copy, in elements
        for (std::size_t i = rank; i-- > 1;) step[i - 1] = step[i] * box.extent[i];
        std::vector<std::size_t> order(rank);
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return view.strides[a] > view.strides[b];
        });
        for (const std::size_t i : order) {
            first_ += box.start[i] * view.strides[i];
            if (box.extent[i] > 1) axes_.push_back({box.extent[i], view.strides[i], step[i]});
        }
        first_ += view.offset;
    }

    void run() { copy(0, first_, 0); }

  private:
    struct Axis {
        std::int64_t extent, stride, step;
    };

    void copy(std::size_t level, std::int64_t from, std::int64_t to) {
        if (level == axes_.size() || (level + 1 == axes_.size() && axes_[level].stride == 1)) {
            copyRun(level == axes_.size() ? Axis{1, 1, 1} : axes_[level], from, to);
            return;
        }
        const Axis axis = axes_[level];
        for (std::int64_t i = 0; i < axis.extent; ++i)
            copy(level + 1, from + i * axis.stride, to + i * axis.step);
    }

    /// Elements that follow one another in the storage.
    void copyRun(const Axis& axis, std::int64_t from, std::int64_t to) {
        constexpr std::int64_t kMostElements = std::int64_t{1} << 17U;
        for (std::int64_t done = 0; done < axis.extent; done += kMostElements) {
            const std::int64_t count = std::min(kMostElements, axis.extent - done);
            const std::byte* source = window_.at((from + done) * width_, count * width_);
            std::byte* target = into_ + (to + done * axis.step) * width_;
            if (axis.step == 1) {
                std::memcpy(target, source, static_cast<std::size_t>(count * width_));
                continue;
            }
            for (std::int64_t i = 0; i < count; ++i)
                std::memcpy(target + i * axis.step * width_, source + i * width_,
                            static_cast<std::size_t>(width_));
        }
    }

    std::int64_t width_;
    Window& window_;
    std::byte* into_;
    std::int64_t first_ = 0;
    std::vector<Axis> axes_;
};

}  // namespace

std::optional<StridedView> makeStridedView(const Shape& shape,
                                           std::span<const std::int64_t> strides,
                                           std::int64_t offset, std::int64_t elements) {
    StridedView view;
    view.offset = offset;
    if (offset < 0 || offset > elements) return std::nullopt;
    if (shape.elements() == 0) {
        view.sizes = {0};
        view.strides = {1};
        return view;
    }
    std::int64_t room = elements - 1 - offset;  // how far the last element may lie from the first
    for (std::size_t i = 0; i < strides.size(); ++i) {
        const std::int64_t size = shape.sizes()[i];
        const std::int64_t stride = strides[i];
        if (size == 1) continue;
        if (stride < 0 || (stride > 0 && size - 1 > room / stride)) return std::nullopt;
        room -= (size - 1) * stride;
        if (!view.sizes.empty() && view.strides.back() % size == 0 &&
            view.strides.back() / size == stride) {
            view.sizes.back() *= size;
            view.strides.back() = stride;
        } else {
            view.sizes.push_back(size);
            view.strides.push_back(stride);
        }
    }
    if (room < 0) return std::nullopt;
    return view;
}

void readStrided(const StridedView& view, std::size_t width, std::int64_t begin, std::int64_t count,
                 std::span<std::byte> into, const ReadBytes& read) {
    if (count == 0) return;
    const auto wide = static_cast<std::int64_t>(width);
    if (view.isContiguous()) {
        read(static_cast<std::uint64_t>((view.offset + begin) * wide), into);
        return;
    }
    std::int64_t last = view.offset;
    for (std::size_t i = 0; i < view.sizes.size(); ++i)
        last += (view.sizes[i] - 1) * view.strides[i];
    Window window(read, (last + 1) * wide);
    while (count > 0) {
        const Box box = longestBox(view, begin, count);
        BoxCopy(view, width, box, into.data(), window).run();
        into = into.subspan(static_cast<std::size_t>(box.elements) * width);
        begin += box.elements;
        count -= box.elements;
    }
}

}  // namespace core
