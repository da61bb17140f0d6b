// SPDX-License-Identifier: Apache-2.0
#include "core/model/model.h"

#include "core/base/error.h"
#include "core/model/t5.h"
#include "core/model/vit.h"
#include "core/ops/memory.h"

#include <fmt/format.h>

namespace core {

Model::Model(std::shared_ptr<Backend> backend)
    : backend_(std::move(backend)),
      workspace_([b = backend_](std::size_t bytes) { return b->allocate(bytes); }) {}

void Model::zeroGradients() {
    for (Parameter& p : parameters())
        if (p.gradient.defined()) ops::fill(*backend_, p.gradient, 0.0F);
}

std::unique_ptr<Decoding> Model::startDecoding(const Batch&, std::int64_t, std::int64_t) {
    throw Error(ErrorKind::BadInput,
                fmt::format("a {} model generates no text", familyName(spec().family)), "use a T5");
}

std::unique_ptr<Model> makeModel(const ModelSpec& spec, std::shared_ptr<Backend> backend,
                                 bool gradients, const VitNames& names) {
    if (spec.family == Family::T5) return std::make_unique<T5>(spec, std::move(backend), gradients);
    if (spec.family != Family::Vit)
        throw Error(ErrorKind::BadInput,
                    fmt::format("models of the family {} can be inspected, not computed",
                                familyName(spec.family)),
                    "use a Vision Transformer or a T5");
    return std::make_unique<Vit>(spec, std::move(backend), gradients, names);
}

namespace {

/// A file may hold a T5's embedding under the name of one of its uses alone.
void takeStoredName(Model& model, const Checkpoint& checkpoint) {
    constexpr const char* kEmbedding = "shared.weight";
    if (model.spec().family != Family::T5 || checkpoint.find(kEmbedding) != nullptr) return;
    for (Parameter& parameter : model.parameters())
        for (const char* name : {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight"})
            if (parameter.name == kEmbedding && checkpoint.find(name) != nullptr) {
                parameter.parts.front().tensor = name;
                return;
            }
}

}  // namespace

std::unique_ptr<Model> loadModel(const Checkpoint& checkpoint, std::shared_ptr<Backend> backend,
                                 bool gradients) {
    std::unique_ptr<Model> model = makeModel(readSpec(checkpoint), std::move(backend), gradients,
                                             vitNames(checkpoint.tensors()));
    takeStoredName(*model, checkpoint);
    loadParameters(model->parameters(), checkpoint, model->backend());
    return model;
}

}  // namespace core
