// SPDX-License-Identifier: Apache-2.0
#include "core/run/run_directory.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/run/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace core {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStepPrefix = "step-";

std::optional<std::int64_t> parseStep(std::string_view text) {
    if (text.starts_with(kStepPrefix)) text.remove_prefix(kStepPrefix.size());
    std::int64_t step = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
    if (error != std::errc() || end != text.data() + text.size() || step < 0) return std::nullopt;
    return step;
}

bool isWhole(const Path& folder) {
    std::error_code code;
    return fs::exists(folder / "training.json", code) &&
           (fs::exists(folder / "model.safetensors", code) ||
            fs::exists(folder / "model.safetensors.index.json", code));
}

Path makeRunFolder(const Path& path, const JobSpec& job) {
    std::error_code code;
    const bool exists = fs::exists(fs::symlink_status(path, code));
    if (exists && !(fs::is_directory(path, code) && fs::is_empty(path, code)))
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} exists already and is not an empty folder", path.string()),
                    "choose another name for the run");
    AtomicTarget target(path, AtomicTarget::Kind::Directory, exists);
    writeTextFile(target.temporary() / "job.json", toJson(job));
    fs::create_directory(target.temporary() / "checkpoints");
    target.commit();
    return target.target();
}

std::string listSteps(const std::vector<std::int64_t>& steps) {
    if (steps.empty()) return "it has none yet";
    std::string text = "it has";
    for (const std::int64_t step : steps) text += fmt::format(" {}", step);
    return text;
}

}  // namespace

RunDirectory RunDirectory::create(const Path& path, const JobSpec& job) {
    return RunDirectory(makeRunFolder(path, job));
}

RunDirectory RunDirectory::open(const Path& path) {
    std::error_code code;
    if (!fs::exists(path, code))
        throw Error(ErrorKind::BadInput, fmt::format("{} does not exist", path.string()),
                    "make a run with: upcycle new RUN --model MODEL --data SOURCE");
    if (!isRun(path))
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} is not a run directory (no job.json)", path.string()),
                    "make a run with: upcycle new RUN --model MODEL --data SOURCE");
    RunDirectory run(path);
    run.job();
    return run;
}

bool RunDirectory::isRun(const Path& path) noexcept {
    std::error_code code;
    return fs::is_regular_file(path / "job.json", code);
}

JobSpec RunDirectory::job() const {
    return jobFromJson(readTextFile(jobFile()), jobFile().string());
}

Path RunDirectory::checkpointFolder(std::int64_t step) const {
    return checkpointsFolder() / fmt::format("{}{:08}", kStepPrefix, step);
}

std::vector<std::int64_t> RunDirectory::checkpoints() const {
    std::vector<std::int64_t> steps;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(checkpointsFolder(), code)) {
        const std::string name = entry.path().filename().string();
        const std::optional<std::int64_t> step = parseStep(name);
        if (step && entry.path() == checkpointFolder(*step) && isWhole(entry.path()))
            steps.push_back(*step);
    }
    std::sort(steps.begin(), steps.end());
    return steps;
}

void RunDirectory::order(const std::string& command, const std::string& argument) const {
    appendOrder(controlFile(), Order{command, argument});
}

Path resolveModel(const std::string& model) {
    std::error_code code;
    if (const Path path(model); fs::exists(path, code)) {
        if (!RunDirectory::isRun(path)) return path;
        const RunDirectory run = RunDirectory::open(path);
        const std::vector<std::int64_t> steps = run.checkpoints();
        if (steps.empty())
            throw Error(ErrorKind::BadInput, fmt::format("{} has no checkpoint yet", path.string()),
                        "train it first, with: upcycle train " + path.string());
        return run.checkpointFolder(steps.back());
    }
    const std::size_t at = model.rfind('@');
    if (at == std::string::npos || !RunDirectory::isRun(model.substr(0, at))) return model;
    const RunDirectory run = RunDirectory::open(model.substr(0, at));
    const std::vector<std::int64_t> steps = run.checkpoints();
    const std::optional<std::int64_t> step = parseStep(std::string_view(model).substr(at + 1));
    if (!step || std::find(steps.begin(), steps.end(), *step) == steps.end())
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} has no checkpoint {}", run.path().string(),
                                printable(model.substr(at + 1))),
                    "name one of its checkpoints by its step: " + listSteps(steps));
    return run.checkpointFolder(*step);
}

}  // namespace core
