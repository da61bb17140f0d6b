// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/input_batch.h"

#include "app/upcycle/input_text.h"
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/ops/memory.h"
#include "core/run/job_data.h"
#include "core/tensor/ignored_label.h"
#include "core/training/device_batch.h"

#include <fmt/format.h>

#include <algorithm>

namespace upcycle {
namespace {

using core::Error;
using core::ErrorKind;
using core::Tensor;

constexpr const char* kWanted = "give pixel_values F32 [B, C, H, W] and labels I64 [B]";

core::Shape pixelShape(std::int64_t batch, const core::ModelSpec& spec) {
    return {batch, spec.vit.channels, spec.vit.imageSize, spec.vit.imageSize};
}

Tensor readTensor(const core::Checkpoint& input, const core::TensorInfo& info) {
    Tensor host = Tensor::host(info.shape, info.dtype);
    input.read(info, 0, info.shape.elements(), host.rawSpan());
    return host;
}

[[noreturn]] void refuse(const core::Path& file, const std::string& what) {
    throw Error(ErrorKind::BadInput, file.string() + ": " + what, kWanted);
}

Tensor readPixels(const core::Checkpoint& input, const core::Path& file,
                  const core::ModelSpec& spec) {
    const core::TensorInfo* info = input.find("pixel_values");
    if (info == nullptr) refuse(file, "there is no tensor pixel_values");
    const std::int64_t batch = info->shape.rank() == 4 ? info->shape[0] : 0;
    if (info->dtype != core::DType::F32 || batch < 1 || info->shape != pixelShape(batch, spec))
        refuse(file, fmt::format("pixel_values is {} {}, expected F32 [B, {}, {}, {}]",
                                 core::dtypeName(info->dtype), core::toString(info->shape),
                                 spec.vit.channels, spec.vit.imageSize, spec.vit.imageSize));
    return readTensor(input, *info);
}

Tensor readLabels(const core::Checkpoint& input, const core::Path& file, std::int64_t batch,
                  std::int64_t classes) {
    const core::TensorInfo* info = input.find("labels");
    if (info == nullptr) return {};
    if (info->dtype != core::DType::I64 || info->shape != core::Shape{batch})
        refuse(file, fmt::format("labels is {} {}, expected I64 [{}]", core::dtypeName(info->dtype),
                                 core::toString(info->shape), batch));
    Tensor labels = readTensor(input, *info);
    for (const std::int64_t label : labels.span<std::int64_t>())
        if (label != core::kIgnoredLabel && (label < 0 || label >= classes))
            refuse(file, fmt::format("labels holds {}, expected 0 to {} or {}", label, classes - 1,
                                     core::kIgnoredLabel));
    return labels;
}

}  // namespace

void requireComputableFamily(const core::ModelSpec& spec, const std::string& model) {
    if (spec.family == core::Family::Vit || spec.family == core::Family::T5) return;
    throw Error(ErrorKind::BadInput,
                fmt::format("{} is a {} model: this version computes Vision Transformers and T5",
                            model, core::familyName(spec.family)),
                "give a ViT or T5 checkpoint; others can be inspected and compared");
}

core::Batch readInputBatch(const core::Path& file, const core::ModelSpec& spec,
                           core::Backend& backend) {
    if (spec.family == core::Family::T5) return readTextBatch(file, spec.t5, backend);
    const auto input = core::Checkpoint::open(file);
    const Tensor pixels = readPixels(*input, file, spec);
    const Tensor labels = readLabels(*input, file, pixels.size(0), spec.vit.classes);
    return {core::ops::toDevice(backend, pixels), core::ops::toDevice(backend, labels)};
}

core::Batch readDataBatch(const std::string& source, const core::Path& model, std::int64_t count,
                          const core::ModelSpec& spec, core::Backend& backend) {
    core::JobSpec job = core::defaultJob(model);
    job.data = source;
    job.batch = count;
    const auto data = core::openJobData(job, spec, core::tokenizerFolder(job));
    const std::optional<core::HostBatch> batch = data->pass(data->watchedPart(), 0).batches->next();
    CORE_CHECK(batch.has_value(), "data that are not empty have a batch");
    core::DeviceBatch device(backend);
    return device.upload(*batch, 0, batch->labels.size(0));
}

core::Batch makeRandomBatch(std::int64_t count, const core::ModelSpec& spec,
                            core::Backend& backend) {
    if (spec.family == core::Family::T5) return makeRandomTextBatch(count, spec.t5, backend);
    Tensor pixels = Tensor::host(pixelShape(count, spec));
    const core::CounterRandom random(core::hashName(0, "check"));
    std::uint64_t index = 0;
    for (float& pixel : pixels.span<float>()) pixel = random.normal(index++);
    return {core::ops::toDevice(backend, pixels), {}};
}

}  // namespace upcycle
