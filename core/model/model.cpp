// SPDX-License-Identifier: Apache-2.0
#include "core/model/model.h"

#include "core/base/error.h"
#include "core/model/t5.h"
#include "core/model/vit.h"
#include "core/ops/memory.h"
#include "core/tensor/arena.h"

#include <fmt/format.h>

namespace core {

Model::Model(std::shared_ptr<Backend> backend, DType computeType)
    : backend_(std::move(backend)),
      computeType_(computeType),
      workspace_([b = backend_](std::size_t bytes) { return b->allocate(bytes); }) {}

void Model::zeroGradients() {
    std::vector<Tensor> gradients;
    for (const Parameter& p : parameters()) gradients.push_back(p.gradient);
    for (const Tensor& all : joined(std::move(gradients))) ops::fill(*backend_, all, 0.0F);
}

void refreshCopies(const std::vector<Parameter>& parameters, Backend& backend) {
    for (const Parameter& p : parameters)
        if (p.bf16.defined()) ops::copy(backend, p.bf16, p.value);
}

std::unique_ptr<Decoding> Model::startDecoding(const Batch&, std::int64_t, std::int64_t) {
    throw Error(ErrorKind::BadInput,
                fmt::format("a {} model generates no text", familyName(spec().family)), "use a T5");
}

std::unique_ptr<Model> makeModel(const ModelSpec& spec, std::shared_ptr<Backend> backend,
                                 bool gradients, const VitNames& names, DType dtype) {
    CORE_CHECK(dtype == DType::F32 || dtype == DType::BF16, "F32 or BF16 to compute in");
    if (spec.family == Family::T5)
        return std::make_unique<T5>(spec, std::move(backend), gradients, dtype);
    if (spec.family != Family::Vit)
        throw Error(ErrorKind::BadInput,
                    fmt::format("models of the family {} can be inspected, not computed",
                                familyName(spec.family)),
                    "use a Vision Transformer or a T5");
    return std::make_unique<Vit>(spec, std::move(backend), gradients, names, dtype);
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
                                 bool gradients, DType dtype) {
    std::unique_ptr<Model> model = makeModel(readSpec(checkpoint), std::move(backend), gradients,
                                             vitNames(checkpoint.tensors()), dtype);
    takeStoredName(*model, checkpoint);
    loadParameters(model->parameters(), checkpoint, model->backend());
    return model;
}

}  // namespace core
