// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "core/base/file.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/stats_cache.h"
#include "core/model/spec.h"
#include "ui/models/cell_tensors.h"

#include <QString>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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

/// A model, or the question without whose answer there is none.
struct Opening {
    std::shared_ptr<const OpenedModel> model;
    std::int64_t hiddenWithoutHeads = 0;  ///< no model: its hidden size; the heads are to be asked
};

/// The same with what the person has said; asks where openModel throws for want of heads.
Opening openOrAsk(const std::string& model, const core::OpenOptions& options);

/// Numbers of heads that divide `hidden` into equal ones of 8 to 256 numbers, fewest first.
std::vector<std::int64_t> possibleHeads(std::int64_t hidden);
/// The one of them with 64 numbers a head, as in most models, or next to it; 0 when there are none.
std::int64_t usualHeads(std::int64_t hidden);

}  // namespace ui
