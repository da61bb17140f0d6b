// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/layout/t5_shapes.h"
#include "core/model/t5_config_internal.h"

namespace core {

T5Spec t5FromTensors(const Checkpoint& checkpoint) {
    const T5Shapes shapes = t5Shapes(checkpoint);
    T5Spec t5;
    t5.vocab = shapes.vocab;
    t5.dModel = shapes.dModel;
    t5.encoderLayers = shapes.encoderLayers;
    t5.decoderLayers = shapes.decoderLayers;
    if (shapes.relativeBuckets > 0) t5.relativeBuckets = shapes.relativeBuckets;
    if (shapes.dFf > 0) t5.dFf = shapes.dFf;
    if (shapes.inner > 0) t5.dKv = shapes.inner;
    t5.heads = shapes.heads > 0 && t5.dKv % shapes.heads == 0 ? shapes.heads : 0;
    if (t5.heads > 0) t5.dKv /= t5.heads;
    t5.gated = shapes.gated;
    t5.switchNames = shapes.switchNames;
    t5.activation = t5.gated ? Activation::GeluTanh : Activation::Relu;
    t5.tiedEmbeddings = t5.scaledOutput = !hasT5Head(checkpoint);
    return t5;
}

}  // namespace core
