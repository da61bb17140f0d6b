// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/tiny_checkpoint.h"

#include "core/base/random.h"
#include "core/model/model.h"
#include "core/run/checkpoint_folder.h"
#include "core/run/device.h"
#include "ui/runs/trainer_process.h"

#include <QFile>

namespace ui::testing {
namespace {

constexpr const char* kConfig = R"({
  "architectures": ["ViTForImageClassification"], "model_type": "vit",
  "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2,
  "image_size": 8, "patch_size": 4, "num_channels": 1, "hidden_act": "gelu",
  "layer_norm_eps": 1e-06, "qkv_bias": true, "initializer_range": 0.02,
  "id2label": {"0": "a", "1": "b", "2": "c"}, "label2id": {"a": 0, "b": 1, "c": 2}
})";

constexpr std::int64_t kBatch = 4;

}  // namespace

void writeTinyCheckpoint(const core::Path& folder) {
    const core::ModelSpec spec = core::specFromConfig(kConfig, "config.json");
    const auto backend = core::makeBackend("cpu", 1).backend;
    const auto model = core::makeModel(spec, backend, false);
    core::initializeParameters(model->parameters(), 1, *backend);
    std::filesystem::create_directories(folder);
    core::CarriedParts carried;
    carried.config = kConfig;
    core::writeModel(folder, *model, model->parameters(), carried);
}

std::vector<float> logitsOf(const core::Path& model) {
    const auto backend = core::makeBackend("cpu", 1).backend;
    const auto loaded = core::loadModel(*core::Checkpoint::open(model), backend, false);
    const core::VitSpec& vit = loaded->spec().vit;
    const core::CounterRandom random(11);
    core::Tensor pixels =
        core::Tensor::zeros({kBatch, vit.channels, vit.imageSize, vit.imageSize}, core::DType::F32);
    float* values = pixels.data<float>();
    for (std::int64_t i = 0; i < pixels.elements(); ++i) {
        values[i] = random.normal(static_cast<std::uint64_t>(i));
    }
    core::Batch batch;
    batch.pixels = pixels;
    const core::ForwardResult result = loaded->forward(batch, {});
    const float* logits = result.logits.data<float>();
    return {logits, logits + result.logits.elements()};
}

void placeTrainer() {
    const QString beside = TrainerProcess::program();
    if (!QFile::exists(beside)) {
        QFile::link(QStringLiteral(UPCYCLER_BIN_DIR "/upcycle"), beside);
    }
}

}  // namespace ui::testing
