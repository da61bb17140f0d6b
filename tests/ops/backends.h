// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace parity {

/// What a factory gives: a backend, or the reason why there is none here.
struct MadeBackend {
    std::unique_ptr<core::Backend> backend;
    std::string absence;
};

/// The backend of the CUDA rows: of the plug-in on a device (cuda_plugin.cpp), or of the host SIMT
/// harness (cuda_simt.cpp); the program's sources decide.
MadeBackend makeCuda();

/// One row of the suite: every test runs for every row.
struct BackendCase {
    std::string name;   ///< "CpuF32": part of the test's name
    core::DType dtype;  ///< of activations and weights
    double tolerance;   ///< largest error / largest value of an F32 tensor
    std::function<MadeBackend()> make;
};

inline void PrintTo(const BackendCase& value, std::ostream* stream) { *stream << value.name; }

const std::vector<BackendCase>& backendCases();

}  // namespace parity
