// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <string>
#include <vector>

namespace core {

/// Files of a model folder that a conversion takes along as they are: everything that is not a
/// weight file, not config.json or our modelling file (both are written anew), not the state of a
/// training (training.json, optimizer state), not hidden.
struct CarriedFiles {
    std::vector<std::string> names;    ///< sorted
    std::vector<std::string> leftOut;  ///< "NAME (reason)": too large, or a link out of the folder
};

/// None when `folder` has no config.json: then it is no model folder but a place where a file lies.
CarriedFiles carriedFiles(const Path& folder);

}  // namespace core
