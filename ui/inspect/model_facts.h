// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/document/opened_model.h"

#include <QString>

#include <vector>

namespace ui {

/// A line of the overview: "Attention heads", "3".
struct Fact {
    QString name;
    QString value;
};

/// What the checkpoint is: family, numbers of its architecture, format, files.
std::vector<Fact> modelFacts(const OpenedModel& model);

}  // namespace ui
