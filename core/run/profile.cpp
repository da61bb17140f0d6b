// SPDX-License-Identifier: Apache-2.0
#include "core/run/profile.h"

#include "core/base/error.h"
#include "core/ops/linear.h"
#include "core/ops/memory.h"
#include "core/run/device.h"
#include "core/run/job_data.h"
#include "core/run/job_memory.h"
#include "core/run/memory.h"
#include "core/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace core {
namespace {

constexpr std::int64_t kWarmUp = 2;
constexpr double kCeilingSeconds = 0.5;
constexpr std::int64_t kSmallestProduct = 1024;
constexpr std::int64_t kLargestProduct = 8192;
constexpr double kLongProduct = 0.02;
constexpr std::int64_t kCopiedFloats = std::int64_t{1} << 25U;

double secondsOf(Backend& backend, const std::function<void()>& work) {
    backend.synchronize();
    const auto begin = std::chrono::steady_clock::now();
    work();
    backend.synchronize();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Least time of a call, of as many as fit into half a second.
double leastSeconds(Backend& backend, const std::function<void()>& work) {
    double least = secondsOf(backend, work);
    for (double spent = least; spent < kCeilingSeconds;) {
        const double one = secondsOf(backend, work);
        least = std::min(least, one);
        spent += one;
    }
    return least;
}

Tensor filled(Backend& backend, const Shape& shape, DType dtype, float value) {
    const auto bytes = static_cast<std::size_t>(shape.elements()) * dtypeBytes(dtype);
    const Tensor tensor(backend.allocate(bytes), 0, shape, dtype);
    ops::fill(backend, tensor, value);
    return tensor;
}

/// Of a square product, as large as the device needs to be busy for 20 ms.
double productRate(Backend& backend, DType dtype) {
    for (std::int64_t n = kSmallestProduct;; n *= 2) {
        const Tensor x = filled(backend, {n, n}, dtype, 0.5F);
        const Tensor weight = filled(backend, {n, n}, dtype, 0.25F);
        const Tensor y = filled(backend, {n, n}, dtype, 0.0F);
        const auto product = [&] { ops::linearForward(backend, y, x, weight); };
        const double first = std::min(secondsOf(backend, product), secondsOf(backend, product));
        if (first < kLongProduct && n < kLargestProduct) continue;
        return productFlops(n, weight) / leastSeconds(backend, product);
    }
}

double copyRate(Backend& backend) {
    const Tensor from = filled(backend, {kCopiedFloats}, DType::F32, 1.0F);
    const Tensor into = filled(backend, {kCopiedFloats}, DType::F32, 0.0F);
    return bytesOf(from, into) / leastSeconds(backend, [&] { ops::copy(backend, into, from); });
}

bool startsAtRandom(const JobSpec& job) { return job.plan || job.model.starts_with("scratch:"); }

std::unique_ptr<Model> makeTrained(const JobSpec& job, const ModelSpec& spec,
                                   const std::shared_ptr<Backend>& backend) {
    if (!startsAtRandom(job))
        return loadModel(*Checkpoint::open(job.model), backend, true, job.dtype);
    std::unique_ptr<Model> model = makeModel(spec, backend, true, {}, job.dtype);
    initializeParameters(model->parameters(), job.seed, *backend);
    return model;
}

StepMetrics oneStep(Trainer& trainer) {
    StepMetrics metrics = trainer.step();
    if (metrics.applied) return metrics;
    throw Error(ErrorKind::BadInput, "the loss of the model on these data is not finite",
                "check the model with upcycle inspect --stats, or give other data");
}

MemoryUse memoryOf(Model& model, Trainer& trainer, const ProfilingBackend& backend) {
    MemoryUse use;
    for (const Parameter& parameter : model.parameters()) {
        use.parameters += parameter.value.bytes();
        use.gradients += parameter.gradient.bytes();
        if (parameter.bf16.defined()) use.copies += parameter.bf16.bytes();
    }
    for (const OptimizerState& state : trainer.optimizer().state())
        use.optimizer += state.value.bytes();
    use.activations = model.workspace().peakBytes();
    const std::uint64_t named = use.parameters + use.gradients + use.optimizer + use.copies +
                                model.workspace().capacityBytes();
    use.other = backend.liveBytes() - std::min<std::uint64_t>(backend.liveBytes(), named);
    use.allocated = backend.peakBytes();
    use.process = peakProcessBytes();
    return use;
}

double medianOf(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

}  // namespace

double floorSeconds(const OpProfile& op, const Ceilings& ceilings) {
    return std::max(op.work.flops / ceilings.flops, op.work.bytes / ceilings.bytes);
}

StepProfile profileJob(const JobSpec& job, std::int64_t steps,
                       const std::function<void(std::int64_t done)>& progress) {
    validateNumbers(job, "the job");
    requireComputable(job.dtype);
    std::vector<std::string> ignored;
    const ModelSpec spec = trainedSpec(job, ignored);
    requireJobMemory(job, spec, deviceMemory(job.device));
    const std::unique_ptr<JobData> data = openJobData(job, spec, tokenizerFolder(job));

    const auto backend =
        std::make_shared<ProfilingBackend>(makeBackend(job.device, job.threads).backend);
    const std::unique_ptr<Model> model = makeTrained(job, spec, backend);
    const std::unique_ptr<BatchSource> batches = data->training({});
    TrainerSpec trainerSpec = job.trainer;
    trainerSpec.steps = std::max(trainerSpec.steps, kWarmUp + 2 * steps);
    reserveActivations(*model, job);
    Trainer trainer(*model, *batches, trainerSpec, 0);

    StepProfile profile;
    profile.device = backend->description();
    if (const std::string how = howComputed(job.dtype, *backend); !how.empty())
        profile.device += "; " + how;
    profile.randomWeights = startsAtRandom(job);
    profile.steps = steps;
    std::int64_t done = 0;
    const auto step = [&] {
        const StepMetrics metrics = oneStep(trainer);
        profile.examples = metrics.examples;
        profile.tokens = metrics.tokens;
        progress(++done);
        return metrics.seconds;
    };
    for (std::int64_t i = 0; i < kWarmUp; ++i) step();
    std::vector<double> seconds;
    for (std::int64_t i = 0; i < steps; ++i) seconds.push_back(step());
    profile.seconds = medianOf(std::move(seconds));
    backend->setRecording(true);
    for (std::int64_t i = 0; i < steps; ++i)
        profile.opByOpSeconds += step() / static_cast<double>(steps);
    backend->setRecording(false);
    profile.ops = backend->profile();
    std::stable_sort(profile.ops.begin(), profile.ops.end(),
                     [](const OpProfile& a, const OpProfile& b) { return a.seconds > b.seconds; });
    profile.memory = memoryOf(*model, trainer, *backend);
    profile.memory.planned = jobMemoryBytes(job, spec);
    profile.ceilings = {productRate(*backend, job.dtype), copyRate(*backend)};
    return profile;
}

}  // namespace core
