// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/training_memory_internal.h"

#include <algorithm>

namespace core {
namespace {

/// 4-byte words of an id or label.
constexpr double kIdWords = 2;
/// Of a byte of a mask.
constexpr double kMaskWords = 0.25;

/// One stack on `sequences` sequences of `length` tokens; a decoder sees `keys` tokens of each
/// input besides.
struct Stack {
    const T5Spec& t5;
    std::int64_t sequences;
    std::int64_t length;
    std::int64_t keys;  ///< 0 in the encoder
    const StepSettings& settings;

    double rows() const { return static_cast<double>(sequences * length); }
    double memoryRows() const { return static_cast<double>(sequences * keys); }
    double words() const { return wordsOf(settings); }
    double states() const { return words() * rows() * static_cast<double>(t5.dModel); }
    double heads() const { return static_cast<double>(t5.heads); }
    double width() const { return words() * static_cast<double>(t5.heads * t5.dKv); }
    double bias() const {
        return heads() * static_cast<double>(length) * static_cast<double>(length);
    }

    /// Attention and its norm: the normed input and the sum with the residual, 1/rms, q and o, k
    /// and v, log of the sums of exponentials.
    double attention(double keyRows) const {
        return 2 * states() + rows() + 2 * (rows() + keyRows) * width() + rows() * heads();
    }
    /// Gradients of the sublayer's output and input, of o, q, k, v, and of what k and v came from.
    double attentionBackward(double keyRows) const {
        return 2 * states() + 2 * (rows() + keyRows) * width() +
               words() * keyRows * static_cast<double>(t5.dModel);
    }

    Activations block(const BlockSpec& spec) const {
        const MlpShape shape{static_cast<double>(t5.dModel), static_cast<double>(t5.dFf), t5.gated,
                             t5.activation == Activation::Relu};
        const Activations mlp = mlpActivations(spec, shape, sequences, length, settings);
        Activations sum;
        sum.kept = attention(rows()) + 2 * states() + rows() + mlp.kept;
        sum.transient = std::max(2 * states() + mlp.transient, attentionBackward(rows()));
        if (keys > 0) {
            sum.kept += attention(memoryRows());
            sum.transient = std::max(sum.transient, attentionBackward(memoryRows()));
        }
        return sum;
    }

    /// All of it: position bias, embedded tokens, blocks, the last norm and its result; backward
    /// adds the bias' gradient.
    Activations all(const ModelSpec& spec) const {
        Activations sum{bias() + 2 * states() + rows(), 0};
        for (const BlockSpec& one : spec.blocks) {
            if ((one.stack == "decoder") != (keys > 0)) continue;
            Activations needed = block(one);
            needed.transient += bias();
            addBlock(sum, needed, states(), settings);
        }
        return sum;
    }
};

}  // namespace

/// The terms follow core/model (t5.cpp, t5_stack.cpp, t5_block.cpp and its layers).
Activations t5Activations(const ModelSpec& spec, std::int64_t batch, const TextLengths& lengths,
                          const StepSettings& settings) {
    const Stack inputs{spec.t5, batch, lengths.inputs, 0, settings};
    const Stack targets{spec.t5, batch, lengths.targets, lengths.inputs, settings};
    const double logits = wordsOf(settings) * targets.rows() * static_cast<double>(spec.t5.vocab);
    const double given = (inputs.rows() + targets.rows()) * (kIdWords + kMaskWords) +
                         targets.rows() * kIdWords;  // the labels
    constexpr double kPlaces = 2;                    // DeviceBatch
    const Activations encoder = inputs.all(spec);
    const Activations decoder = targets.all(spec);
    Activations sum;
    sum.kept = kPlaces * given + encoder.kept + decoder.kept + logits + 2 * targets.rows();
    sum.transient = inputs.states() + targets.states() +
                    std::max({logits, encoder.transient, decoder.transient});
    return sum;
}

}  // namespace core
