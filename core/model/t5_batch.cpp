// SPDX-License-Identifier: Apache-2.0
#include "core/model/t5_batch.h"

#include "core/base/error.h"
#include "core/ops/memory.h"
#include "core/tensor/ignored_label.h"

#include <fmt/format.h>

namespace core {
namespace {

constexpr const char* kMasks = "give a mask of the shape of its token numbers, 1 = real";

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
    throw Error(ErrorKind::BadInput, what, hint);
}

void requireShape(const char* name, const Tensor& tensor, DType dtype, const Shape& shape,
                  const char* hint) {
    if (tensor.dtype() != dtype || tensor.shape() != shape)
        refuse(fmt::format("{} are {}, expected {} {}", name, tensor.describe(), dtypeName(dtype),
                           toString(shape)),
               hint);
}

void checkTokens(const char* name, const Tensor& ids, const Tensor& onHost, std::int64_t vocab,
                 bool mayIgnore, Backend& backend) {
    const Tensor host = onHost.defined() ? onHost : ops::readable(backend, ids);
    for (const std::int64_t id : host.span<std::int64_t>())
        if ((id < 0 || id >= vocab) && !(mayIgnore && id == kIgnoredLabel))
            refuse(fmt::format("{} hold the token {}, expected 0 to {}{}", name, id, vocab - 1,
                               mayIgnore ? " or -100 = ignored" : ""),
                   "use the tokenizer that belongs to the model");
}

void checkIds(const char* name, const Tensor& ids, const Tensor& onHost, std::int64_t vocab,
              Backend& backend) {
    if (!ids.defined() || ids.dtype() != DType::I64 || ids.shape().rank() != 2 ||
        ids.elements() < 1)
        refuse(fmt::format("{} are {}, expected I64 [batch, length] with at least one token", name,
                           ids.defined() ? ids.describe() : "missing"),
               "give the token numbers of at least one sequence of at least one token");
    checkTokens(name, ids, onHost, vocab, false, backend);
}

}  // namespace

void checkT5Inputs(const T5Spec& t5, const Batch& batch, Backend& backend) {
    checkIds("input_ids", batch.inputIds, batch.onHost.inputIds, t5.vocab, backend);
    if (batch.inputMask.defined())
        requireShape("attention_mask", batch.inputMask, DType::U8, batch.inputIds.shape(), kMasks);
}

void checkT5Batch(const T5Spec& t5, const Batch& batch, Backend& backend) {
    checkT5Inputs(t5, batch, backend);
    checkIds("decoder_input_ids", batch.decoderInputIds, batch.onHost.decoderInputIds, t5.vocab,
             backend);
    const Shape& decoder = batch.decoderInputIds.shape();
    if (decoder[0] != batch.inputIds.size(0))
        refuse(fmt::format("decoder_input_ids are {} sequences, and input_ids {}", decoder[0],
                           batch.inputIds.size(0)),
               "give one target sequence per input sequence");
    if (batch.decoderMask.defined())
        requireShape("decoder_attention_mask", batch.decoderMask, DType::U8, decoder, kMasks);
    if (!batch.labels.defined()) return;
    requireShape("labels", batch.labels, DType::I64, decoder,
                 "give one label per decoder position (-100 = ignored)");
    checkTokens("labels", batch.labels, batch.onHost.labels, t5.vocab, true, backend);
}

void requireComputable(const T5Spec& t5) {
    if (t5.decoderLayers == 0)
        refuse("an encoder alone (T5EncoderModel) has no logits to compute",
               "give a model with a decoder; this one can be inspected and converted");
    if (t5.encoderLayers == 0)
        refuse("num_layers = 0: a T5 without encoder blocks is not computed",
               "give a model whose encoder has blocks");
    const std::int64_t exact = t5.relativeBuckets / 2;
    if (t5.relativeBuckets < 4 || t5.relativeMaxDistance <= exact)
        refuse(fmt::format("relative_attention_num_buckets = {} and "
                           "relative_attention_max_distance = {}: expected at least 4 buckets and "
                           "a distance above half of them",
                           t5.relativeBuckets, t5.relativeMaxDistance),
               "use the numbers that the model was trained with, such as 32 and 128");
    for (const auto& [key, id] :
         {std::pair("pad_token_id", t5.padToken), std::pair("eos_token_id", t5.eosToken),
          std::pair("decoder_start_token_id", t5.decoderStartToken)})
        if (id < 0 || id >= t5.vocab)
            refuse(fmt::format("config.json: {} = {}, expected 0 to {} (vocab_size - 1)", key, id,
                               t5.vocab - 1),
                   "use the numbers of the model's tokenizer: T5's are 0, 1 and 0");
    if (t5.dropout >= 1)
        refuse(fmt::format("dropout_rate = {}: nothing would be left", t5.dropout),
               "give a rate below 1");
}

}  // namespace core
