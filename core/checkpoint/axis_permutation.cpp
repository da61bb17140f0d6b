// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/axis_permutation.h"

#include "core/base/error.h"
#include "core/base/parallel.h"

#include <algorithm>
#include <cstring>

namespace core {
namespace {

constexpr std::int64_t kTile = 32;
constexpr std::int64_t kGrain = 1 << 15;  ///< elements of one thread's share at least

std::int64_t ceilDivide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

/// The recursion over a piece: incomplete rows are entered, whole ones are moved as blocks.
template <typename T>
class AxisPermutation::Scatter {
  public:
    Scatter(const AxisPermutation& permutation, std::byte* result)
        : p_(permutation), result_(result) {}

    /// Elements [begin, begin + count) of the part of the source that lies below `axis`.
    void place(std::size_t axis, std::int64_t begin, std::int64_t count, const std::byte* from,
               std::int64_t to) const {
        const std::int64_t step = p_.steps_[axis];
        std::int64_t row = begin / step;
        if (const std::int64_t inside = begin % step; inside != 0) {
            const std::int64_t first = std::min(count, step - inside);
            place(axis + 1, inside, first, from, to + row * p_.strides_[axis]);
            from += first * kBytes;
            count -= first;
            ++row;
        }
        if (const std::int64_t rows = count / step; rows > 0) {
            block(axis, rows, from, to + row * p_.strides_[axis]);
            from += rows * step * kBytes;
            count -= rows * step;
            row += rows;
        }
        if (count > 0) place(axis + 1, 0, count, from, to + row * p_.strides_[axis]);
    }

  private:
    static constexpr auto kBytes = static_cast<std::int64_t>(sizeof(T));

    /// A run of the source's innermost axis.
    void run(const std::byte* from, std::int64_t to, std::int64_t count) const {
        const std::int64_t stride = p_.strides_.back();
        if (stride == 1) {
            std::memcpy(result_ + to * kBytes, from, static_cast<std::size_t>(count * kBytes));
            return;
        }
        for (std::int64_t i = 0; i < count; ++i)
            std::memcpy(result_ + (to + i * stride) * kBytes, from + i * kBytes, sizeof(T));
    }

    /// `rows` whole rows of `axis`: tiles over the source's innermost axis and the one that lies
    /// innermost in the result.
    void block(std::size_t axis, std::int64_t rows, const std::byte* from, std::int64_t to) const {
        const std::size_t last = p_.sizes_.size() - 1;
        const auto size = [&](std::size_t a) { return a == axis ? rows : p_.sizes_[a]; };
        std::size_t inner = axis;
        for (std::size_t a = axis; a <= last; ++a)
            if (p_.strides_[a] < p_.strides_[inner]) inner = a;
        std::vector<std::size_t> outer;
        std::int64_t outerCount = 1;
        for (std::size_t a = axis; a < last; ++a)
            if (a != inner) {
                outer.push_back(a);
                outerCount *= size(a);
            }
        const std::int64_t columns = size(last);
        const std::int64_t lines = inner == last ? 1 : size(inner);
        const std::int64_t strips = inner == last ? 1 : ceilDivide(columns, kTile);
        const std::int64_t work =
            std::max<std::int64_t>(1, lines * (inner == last ? columns : std::min(columns, kTile)));
        parallelFor(outerCount * strips, std::max<std::int64_t>(1, kGrain / work),
                    [&](std::int64_t first, std::int64_t end, int) {
                        for (std::int64_t job = first; job < end; ++job) {
                            std::int64_t index = job / strips;
                            std::int64_t source = 0;
                            std::int64_t target = to;
                            for (std::size_t k = outer.size(); k-- > 0; index /= size(outer[k])) {
                                const std::int64_t at = index % size(outer[k]);
                                source += at * p_.steps_[outer[k]];
                                target += at * p_.strides_[outer[k]];
                            }
                            const std::byte* const begin = from + source * kBytes;
                            if (inner == last) {
                                run(begin, target, columns);
                                continue;
                            }
                            const std::int64_t column = (job % strips) * kTile;
                            strip(begin + column * kBytes, target + column * p_.strides_[last],
                                  inner, lines, std::min(kTile, columns - column));
                        }
                    });
    }

