// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/command.h"
#include "app/upcycle/input_batch.h"
#include "app/upcycle/options.h"
#include "app/upcycle/output.h"
#include "app/upcycle/signals.h"
#include "core/checkpoint/checkpoint_writer.h"
#include "core/model/router_stats.h"
#include "core/ops/memory.h"
#include "core/run/memory.h"
#include "core/surgery/report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace upcycle {
namespace {

using Json = nlohmann::ordered_json;
using core::Tensor;
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

struct Options {
    std::string model, input, output, gradients;
    std::string loss = "plain";
    float aux = 0, z = 0;
    ComputeOptions compute;
    bool json = false;
};

Tensor scalar(double value) {
    Tensor tensor = Tensor::host({});
    *tensor.data<float>() = static_cast<float>(value);
    return tensor;
}

NamedTensors outputsOf(const core::ForwardResult& result, bool labelled, core::Backend& backend) {
    NamedTensors outputs{{"logits", core::ops::hostFloats(backend, result.logits)}};
    if (labelled) outputs.emplace_back("loss", scalar(result.loss));
    if (!result.routers.empty()) {
        outputs.emplace_back("aux_loss", scalar(result.auxLoss));
        outputs.emplace_back("z_loss", scalar(result.zLoss));
    }
    for (const core::RouterObservation& router : result.routers) {
        outputs.emplace_back(router.block + ".router_probabilities",
                             core::ops::hostFloats(backend, router.probabilities));
        outputs.emplace_back(router.block + ".combine_weights",
                             core::denseCombineWeights(router, backend));
    }
    return outputs;
}

NamedTensors gradientsOf(core::Model& model) {
    NamedTensors gradients;
    for (const core::Parameter& parameter : model.parameters()) {
        const Tensor host = core::ops::hostFloats(model.backend(), parameter.gradient)
                                .view({parameter.shape.elements()});
        std::int64_t begin = 0;
        for (const core::ParameterPart& part : parameter.parts) {
            const std::int64_t count = part.shape.elements();
            gradients.emplace_back(part.tensor, host.rows(begin, begin + count).view(part.shape));
            begin += count;
        }
    }
    return gradients;
}

void write(const core::Path& path, const NamedTensors& tensors) {
    std::vector<core::TensorInfo> infos;
    for (const auto& [name, tensor] : tensors) {
        core::TensorInfo info;
        info.name = name;
        info.dtype = tensor.dtype();
        info.shape = tensor.shape();
        infos.push_back(info);
    }
    core::WriterOptions options;
    options.force = true;
    const auto writer = core::CheckpointWriter::create(path, infos, options);
    for (std::size_t i = 0; i < tensors.size(); ++i) writer->write(i, tensors[i].second.rawSpan());
    writer->commit();
}

core::LossSpec lossOf(const Options& options) {
    core::LossSpec loss;
    if (options.loss == "total") {
        loss.aux = options.aux;
        loss.z = options.z;
    } else if (options.loss != "plain") {
        usage(fmt::format("--loss {} is not known", options.loss), "give plain or total");
    } else if (options.aux != 0 || options.z != 0) {
        usage("--aux and --z count only in the total loss", "add --loss total");
    }
    return loss;
}

void requireSafetensorsName(const char* option, const std::string& path) {
    if (!path.empty() && core::Path(path).extension() != ".safetensors")
        usage(fmt::format("{} {} does not end in .safetensors", option, path),
              "give a file name that ends in .safetensors");
}

void checkMemory(const core::ModelSpec& spec, const core::Batch& batch, bool gradients) {
    const std::uint64_t bytes =
        spec.family == core::Family::T5
            ? core::trainingBytes(spec, batch.inputIds.size(0), 0,
                                  {batch.inputIds.size(1), batch.decoderInputIds.size(1)})
            : core::trainingBytes(spec, batch.pixels.size(0), 0);
    core::requireMemoryBytes(gradients ? bytes : bytes / 2, "this forward pass");
}

int forward(const Options& options) {
    requireSafetensorsName("--output", options.output);
    requireSafetensorsName("--gradients", options.gradients);
    const bool gradients = !options.gradients.empty();
    const core::LossSpec loss = lossOf(options);
    const auto checkpoint = openModel(options.model);
    const core::ModelSpec spec = core::readSpec(*checkpoint);
    requireComputableFamily(spec, options.model);
    const Compute compute = computeFor(options.compute);
    const auto& backend = compute.backend;
    const core::Batch batch = readInputBatch(options.input, spec, *backend);
    if (gradients && !batch.labels.defined())
        throw core::Error(
            core::ErrorKind::BadInput,
            options.input + ": gradients need labels, and there is no tensor labels",
            "add labels I64 (one per image, or per target token), or leave --gradients out");
    checkMemory(spec, batch, gradients);
    const auto model = core::loadModel(*checkpoint, backend, gradients, compute.dtype);
    core::ForwardOptions how;
    how.loss = loss;
    how.training = gradients;
    how.dropout = 0.0F;  // of the function itself
    const core::ForwardResult result = model->forward(batch, how);
    throwIfStopped();
    const NamedTensors outputs = outputsOf(result, batch.labels.defined(), *backend);
    NamedTensors gradient;
    if (gradients) {
        model->backward(1.0F);
        gradient = gradientsOf(*model);
    }
    throwIfStopped();
    write(options.output, outputs);
    if (gradients) write(options.gradients, gradient);
    Json document{{"output", options.output}};
    if (gradients) document["gradients"] = options.gradients;
    if (batch.labels.defined()) document["loss"] = numberOrNull(result.loss);
    if (!result.routers.empty()) {
        document["aux_loss"] = numberOrNull(result.auxLoss);
        document["z_loss"] = numberOrNull(result.zLoss);
    }
    if (options.json)
        printJson(document);
    else if (batch.labels.defined())
        printLine(fmt::format("{}: loss {:.6f}", options.output, result.loss));
    else
        printLine(options.output + ": logits");
    return 0;
}

}  // namespace

Command addForward(CLI::App& root) {
    const auto options = std::make_shared<Options>();
    CLI::App* app = root.add_subcommand("forward", "Compute logits, loss and gradients of a batch");
    app->add_option("MODEL", options->model, "Checkpoint, RUN or RUN@STEP")->required();
    app->add_option("--input", options->input,
                    "safetensors with pixel_values F32 [B,C,H,W] and labels I64 [B]; for T5 "
                    "input_ids [B,S], attention_mask, labels [B,T], decoder_input_ids, "
                    "decoder_attention_mask, all I64")
        ->required();
    app->add_option("--output", options->output, "safetensors for logits, loss and routing")
        ->required();
    app->add_option("--gradients", options->gradients, "safetensors for d loss / d parameter");
    app->add_option("--loss", options->loss, "plain, or total = with the aux losses [plain]");
    app->add_option("--aux", options->aux, "Weight of the balance loss in the total [0]")
        ->check(CLI::NonNegativeNumber);
    app->add_option("--z", options->z, "Weight of the router z-loss in the total [0]")
        ->check(CLI::NonNegativeNumber);
    addComputeOptions(*app, options->compute);
    addJsonOption(*app, options->json);
    app->footer(
        "Example: upcycle forward vit-base --input in.safetensors --output out.safetensors");
    return {app, [options] { return forward(*options); }};
}

}  // namespace upcycle
