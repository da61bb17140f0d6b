// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/model.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace core::test {

/// A small ViT of 4 blocks, dense.
ModelSpec smallVit();

/// Fills a tensor with N(mean, std), seeded.
void fillNormal(const Tensor& tensor, float mean, float std, std::uint64_t seed);

/// A dense model with weights large enough that every part matters.
std::unique_ptr<Model> randomModel(const ModelSpec& spec, std::uint64_t seed,
                                   bool gradients = false);

/// The model that upcycling `dense` makes: named blocks become MoE with copied experts and a router
/// of N(0, routerStd), all else is copied.
std::unique_ptr<Model> upcycle(Model& dense, const std::map<std::string, MoeSpec>& blocks,
                               float routerStd, bool gradients = false);

/// Random images and labels.
Batch randomBatch(const VitSpec& vit, std::int64_t batch, std::uint64_t seed);

MoeSpec expertChoice(std::int64_t experts, double capacity, bool renormalize = true,
                     GroupSize group = {});
/// capacity 0 = dropless
MoeSpec topK(std::int64_t experts, int k, double capacity, bool renormalize = true,
             TopKOrder order = TopKOrder::SoftmaxTopK);

}  // namespace core::test
