// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/data/subset.h"
#include "core/ops/memory.h"
#include "core/training/device_batch.h"
#include "core/training/evaluation.h"
#include "core/training/evaluation_internal.h"
#include "core/training/ridge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

namespace core {
namespace {

constexpr int kFirstPower = -10;
constexpr std::size_t kPenalties = 30;  ///< 2^-10 ... 2^19

double penalty(std::size_t index) { return std::ldexp(1.0, kFirstPower + static_cast<int>(index)); }

struct Features {
    Matrix x;
    std::vector<std::int64_t> labels;
};

Features extractFeatures(Model& model, const ImageDataset& dataset, const LoaderOptions& options) {
    BatchLoader loader = orderedLoader(dataset, options);
    DeviceBatch deviceBatch(model.backend());
    Features features;
    std::vector<double>& values = features.x.values;
    while (const std::optional<HostBatch> batch = loader.next()) {
        const std::int64_t examples = batch->labels.elements();
        const ForwardResult forward =
            model.forward(deviceBatch.upload(*batch, 0, examples), ForwardOptions{});
        const Tensor host = ops::hostFloats(model.backend(), forward.features);
        values.insert(values.end(), host.span<float>().begin(), host.span<float>().end());
        const auto labels = batch->labels.span<std::int64_t>();
        features.labels.insert(features.labels.end(), labels.begin(), labels.end());
        features.x.columns = host.size(1);
        features.x.rows += examples;
    }
    if (!std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); }))
        throw Error(ErrorKind::BadInput,
                    fmt::format("the model's features of {} are not finite", dataset.description()),
                    "its weights hold NaN or infinity, or overflow: see upcycle inspect --stats");
    return features;
}

/// `shots` examples of each class, drawn by seed; the dataset is not copied.
std::vector<std::int64_t> drawShots(const ImageDataset& dataset, std::int64_t shots,
                                    std::uint64_t seed, std::uint64_t draw) {
    std::vector<std::int64_t> taken(static_cast<std::size_t>(dataset.classes()), 0);
    std::vector<std::int64_t> indices;
    for (const std::int64_t index : keyedPermutation(dataset.size(), seed, draw)) {
        std::int64_t& count = taken[static_cast<std::size_t>(dataset.label(index))];
        if (count == shots) continue;
        ++count;
        indices.push_back(index);
    }
    const auto poorest = std::min_element(taken.begin(), taken.end());
    if (*poorest < shots)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: class {} has {} images, {} shots need as many",
                                dataset.description(), poorest - taken.begin(), *poorest, shots),
                    "ask for fewer shots");
    return indices;
}

Matrix targetsOf(const std::vector<std::int64_t>& labels, std::int64_t classes) {
    Matrix y(static_cast<std::int64_t>(labels.size()), classes);
    std::fill(y.values.begin(), y.values.end(), -1.0);
    for (std::size_t i = 0; i < labels.size(); ++i)
        y.row(static_cast<std::int64_t>(i))[labels[i]] = 1.0;
    return y;
}

std::int64_t argmaxOfProduct(const double* x, const Matrix& w, std::vector<double>& scores) {
    std::fill(scores.begin(), scores.end(), 0.0);
    for (std::int64_t d = 0; d < w.rows; ++d)
        for (std::int64_t k = 0; k < w.columns; ++k)
            scores[static_cast<std::size_t>(k)] += x[d] * w.row(d)[k];
    return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

double accuracyOf(const Matrix& x, const std::vector<std::int64_t>& labels, const Matrix& w) {
    std::vector<std::int64_t> correct(static_cast<std::size_t>(parallelParts(x.rows, 64)), 0);
    parallelFor(x.rows, 64, [&](std::int64_t begin, std::int64_t end, int part) {
        std::vector<double> scores(static_cast<std::size_t>(w.columns));
        for (std::int64_t i = begin; i < end; ++i)
            if (argmaxOfProduct(x.row(i), w, scores) == labels[static_cast<std::size_t>(i)])
                ++correct[static_cast<std::size_t>(part)];
    });
    std::int64_t total = 0;
    for (const std::int64_t count : correct) total += count;
    return static_cast<double>(total) / static_cast<double>(x.rows);
}

}  // namespace

FewShotResult fewShot(Model& model, const ImageDataset& train, const ImageDataset& test,
                      const LoaderOptions& options, std::int64_t shots, int draws,
                      std::uint64_t seed) {
    CORE_CHECK(shots > 0 && draws > 0, "shots and draws");
    const std::shared_ptr<const ImageDataset> source(std::shared_ptr<void>(), &train);
    const Features testing = extractFeatures(model, test, options);
    std::array<double, kPenalties> accuracy{};
    for (int draw = 0; draw < draws; ++draw) {
        const auto subset = makeSubset(
            source, drawShots(train, shots, seed, static_cast<std::uint64_t>(draw)), "shots");
        const Features training = extractFeatures(model, *subset, options);
        const Whitening whitening = whiteningOf(training.x);
        const Matrix testX = whiten(testing.x, whitening);
        const RidgeSolver solver(whiten(training.x, whitening),
                                 targetsOf(training.labels, train.classes()));
        for (std::size_t i = 0; i < kPenalties; ++i)
            accuracy[i] += accuracyOf(testX, testing.labels, solver.solve(penalty(i))) / draws;
    }
    const auto best = std::max_element(accuracy.begin(), accuracy.end());
    return {.shots = shots,
            .accuracy = *best,
            .l2 = penalty(static_cast<std::size_t>(best - accuracy.begin())),
            .draws = draws};
}

}  // namespace core
