// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/model/model.h"

#include <memory>
#include <string>
#include <vector>

namespace core::test {

/// A folder of tests/core/model/fixtures (tests/reference/make_vit_fixtures.py).
class Fixture {
  public:
    explicit Fixture(const std::string& name);

    const Path& folder() const { return folder_; }
    const Checkpoint& model() const { return *model_; }
    /// A tensor of reference.safetensors; the test fails when there is none.
    Tensor reference(const std::string& name) const;
    bool has(const std::string& name) const { return reference_->find(name) != nullptr; }
    double scalar(const std::string& name) const;
    Batch batch() const;
    /// Of a folder of tests/core/model/fixtures/t5 (tests/reference/make_t5_fixtures.py).
    Batch textBatch() const;
    /// Relative error of logits [B, T, V] where the decoder's token is real.
    double realLogitsError(const Tensor& logits) const;
    /// Weights of the losses with which the gradients were made.
    LossSpec loss() const;

  private:
    Path folder_;
    std::shared_ptr<const Checkpoint> model_;
    std::shared_ptr<const Checkpoint> reference_;
};

std::vector<std::string> denseFixtures();
std::vector<std::string> moeFixtures();
/// Below t5/.
std::vector<std::string> t5Fixtures();

/// max |a - b|, infinite when one is not finite.
double maxDifference(std::span<const float> a, std::span<const float> b);
double maxMagnitude(std::span<const float> values);
/// max |a - b| / max |b|.
double relativeError(std::span<const float> a, std::span<const float> b);

/// The gradients of a model under the file's names, experts apart.
std::vector<std::pair<std::string, std::vector<float>>> gradientsByName(Model& model);

/// The largest relative error of the gradients, and whose.
struct WorstGradient {
    double error = 0;
    std::string name;
};

/// Expects every gradient of the model to be within `tolerance` of the fixture's, relative to the
/// largest of that tensor.
WorstGradient expectGradients(Model& model, const Fixture& fixture, double tolerance);

/// Expects the routers' tables of the fixture: probabilities and combine weights within
/// `tolerance`, and the same choice of experts.
void expectRouters(const ForwardResult& result, const Fixture& fixture, Backend& backend,
                   double tolerance);

}  // namespace core::test
