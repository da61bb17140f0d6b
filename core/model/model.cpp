// SPDX-License-Identifier: Apache-2.0
#include "core/model/model.h"

#include "core/base/error.h"
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

std::unique_ptr<Model> makeModel(const ModelSpec& spec, std::shared_ptr<Backend> backend,
                                 bool gradients, const VitNames& names) {
    if (spec.family != Family::Vit)
        throw Error(ErrorKind::BadInput,
                    fmt::format("models of the family {} can be inspected, not computed",
                                familyName(spec.family)),
                    "use a Vision Transformer");
    return std::make_unique<Vit>(spec, std::move(backend), gradients, names);
}

std::unique_ptr<Model> loadModel(const Checkpoint& checkpoint, std::shared_ptr<Backend> backend,
                                 bool gradients) {
    std::unique_ptr<Model> model = makeModel(readSpec(checkpoint), std::move(backend), gradients,
                                             vitNames(checkpoint.tensors()));
    loadParameters(model->parameters(), checkpoint, model->backend());
    return model;
}

}  // namespace core
