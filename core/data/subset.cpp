// SPDX-License-Identifier: Apache-2.0
#include "core/data/subset.h"

#include "core/base/error.h"
#include "core/base/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace core {
namespace {

class Subset final : public ImageDataset {
  public:
    Subset(std::shared_ptr<const ImageDataset> whole, std::vector<std::int64_t> indices,
           std::string description)
        : whole_(std::move(whole)),
          indices_(std::move(indices)),
          description_(std::move(description)) {}

    std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
    std::int64_t classes() const override { return whole_->classes(); }
    std::int64_t read(std::int64_t index, const ImageShape& shape, float* into) const override {
        return whole_->read(at(index), shape, into);
    }
    std::int64_t label(std::int64_t index) const override { return whole_->label(at(index)); }
    bool isNormalized() const override { return whole_->isNormalized(); }
    int suggestedWorkers() const override { return whole_->suggestedWorkers(); }
    std::string description() const override { return description_; }
    std::vector<std::string> classNames() const override { return whole_->classNames(); }

  private:
    std::int64_t at(std::int64_t index) const { return indices_[static_cast<std::size_t>(index)]; }

    std::shared_ptr<const ImageDataset> whole_;
    std::vector<std::int64_t> indices_;
    std::string description_;
};

}  // namespace

std::shared_ptr<const ImageDataset> makeSubset(std::shared_ptr<const ImageDataset> whole,
                                               std::vector<std::int64_t> indices,
                                               std::string description) {
    return std::make_shared<Subset>(std::move(whole), std::move(indices), std::move(description));
}

std::vector<std::int64_t> keyedPermutation(std::int64_t count, std::uint64_t seed,
                                           std::uint64_t stream) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), 0);
    const CounterRandom random(hashName(seed, "permutation"), stream);
    for (std::size_t i = order.size(); i-- > 1;) std::swap(order[i], order[random.below(i, i + 1)]);
    return order;
}

std::vector<std::int64_t> heldOutIndices(std::int64_t count, std::uint64_t seed, bool heldOut) {
    std::vector<std::int64_t> order = keyedPermutation(count, hashName(seed, "validation"), 0);
    const auto cut = order.begin() + std::clamp<std::int64_t>(count / 20, 1, count);
    std::vector<std::int64_t> part(heldOut ? order.begin() : cut, heldOut ? cut : order.end());
    std::sort(part.begin(), part.end());
    return part;
}

std::shared_ptr<const ImageDataset> sampleExamples(std::shared_ptr<const ImageDataset> dataset,
                                                   std::int64_t count, std::uint64_t seed) {
    CORE_CHECK(count > 0, "a sample has examples");
    if (count >= dataset->size()) return dataset;
    std::vector<std::int64_t> order =
        keyedPermutation(dataset->size(), hashName(seed, "sample"), 0);
    order.resize(static_cast<std::size_t>(count));
    std::sort(order.begin(), order.end());
    std::string description = fmt::format("{} of {}", count, dataset->description());
    return makeSubset(std::move(dataset), std::move(order), std::move(description));
}

}  // namespace core
