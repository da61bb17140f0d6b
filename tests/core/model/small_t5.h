// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/model.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace core::test {

/// A small gated T5 with two blocks a stack; the named blocks are MoE.
ModelSpec smallT5(const std::map<std::string, MoeSpec>& moe = {});

/// Random weights, large enough that every part matters; experts differ.
std::unique_ptr<Model> randomT5(const ModelSpec& spec, std::uint64_t seed, bool gradients = false);

/// Random tokens and labels, all real.
Batch randomText(const T5Spec& t5, std::int64_t sequences, std::int64_t inputs,
                 std::int64_t targets, std::uint64_t seed);

/// U8 [rows, length]: in row i the last padding[i] are 0.
Tensor paddingMask(std::int64_t length, const std::vector<std::int64_t>& padding);

}  // namespace core::test
