// SPDX-License-Identifier: Apache-2.0
#include "core/run/session.h"

#include "core/base/error.h"
#include "core/run/export.h"
#include "core/run/job_memory.h"
#include "core/run/preprocessor.h"
#include "core/surgery/convert.h"
#include "core/training/optimizer_state_io.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

namespace core {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kScratch = "scratch:";

TrainingState initialState(const JobSpec& job) {
    TrainingState state;
    state.globalStep = job.trainer.schedule.startStep;
    state.data = job.data;
    state.objective = job.objective;
    state.batch = job.batch;
    state.steps = job.trainer.steps;
    state.optimizer = job.trainer.optimizer;
    state.schedule = job.trainer.schedule;
    state.augmentation = job.augmentation;
    state.normalization = job.normalization;
    state.text = job.text;
    state.text.tokenizer.clear();  // it lies beside the model
    state.seed = job.seed;
    return state;
}

/// Model, loader and trainer on a checkpoint; the optimizer's state stays zero.
std::unique_ptr<Session> openSession(const JobSpec& job, const Checkpoint& checkpoint,
                                     TrainingState state, std::shared_ptr<Backend> backend) {
    auto session = std::make_unique<Session>();
    session->state = std::move(state);
    session->model = loadModel(checkpoint, std::move(backend), true, job.dtype);
    const ModelSpec& spec = session->model->spec();
    reserveActivations(*session->model, job);
    session->carried = readCarriedParts(checkpoint, spec, session->model->parameters());
    JobSpec own = job;
    own.text.tokenizer.clear();  // the run's checkpoints have it beside them
    session->data = openJobData(own, spec, checkpoint.folder());
    session->batches = session->data->training(session->state.position);
    TrainerSpec trainer = job.trainer;
    trainer.optimizer = session->state.optimizer;
    trainer.schedule = session->state.schedule;
    trainer.seed = job.seed;
    session->trainer =
        std::make_unique<Trainer>(*session->model, *session->batches, trainer, session->state.step);
    return session;
}

void writeScratchModel(const JobSpec& job, const Path& folder,
                       const std::shared_ptr<Backend>& backend) {
    const Path config = job.model.substr(kScratch.size());
    const std::string text = readTextFile(config);
    const ModelSpec spec = specFromConfig(text, config.string());
    const std::unique_ptr<Model> model = makeModel(spec, backend, false);
    initializeParameters(model->parameters(), job.seed, *backend);
    CarriedParts carried;
    carried.config = text;
    writeModel(folder, *model, model->parameters(), carried);
}

/// The job's tokenizer beside a model of texts, in the place of any other.
void placeTokenizer(const JobSpec& job, const Path& folder) {
    std::optional<Path> file = Path(job.text.tokenizer);
    if (job.text.tokenizer.empty()) {
        if (Tokenizer::findIn(folder)) return;
        file = Tokenizer::findIn(tokenizerFolder(job));
    } else if (fs::is_directory(*file)) {
        file = Tokenizer::findIn(*file);
    }
    if (!file) return;  // synthetic tokens need none, and nothing else was let through
    while (const std::optional<Path> old = Tokenizer::findIn(folder)) fs::remove(*old);
    const bool json = file->extension() == ".json";
    fs::copy_file(*file, folder / (json ? "tokenizer.json" : "spiece.model"));
    const Path settings = file->parent_path() / "tokenizer_config.json";
    if (fs::exists(settings))
        fs::copy_file(settings, folder / "tokenizer_config.json",
                      fs::copy_options::overwrite_existing);
}

/// Runs the executor into a folder inside `folder` and moves what it made up.
void writeConvertedModel(const JobSpec& job, const Path& folder, const std::atomic<bool>& cancel) {
    const auto source = Checkpoint::open(job.model);
    ConvertOptions options;
    options.dtype = DType::F32;
    options.notCarried = modelCardFiles(source->folder());
    const Path inner = folder / "converted";
    convertCheckpoint(
        *source, job.plan.value_or(SurgeryPlan{}), inner, options, [](const ConvertProgress&) {},
        cancel);
    for (const auto& entry : fs::directory_iterator(inner)) {
        const std::string name = entry.path().filename().string();
        if (name == "training.json" || name == "optimizer.safetensors") continue;
        fs::rename(entry.path(), folder / name);
    }
    fs::remove_all(inner);
}

/// Which dense tensor each tensor of the upcycled model takes its moments from.
MomentSources momentSources(const JobSpec& job, const Checkpoint& source) {
    MomentSources sources;
    if (!job.plan) return sources;
    const PlanReport report = compilePlan(readSpec(source), source.tensors(), *job.plan);
    for (const TensorRecipe& recipe : report.recipes) {
        const bool fresh = recipe.source == TensorRecipe::Source::Router ||
                           recipe.source == TensorRecipe::Source::Random;
        sources[recipe.output.name] = fresh ? std::string() : recipe.input;
    }
    return sources;
}

void carryMoments(const JobSpec& job, Session& session) {
    const auto source = Checkpoint::open(job.model);
    const auto moments = Checkpoint::open(source->folder() / "optimizer.safetensors");
    loadOptimizerState(session.trainer->optimizer(), session.model->parameters(),
                       session.model->backend(), *moments, momentSources(job, *source),
                       job.trainer.schedule.startStep);
}

}  // namespace

