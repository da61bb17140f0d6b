// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/random.h"
#include "core/cpu/cpu_backend.h"
#include "core/data/batch_loader.h"
#include "core/model/loss_reading.h"
#include "core/model/model.h"
#include "core/ops/cross_entropy.h"
#include "core/ops/linear.h"
#include "core/ops/memory.h"
#include "core/ops/reduce.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

namespace core::test {

/// The tensors of tests/reference/training/training.safetensors.
class Fixture {
  public:
    Tensor tensor(const std::string& name) const {
        const TensorInfo* info = file_->find(name);
        CORE_CHECK(info != nullptr, "a fixture " + name);
        const std::vector<float> values = file_->readFloats(*info);
        return Tensor::of<float>(info->shape, values);
    }

  private:
    std::shared_ptr<const Checkpoint> file_ = Checkpoint::open(
        Path(UPCYCLER_SOURCE_DIR) / "tests/reference/training/training.safetensors");
};

inline Parameter makeParameter(const std::string& name, const Tensor& value, bool decay = true) {
    Parameter p;
    p.name = name;
    p.shape = value.shape();
    p.parts = {{name, p.shape}};
    p.decay = decay;
    p.value = Tensor::host(p.shape);
    std::copy(value.data<float>(), value.data<float>() + value.elements(), p.value.data<float>());
    p.gradient = Tensor::zeros(p.shape);
    return p;
}

inline void copyInto(const Tensor& into, const Tensor& from) {
    std::copy(from.data<float>(), from.data<float>() + from.elements(), into.data<float>());
}

/// max |a - b| <= tolerance * max |b|.
inline void expectClose(const Tensor& a, const Tensor& b, double tolerance,
                        const std::string& what) {
    ASSERT_EQ(a.elements(), b.elements()) << what;
    double largest = 0;
    double difference = 0;
    for (std::int64_t i = 0; i < a.elements(); ++i) {
        const auto x = static_cast<double>(a.data<float>()[i]);
        const auto y = static_cast<double>(b.data<float>()[i]);
        ASSERT_TRUE(std::isfinite(x)) << what;
        largest = std::max(largest, std::abs(y));
        difference = std::max(difference, std::abs(x - y));
    }
    EXPECT_LE(difference, tolerance * largest) << what;
}

/// Softmax regression on the pixels: logits = W x + b, features = the pixels.
class LinearModel final : public Model {
  public:
    LinearModel(std::shared_ptr<Backend> backend, std::int64_t inputs, std::int64_t classes)
        : Model(std::move(backend), DType::F32), spec_(specOf(classes)) {
        Tensor weight = Tensor::host({classes, inputs});
        const CounterRandom random(hashName(1, "weight"));
        for (std::int64_t i = 0; i < weight.elements(); ++i)
            weight.data<float>()[i] = 0.1F * random.normal(static_cast<std::uint64_t>(i));
        parameters_ = {makeParameter("weight", weight),
                       makeParameter("bias", Tensor::zeros({classes}), false)};
    }

    const ModelSpec& spec() const override { return spec_; }
    std::vector<Parameter>& parameters() override { return parameters_; }

    ForwardResult forward(const Batch& batch, const ForwardOptions& options) override {
        workspace().reset();
        const std::int64_t count = batch.pixels.size(0);
        const std::int64_t classes = spec_.vit.classes;
        x_ = batch.pixels.view({count, batch.pixels.elements() / count});
        labels_ = batch.labels;
        ForwardResult result;
        result.features = x_;
        logits_ = result.logits = workspace().allocate({count, classes});
        ops::linearForward(backend(), logits_, x_, parameters_[0].value, parameters_[1].value);
        const Tensor losses = workspace().allocate({count});
        logSumExp_ = workspace().allocate({count});
        ops::softmaxCrossEntropyForward(backend(), losses, logSumExp_, logits_, labels_,
                                        options.loss.labelSmoothing);
        const auto labels = labels_.span<std::int64_t>();
        counted_ = count - std::count(labels.begin(), labels.end(), -100);
        result.counted = counted_;
        if (counted_ > 0) {
            result.lossThere = workspace().allocate({1}, DType::F64);
            ops::sum(backend(), result.lossThere, losses);
        }
        if (!options.lossesLater) readLosses(result, backend());
        return result;
    }

    void backward(float scale) override {
        if (counted_ == 0) return;
        const Tensor dLogits = workspace().allocate(logits_.shape());
        ops::softmaxCrossEntropyBackward(backend(), dLogits, logits_, logSumExp_, labels_, 0.0F,
                                         scale / static_cast<float>(counted_));
        ops::linearBackwardWeight(backend(), parameters_[0].gradient, parameters_[1].gradient,
                                  dLogits, x_);
    }

  private:
    static ModelSpec specOf(std::int64_t classes) {
        ModelSpec spec;
        spec.vit.classes = classes;
        spec.vit.imageSize = 8;
        spec.vit.patchSize = 4;
        return spec;
    }

    ModelSpec spec_;
    std::vector<Parameter> parameters_;
    Tensor x_, labels_, logits_, logSumExp_;
    std::int64_t counted_ = 0;
};

/// Examples in memory, taken as normalised; pixels [n, inputs].
class MemoryImages final : public ImageDataset {
  public:
    MemoryImages(Tensor pixels, std::vector<std::int64_t> labels, std::int64_t classes)
        : pixels_(std::move(pixels)), labels_(std::move(labels)), classes_(classes) {}
    std::int64_t size() const override { return pixels_.size(0); }
    std::int64_t classes() const override { return classes_; }
    std::int64_t label(std::int64_t index) const override {
        return labels_[static_cast<std::size_t>(index)];
    }
    std::int64_t read(std::int64_t index, const ImageShape&, float* into) const override {
        const float* from = pixels_.data<float>() + index * pixels_.size(1);
        std::copy(from, from + pixels_.size(1), into);
        return label(index);
    }
    bool isNormalized() const override { return true; }
    std::string description() const override { return "memory images"; }

  private:
    Tensor pixels_;
    std::vector<std::int64_t> labels_;
    std::int64_t classes_;
};

/// `count` noisy pictures of `inputs` pixels around one centre a class.
inline std::shared_ptr<MemoryImages> makeClusters(std::int64_t count, std::int64_t inputs,
                                                  std::int64_t classes) {
    const CounterRandom random(hashName(2, "clusters"));
    const Tensor pixels = Tensor::host({count, inputs});
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < count; ++i) {
        labels.push_back(i % classes);
        for (std::int64_t j = 0; j < inputs; ++j)
            pixels.data<float>()[i * inputs + j] =
                random.normal(static_cast<std::uint64_t>(i * inputs + j)) +
                2 * random.normal(
                        static_cast<std::uint64_t>((1 << 30) + (i % classes) * inputs + j));
    }
    return std::make_shared<MemoryImages>(pixels, labels, classes);
}

}  // namespace core::test
