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
        Tensor hostMask{};    ///< the same on the host, where it is there
        Tensor memory{};      ///< decoder: the encoder's output [sequences * S, d]
        Tensor memoryMask{};  ///< decoder: U8 [sequences, S] or undefined
        Dropout dropout{};
    };
    struct Saved {
        Tensor ids;
        Shape biasShape;                     ///< [heads, length, length]
        std::vector<T5Block::Saved> blocks;  ///< none where `inputs` are there
        std::vector<Tensor> inputs;          ///< of each block, to compute again from
        T5Block::Context context;
        RmsNorm::Saved norm;
        Dropout dropout;
    };
    /// y [sequences * length, d] is overwritten; routers and outputs go into `result`.
    Saved forward(const Pass& pass, Out y, const Input& input, const ForwardOptions& options,
                  ForwardResult& result) const;
    /// What a decoder keeps between the steps of a generation.
    struct Cache {
        std::vector<T5Block::Cache> blocks;
        Tensor memoryMask{};  ///< U8 [inputs, S] or undefined
        std::int64_t inputs = 0;
        std::int64_t steps = 0;  ///< done
    };
    /// Of `rows` sequences of up to `steps` tokens over the encoder's output, the rows of one input
    /// side by side.
    Cache makeCache(const Pass& pass, Workspace& place, const Tensor& memory,
                    const Tensor& memoryMask, std::int64_t inputs, std::int64_t rows,
                    std::int64_t steps) const;
    /// y [rows, d] is what forward gives at the next position, where the token is ids I64 [rows];
    /// the routers' capacity does not bind.
    void step(const Pass& pass, Out y, const Tensor& ids, Cache& cache) const;
    /// `dy` is used up; dMemory is accumulated (undefined for an encoder); dAux, dZ per layer.
    void backward(const Pass& pass, const Saved& saved, InOut dy, InOut dMemory, float dAux,
                  float dZ) const;

  private:
    Tensor runBlocks(const Pass& pass, Tensor x, const T5Block::Context& context,
                     const ForwardOptions& options, ForwardResult& result, Saved& saved) const;

    void backwardBlock(const Pass& pass, const Saved& saved, std::size_t block, InOut dy,
                       const T5Block::Shared& shared, float dAux, float dZ) const;

    std::string name_;
    const Parameter* embedding_;
    const Parameter* biasTable_;
    RelativeBuckets buckets_;
    std::vector<T5Block> blocks_;
    RmsNorm norm_;
};

}  // namespace core
