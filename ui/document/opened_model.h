// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/file.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/stats_cache.h"
#include "core/model/spec.h"
#include "ui/models/cell_tensors.h"

#include <QString>

#include <memory>
#include <string>

namespace ui {

/// A checkpoint as the window holds it: headers and architecture, no weights. Immutable, shared
/// between threads.
struct OpenedModel {
    std::string argument;  ///< what the person asked for: a path, RUN or RUN@step
    core::Path path;       ///< the file or folder that was opened
    std::shared_ptr<const core::Checkpoint> checkpoint;
    core::ModelSpec spec;
    CellTensors cells;
    std::shared_ptr<core::StatsCache> statsCache;  ///< for the state in which the files were opened

    /// The last part of the path, for titles.
    QString name() const;
};

/// Opens MODEL (file, folder, RUN, RUN@step): reads headers and checks the config against them.
/// Throws core::Error. Not for the GUI thread.
std::shared_ptr<const OpenedModel> openModel(const std::string& model);

}  // namespace ui
