// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/tensor_difference.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/surgery/diff_watch.h"
#include "core/tensor/convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace core {
namespace {

constexpr std::int64_t kPiece = std::int64_t{1} << 20;
constexpr std::int64_t kGrain = std::int64_t{1} << 16;

/// One side of the comparison, piece by piece.
class Side {
  public:
    Side(const Checkpoint& checkpoint, const TensorInfo& tensor)
        : checkpoint_(checkpoint), tensor_(tensor) {}

    void read(std::int64_t begin, std::size_t count) {
        raw_.resize(count * dtypeBytes(tensor_.dtype));
        checkpoint_.read(tensor_, begin, static_cast<std::int64_t>(count), raw_);
    }
    std::vector<float>& floats() {
        floats_.resize(raw_.size() / dtypeBytes(tensor_.dtype));
        toFloats(floats_, raw_.data(), tensor_.dtype);
        return floats_;
    }
    const std::vector<std::byte>& raw() const { return raw_; }

  private:
    const Checkpoint& checkpoint_;
    const TensorInfo& tensor_;
    std::vector<std::byte> raw_;
    std::vector<float> floats_;
};

void roundTo(std::vector<float>& values, DType dtype) {
    if (dtype == DType::F32 || !isFloating(dtype) || dtypeBytes(dtype) == 1) return;
    std::vector<std::byte> narrow(values.size() * dtypeBytes(dtype));
    fromFloats(narrow.data(), dtype, values);
    toFloats(values, narrow.data(), dtype);
}

void compare(std::span<const float> a, std::span<const float> b, TensorDifference& difference) {
    float reference = 0;
    for (const float value : a) {
        const float magnitude = std::abs(value);
        if (magnitude <= std::numeric_limits<float>::max())
            reference = std::max(reference, magnitude);
    }
    difference.reference = std::max(difference.reference, static_cast<double>(reference));
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
        const double apart = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        difference.largest =
            std::max(difference.largest,
                     std::isnan(apart) ? std::numeric_limits<double>::infinity() : apart);
    }
}

/// In parts on all threads; the largest of all does not depend on how many.
void compareInParts(std::span<const float> a, std::span<const float> b,
                    TensorDifference& difference) {
    const auto n = static_cast<std::int64_t>(a.size());
    std::vector<TensorDifference> parts(static_cast<std::size_t>(parallelParts(n, kGrain)));
    parallelFor(n, kGrain, [&](std::int64_t begin, std::int64_t end, int part) {
        const auto first = static_cast<std::size_t>(begin);
        const auto count = static_cast<std::size_t>(end - begin);
        compare(a.subspan(first, count), b.subspan(first, count),
                parts[static_cast<std::size_t>(part)]);
    });
    for (const TensorDifference& part : parts) {
        difference.largest = std::max(difference.largest, part.largest);
        difference.reference = std::max(difference.reference, part.reference);
    }
}

}  // namespace

double TensorDifference::relative() const {
    if (largest == 0) return 0;
    return reference == 0 ? std::numeric_limits<double>::infinity() : largest / reference;
}

TensorDifference compareTensors(const Checkpoint& a, const TensorInfo& tensorA, const Checkpoint& b,
                                const TensorInfo& tensorB, bool rounded, DiffWatch& watch) {
    CORE_CHECK(tensorA.shape == tensorB.shape, "tensors of one shape");
    TensorDifference difference;
    difference.sameBits = tensorA.dtype == tensorB.dtype;
    Side left(a, tensorA);
    Side right(b, tensorB);
    const std::int64_t elements = tensorA.shape.elements();
    for (std::int64_t begin = 0; begin < elements; begin += kPiece) {
        const auto count = static_cast<std::size_t>(std::min(kPiece, elements - begin));
        left.read(begin, count);
        right.read(begin, count);
        difference.sameBits = difference.sameBits && left.raw() == right.raw();
        std::vector<float>& values = left.floats();
        if (rounded && tensorA.dtype != tensorB.dtype) roundTo(values, tensorB.dtype);
        compareInParts(values, right.floats(), difference);
        watch.add(left.raw().size() + right.raw().size());
    }
    return difference;
}

}  // namespace core
