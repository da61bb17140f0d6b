// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/types.h"
#include "core/tensor/tensor.h"

namespace core {

/// What one call of an op has to do at the very least.
struct OpWork {
    double flops = 0;  ///< of matrix products, 2 per multiply-add; 0 = moves data only
    double bytes = 0;  ///< every tensor once per reading and once per writing
};

/// Bytes of the tensors that are defined; name one twice that is read and written.
template <typename... Tensors>
double bytesOf(const Tensors&... tensors) {
    return (0.0 + ... + (tensors.defined() ? static_cast<double>(tensors.bytes()) : 0.0));
}

/// One product of `rows` rows with a weight [out, in], or with the weights of their experts
/// [E, out, in].
double productFlops(std::int64_t rows, const Tensor& weight);

/// `products` products of every query with the keys that it sees: forward has 2, backward 4 (the
/// scores that it computes again are no work that has to be done).
double attentionFlops(const AttentionShape& shape, const AttentionOptions& options, int products);

/// Rows of an embedding table that one pass over `y` [.., d] reads or writes, each once a token.
double embeddingBytes(const Tensor& y, const Tensor& table);

/// The tables of an assignment.
double assignmentBytes(const Assignment& assignment);

}  // namespace core
