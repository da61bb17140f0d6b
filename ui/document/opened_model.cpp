// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/document/opened_model.h"

#include "core/run/run_directory.h"

namespace ui {

QString OpenedModel::name() const {
    core::Path shown = argument;
    if (!shown.has_filename()) shown = shown.parent_path();
    return QString::fromStdString(shown.filename().string());
}

std::shared_ptr<const OpenedModel> openModel(const std::string& model) {
    auto opened = std::make_shared<OpenedModel>();
    opened->argument = model;
    opened->path = core::resolveModel(model);
    opened->checkpoint = core::Checkpoint::open(opened->path);
    opened->statsCache =
        std::make_shared<core::StatsCache>(*opened->checkpoint, core::defaultStatsFolder());
    opened->spec = core::readSpec(*opened->checkpoint);
    opened->cells = CellTensors(opened->spec.family, opened->checkpoint->tensors());
    return opened;
}

}  // namespace ui