    /// `columns` of the innermost source axis, all `lines` of the axis `inner`.
    void strip(const std::byte* from, std::int64_t to, std::size_t inner, std::int64_t lines,
               std::int64_t columns) const {
        const std::int64_t step = p_.steps_[inner];
        const std::int64_t near = p_.strides_[inner];
        const std::int64_t far = p_.strides_.back();
        for (std::int64_t line = 0; line < lines; line += kTile) {
            const std::int64_t end = std::min(lines, line + kTile);
            for (std::int64_t column = 0; column < columns; ++column)
                for (std::int64_t i = line; i < end; ++i)
                    std::memcpy(result_ + (to + i * near + column * far) * kBytes,
                                from + (i * step + column) * kBytes, sizeof(T));
        }
    }

    const AxisPermutation& p_;
    std::byte* result_;
};

AxisPermutation::AxisPermutation(const Shape& source, std::span<const int> order,
                                 std::size_t elementBytes)
    : width_(elementBytes) {
    CORE_CHECK(order.size() == source.rank(), "a place for each axis");
    std::vector<std::int64_t> strides(order.size());
    std::int64_t stride = 1;
    for (std::size_t a = order.size(); a-- > 0;) {
        strides[static_cast<std::size_t>(order[a])] = stride;
        stride *= source[order[a]];
    }
    for (std::size_t a = 0; a < order.size(); ++a) {
        const std::int64_t size = source.sizes()[a];
        if (size == 1) continue;
        if (!sizes_.empty() && strides_.back() == size * strides[a]) {
            sizes_.back() *= size;
            strides_.back() = strides[a];
        } else {
            sizes_.push_back(size);
            strides_.push_back(strides[a]);
        }
    }
    if (sizes_.empty()) {
        sizes_.push_back(1);
        strides_.push_back(1);
    }
    steps_.assign(sizes_.size(), 1);
    for (std::size_t a = sizes_.size() - 1; a > 0; --a) steps_[a - 1] = steps_[a] * sizes_[a];
}

void AxisPermutation::scatter(std::int64_t begin, std::span<const std::byte> piece,
                              std::span<std::byte> result) const {
    const auto count = static_cast<std::int64_t>(piece.size() / width_);
    if (count == 0) return;
    CORE_CHECK(static_cast<std::int64_t>(result.size() / width_) == steps_[0] * sizes_[0] &&
                   begin >= 0 && begin + count <= steps_[0] * sizes_[0],
               "a piece of the tensor");
    switch (width_) {
        case 1:
            return Scatter<std::uint8_t>(*this, result.data())
                .place(0, begin, count, piece.data(), 0);
        case 2:
            return Scatter<std::uint16_t>(*this, result.data())
                .place(0, begin, count, piece.data(), 0);
        case 4:
            return Scatter<std::uint32_t>(*this, result.data())
                .place(0, begin, count, piece.data(), 0);
        default:
            CORE_CHECK(width_ == 8, "elements of 1, 2, 4 or 8 bytes");
            return Scatter<std::uint64_t>(*this, result.data())
                .place(0, begin, count, piece.data(), 0);
    }
}

std::vector<int> inverseOrder(std::span<const int> order) {
    std::vector<int> inverse(order.size());
    for (std::size_t a = 0; a < order.size(); ++a)
        inverse[static_cast<std::size_t>(order[a])] = static_cast<int>(a);
    return inverse;
}

Shape permuted(const Shape& shape, std::span<const int> order) {
    std::vector<std::int64_t> sizes;
    for (const int axis : order) sizes.push_back(shape[axis]);
    return Shape(std::move(sizes));
}

}  // namespace core
