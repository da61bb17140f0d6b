// SPDX-License-Identifier: Apache-2.0
#include "core/run/evaluate_in_pieces.h"

#include <algorithm>
#include <utility>

namespace core {
namespace {

constexpr double kPieceSeconds = 0.3;

/// Examples [begin, begin + count) of another dataset.
class Piece final : public ImageDataset {
  public:
    Piece(std::shared_ptr<const ImageDataset> whole, std::int64_t begin, std::int64_t count)
        : whole_(std::move(whole)), begin_(begin), count_(count) {}

    std::int64_t size() const override { return count_; }
    std::int64_t classes() const override { return whole_->classes(); }
    std::int64_t read(std::int64_t index, const ImageShape& shape, float* into) const override {
        return whole_->read(begin_ + index, shape, into);
    }
    bool isNormalized() const override { return whole_->isNormalized(); }
    std::int64_t label(std::int64_t index) const override { return whole_->label(begin_ + index); }
    int suggestedWorkers() const override { return whole_->suggestedWorkers(); }
    std::string description() const override { return whole_->description(); }

  private:
    std::shared_ptr<const ImageDataset> whole_;
    std::int64_t begin_;
    std::int64_t count_;
};

/// total += share * part, field by field.
void addScaled(RouterStats& total, const RouterStats& part, double share) {
    total.block = part.block;
    total.load.resize(part.load.size());
    for (std::size_t expert = 0; expert < part.load.size(); ++expert)
        total.load[expert] += share * part.load[expert];
    total.unrouted += share * part.unrouted;
    total.dropped += share * part.dropped;
    total.entropy += share * part.entropy;
    total.combineSum += share * part.combineSum;
    total.cv += share * part.cv;
}

void addScaled(std::vector<RouterStats>& total, const std::vector<RouterStats>& part,
               double share) {
    total.resize(part.size());
    for (std::size_t layer = 0; layer < part.size(); ++layer)
        addScaled(total[layer], part[layer], share);
}

}  // namespace

std::optional<EvalResult> evaluateInPieces(Model& model,
                                           const std::shared_ptr<const ImageDataset>& dataset,
                                           const LoaderOptions& options, const LossSpec& loss,
                                           const std::function<bool(std::int64_t done)>& goOn) {
    EvalResult total;
    std::int64_t batches = 1;
    while (total.examples < dataset->size()) {
        const std::int64_t count =
            std::min(batches * options.batch, dataset->size() - total.examples);
        const Piece piece(dataset, total.examples, count);
        const EvalResult part = evaluate(model, piece, options, loss, nullptr);
        const auto share = static_cast<double>(part.examples);
        total.examples += part.examples;
        total.loss += part.loss * share;
        total.accuracy += part.accuracy * share;
        total.seconds += part.seconds;
        addScaled(total.routers, part.routers, share / static_cast<double>(dataset->size()));
        if (part.seconds < kPieceSeconds / 2) batches *= 2;
        if (total.examples < dataset->size() && !goOn(total.examples)) return std::nullopt;
    }
    if (total.examples > 0) {
        total.loss /= static_cast<double>(total.examples);
        total.accuracy /= static_cast<double>(total.examples);
    }
    return total;
}

}  // namespace core
