// SPDX-License-Identifier: Apache-2.0
#include "core/data/synthetic.h"

#include "core/base/error.h"
#include "core/base/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace core {
namespace {

constexpr std::int64_t kPoolFloats = std::int64_t{8} << 20;

class SyntheticImages final : public ImageDataset {
  public:
    SyntheticImages(const SyntheticSpec& spec, Split split, std::uint64_t seed)
        : spec_(spec), split_(split), floats_(elements(spec.shape)) {
        const std::string stream = fmt::format("synthetic.{}", splitName(split));
        const CounterRandom random(hashName(seed, stream));
        pictures_ = std::clamp<std::int64_t>(kPoolFloats / floats_, 1, spec.examples);
        pool_.resize(static_cast<std::size_t>(pictures_ * floats_));
        for (std::size_t i = 0; i < pool_.size(); ++i) pool_[i] = random.normal(i);
        labels_.resize(static_cast<std::size_t>(spec.examples));
        for (std::size_t i = 0; i < labels_.size(); ++i)
            labels_[i] = static_cast<std::int64_t>(
                random.below(i, static_cast<std::uint64_t>(spec.classes)));
    }

    std::int64_t size() const override { return spec_.examples; }
    std::int64_t classes() const override { return spec_.classes; }
    std::int64_t label(std::int64_t index) const override {
        return labels_[static_cast<std::size_t>(index)];
    }
    std::int64_t read(std::int64_t index, const ImageShape& shape, float* into) const override {
        CORE_CHECK(shape == spec_.shape, "synthetic images are read in their own shape");
        const float* from = pool_.data() + (index % pictures_) * floats_;
        std::copy(from, from + floats_, into);
        return label(index);
    }
    bool isNormalized() const override { return true; }
    std::string description() const override {
        return fmt::format("synthetic {}, {} images of {}x{}x{}, {} classes", splitName(split_),
                           spec_.examples, spec_.shape.height, spec_.shape.width,
                           spec_.shape.channels, spec_.classes);
    }

  private:
    static std::int64_t elements(const ImageShape& shape) {
        return shape.channels * shape.height * shape.width;
    }

    SyntheticSpec spec_;
    Split split_;
    std::int64_t floats_;
    std::int64_t pictures_ = 1;
    std::vector<float> pool_;
    std::vector<std::int64_t> labels_;
};

}  // namespace

std::shared_ptr<const ImageDataset> makeSyntheticImages(const SyntheticSpec& spec, Split split,
                                                        std::uint64_t seed) {
    return std::make_shared<SyntheticImages>(spec, split, seed);
}

}  // namespace core
