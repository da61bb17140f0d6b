// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/model.h"
#include "core/model/t5_block.h"
#include "core/ops/relative_bias.h"

#include <string>
#include <vector>

namespace core {

/// Encoder or decoder of a T5: embedding -> dropout -> blocks -> norm -> dropout. The relative
/// position bias is block 0's, and every block adds it to its self-attention's scores.
class T5Stack {
  public:
    /// `biasTable` [buckets, heads]
    T5Stack(std::string name, const Parameter& embedding, const Parameter& biasTable,
            const RelativeBuckets& buckets, std::vector<T5Block> blocks, const RmsNorm& norm);

    struct Input {
        Tensor ids;  ///< I64 [sequences * length]
        std::int64_t sequences = 0;
        Tensor mask{};        ///< U8 [sequences, length] or undefined
        Tensor memory{};      ///< decoder: the encoder's output [sequences * S, d]
        Tensor memoryMask{};  ///< decoder: U8 [sequences, S] or undefined
        Dropout dropout{};
    };
    struct Saved {
        Tensor ids;
        Shape biasShape;  ///< [heads, length, length]
        std::vector<T5Block::Saved> blocks;
        RmsNorm::Saved norm;
        Dropout dropout;
    };
    /// y [sequences * length, d] is overwritten; routers and outputs go into `result`, whose losses
    /// are means over `moeBlocks`.
    Saved forward(const Pass& pass, Out y, const Input& input, const ForwardOptions& options,
                  std::int64_t moeBlocks, ForwardResult& result) const;
    /// `dy` is used up; dMemory is accumulated (undefined for an encoder); dAux, dZ per layer.
    void backward(const Pass& pass, const Saved& saved, InOut dy, InOut dMemory, float dAux,
                  float dZ) const;

  private:
    Tensor runBlocks(const Pass& pass, Tensor x, const T5Block::Context& context,
                     const ForwardOptions& options, std::int64_t moeBlocks, ForwardResult& result,
                     Saved& saved) const;

    std::string name_;
    const Parameter* embedding_;
    const Parameter* biasTable_;
    RelativeBuckets buckets_;
    std::vector<T5Block> blocks_;
    RmsNorm norm_;
};

}  // namespace core
