// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/document/opened_model.h"

#include "core/run/run_directory.h"

#include <algorithm>
#include <cstdlib>

namespace ui {
namespace {

constexpr std::int64_t kSmallestHead = 8;
constexpr std::int64_t kUsualHead = 64;
constexpr std::int64_t kLargestHead = 256;

std::shared_ptr<OpenedModel> begin(const std::string& model, const core::OpenOptions& options) {
    auto opened = std::make_shared<OpenedModel>();
    opened->argument = model;
    opened->path = core::resolveModel(model);
    opened->checkpoint = core::Checkpoint::open(opened->path, options);
    return opened;
}

std::shared_ptr<const OpenedModel> finish(std::shared_ptr<OpenedModel> opened) {
    opened->statsCache =
        std::make_shared<core::StatsCache>(*opened->checkpoint, core::defaultStatsFolder());
    opened->spec = core::readSpec(*opened->checkpoint);
    opened->cells = CellTensors(opened->spec.family, opened->checkpoint->tensors());
    return opened;
}

}  // namespace

QString OpenedModel::name() const {
    core::Path shown = argument;
    if (!shown.has_filename()) shown = shown.parent_path();
    return QString::fromStdString(shown.filename().string());
}

std::shared_ptr<const OpenedModel> openModel(const std::string& model) {
    return finish(begin(model, {}));
}

Opening openOrAsk(const std::string& model, const core::OpenOptions& options) {
    std::shared_ptr<OpenedModel> opened = begin(model, options);
    const core::ModelSpec spec = core::readSpecUnchecked(*opened->checkpoint);
    if (spec.family == core::Family::Vit && spec.vit.heads == 0 &&
        !possibleHeads(spec.vit.hidden).empty())
        return {nullptr, spec.vit.hidden};
    return {finish(std::move(opened)), 0};
}

std::vector<std::int64_t> possibleHeads(std::int64_t hidden) {
    std::vector<std::int64_t> heads;
    for (std::int64_t size = std::min(kLargestHead, hidden); size >= kSmallestHead; --size)
        if (hidden % size == 0) heads.push_back(hidden / size);
    return heads;
}

std::int64_t usualHeads(std::int64_t hidden) {
    const std::vector<std::int64_t> heads = possibleHeads(hidden);
    const auto distance = [hidden](std::int64_t count) {
        return std::abs(hidden / count - kUsualHead);
    };
    const auto nearest =
        std::min_element(heads.begin(), heads.end(),
                         [&](std::int64_t a, std::int64_t b) { return distance(a) < distance(b); });
    return nearest == heads.end() ? 0 : *nearest;
}

}  // namespace ui