ImageShape imageShape(const ModelSpec& spec) {
    return {spec.vit.channels, spec.vit.imageSize, spec.vit.imageSize};
}

LoaderOptions loaderOptions(const JobSpec& job, const ModelSpec& spec) {
    LoaderOptions options;
    options.batch = job.batch;
    options.shape = imageShape(spec);
    options.normalization = job.normalization;
    options.augmentation = job.augmentation;
    options.seed = job.seed;
    return options;
}

std::unique_ptr<Session> resumeSession(const RunDirectory& run, const JobSpec& job,
                                       std::int64_t step, std::shared_ptr<Backend> backend) {
    const Path folder = run.checkpointFolder(step);
    const auto checkpoint = Checkpoint::open(folder);
    std::optional<TrainingState> state = readTrainingState(folder);
    CORE_CHECK(state.has_value(), "a whole checkpoint has training.json");
    auto session = openSession(job, *checkpoint, std::move(*state), std::move(backend));
    std::error_code code;
    const Path moments = folder / "optimizer.safetensors";
    if (fs::exists(moments, code))
        loadOptimizerState(session->trainer->optimizer(), session->model->parameters(),
                           session->model->backend(), *Checkpoint::open(moments), {},
                           session->state.globalStep);
    return session;
}

std::unique_ptr<Session> startSession(const RunDirectory& run, const JobSpec& job,
                                      const std::shared_ptr<Backend>& backend,
                                      const std::atomic<bool>& cancel) {
    fs::create_directories(run.checkpointsFolder());
    AtomicTarget target(run.checkpointFolder(0), AtomicTarget::Kind::Directory, true);
    const Path& folder = target.temporary();
    const bool scratch = job.model.starts_with(kScratch);
    if (scratch)
        writeScratchModel(job, folder, backend);
    else
        writeConvertedModel(job, folder, cancel);
    if (job.objective == Objective::Classify)
        writePreprocessor(folder, job.normalization,
                          imageShape(readSpec(*Checkpoint::open(folder))));
    else
        placeTokenizer(job, folder);
    auto session = openSession(job, *Checkpoint::open(folder), initialState(job), backend);
    if (!scratch && job.optimizerState == OptimizerStateMode::Carry) {
        carryMoments(job, *session);
        writeOptimizerState(folder, session->model->parameters(), session->trainer->optimizer(),
                            *backend);
    }
    session->state.files = sumFiles(folder);
    writeTextFile(folder / "training.json", toJson(session->state));
    target.commit();
    return session;
}

std::string saveSession(const RunDirectory& run, Session& session) {
    TrainingState& state = session.state;
    state.step = session.trainer->stepsDone();
    state.globalStep = state.schedule.startStep + state.step;
    state.position = session.batches->position();
    state.lr = learningRate(state.schedule, std::max<std::int64_t>(state.step - 1, 0), state.steps);
    const Path path = run.checkpointFolder(state.step);
    std::vector<Parameter>& parameters = session.model->parameters();
    Optimizer& optimizer = session.trainer->optimizer();
    requireDiskBytes(path, runCheckpointBytes(parameters, optimizer, session.carried),
                     "a checkpoint");
    AtomicTarget target(path, AtomicTarget::Kind::Directory, true);
    writeRunCheckpoint(target.temporary(), *session.model, parameters, optimizer, session.carried,
                       state);
    target.commit();
    return fs::relative(path, run.path()).string();
}

void pruneCheckpoints(const RunDirectory& run, int keep) {
    if (keep <= 0) return;
    const std::vector<std::int64_t> steps = run.checkpoints();
    std::error_code ignored;
    for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < steps.size(); ++i) {
        const Path folder = run.checkpointFolder(steps[i]);
        const Path doomed =
            folder.parent_path() / fmt::format(".{}.tmp-deleted", folder.filename().string());
        fs::rename(folder, doomed, ignored);
        fs::remove_all(doomed, ignored);
    }
}

void removeLeftovers(const RunDirectory& run) {
    std::error_code ignored;
    std::vector<Path> leftovers;
    for (const auto& entry : fs::directory_iterator(run.checkpointsFolder(), ignored))
        if (entry.path().filename().string().find(".tmp") != std::string::npos)
            leftovers.push_back(entry.path());
    for (const Path& path : leftovers) fs::remove_all(path, ignored);
}

}  // namespace core
