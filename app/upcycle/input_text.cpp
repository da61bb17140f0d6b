// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/input_text.h"

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/checkpoint/checkpoint.h"
#include "core/data/text_examples.h"
#include "core/model/t5_batch.h"
#include "core/ops/memory.h"

#include <fmt/format.h>

#include <algorithm>

namespace upcycle {
namespace {

using core::DType;
using core::Error;
using core::ErrorKind;
using core::Tensor;

constexpr const char* kWanted =
    "give I64 input_ids [B, S] and labels or decoder_input_ids [B, T]; attention_mask and "
    "decoder_attention_mask may be left out";
constexpr std::int64_t kRandomInputs = 64;
constexpr std::int64_t kRandomTargets = 32;

[[noreturn]] void refuse(const core::Path& file, const std::string& what) {
    throw Error(ErrorKind::BadInput, file.string() + ": " + what, kWanted);
}

/// Undefined when the file has no such tensor.
Tensor readNumbers(const core::Checkpoint& input, const core::Path& file, const char* name) {
    const core::TensorInfo* info = input.find(name);
    if (info == nullptr) return {};
    if (info->dtype != DType::I64 || info->shape.rank() != 2)
        refuse(file, fmt::format("{} is {} {}, expected I64 [batch, length]", name,
                                 core::dtypeName(info->dtype), core::toString(info->shape)));
    Tensor host = Tensor::host(info->shape, info->dtype);
    input.read(*info, 0, info->shape.elements(), host.rawSpan());
    return host;
}

Tensor readMask(const core::Checkpoint& input, const core::Path& file, const char* name) {
    const Tensor numbers = readNumbers(input, file, name);
    if (!numbers.defined()) return {};
    Tensor mask = Tensor::host(numbers.shape(), DType::U8);
    auto* into = mask.data<std::uint8_t>();
    for (const std::int64_t value : numbers.span<std::int64_t>()) {
        if (value != 0 && value != 1)
            refuse(file, fmt::format("{} holds {}, expected 0 or 1", name, value));
        *into++ = static_cast<std::uint8_t>(value);
    }
    return mask;
}

Tensor randomTokens(const core::Shape& shape, std::int64_t vocab, const char* name) {
    Tensor tokens = Tensor::host(shape, DType::I64);
    const core::CounterRandom random(core::hashName(0, name));
    std::uint64_t index = 0;
    for (std::int64_t& token : tokens.span<std::int64_t>())
        token = static_cast<std::int64_t>(random.below(index++, static_cast<std::uint64_t>(vocab)));
    return tokens;
}

core::Batch onDevice(const core::Batch& host, core::Backend& backend) {
    using core::ops::toDevice;
    core::Batch batch;
    batch.labels = toDevice(backend, host.labels);
    batch.inputIds = toDevice(backend, host.inputIds);
    batch.inputMask = toDevice(backend, host.inputMask);
    batch.decoderInputIds = toDevice(backend, host.decoderInputIds);
    batch.decoderMask = toDevice(backend, host.decoderMask);
    return batch;
}

}  // namespace

core::Batch readTextBatch(const core::Path& file, const core::T5Spec& t5, core::Backend& backend) {
    const auto input = core::Checkpoint::open(file);
    core::Batch host;
    host.inputIds = readNumbers(*input, file, "input_ids");
    host.labels = readNumbers(*input, file, "labels");
    host.decoderInputIds = readNumbers(*input, file, "decoder_input_ids");
    if (!host.inputIds.defined()) refuse(file, "there is no tensor input_ids");
    if (!host.decoderInputIds.defined() && !host.labels.defined())
        refuse(file, "there is neither labels nor decoder_input_ids");
    if (!host.decoderInputIds.defined())
        host.decoderInputIds = core::shiftRight(host.labels, t5.decoderStartToken, t5.padToken);
    host.inputMask = readMask(*input, file, "attention_mask");
    host.decoderMask = readMask(*input, file, "decoder_attention_mask");
    try {
        core::checkT5Batch(t5, host, backend);
    } catch (const Error& error) {
        throw Error(error.kind(), file.string() + ": " + error.what(), error.hint());
    }
    return onDevice(host, backend);
}

core::Batch makeRandomTextBatch(std::int64_t count, const core::T5Spec& t5,
                                core::Backend& backend) {
    core::Batch host;
    host.inputIds = randomTokens({count, kRandomInputs}, t5.vocab, "check inputs");
    host.decoderInputIds = randomTokens({count, kRandomTargets}, t5.vocab, "check targets");
    return onDevice(host, backend);
}

}  // namespace upcycle
