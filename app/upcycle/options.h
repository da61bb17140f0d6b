// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/checkpoint.h"
#include "core/ops/backend.h"
#include "core/tensor/dtype.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace upcycle {

/// `--json`.
void addJsonOption(CLI::App& app, bool& json);

/// `--seed`: a whole number from 0 to 2^64 - 1, nothing that would wrap or saturate.
void addSeedOption(CLI::App& app, std::optional<std::uint64_t>& seed, const std::string& help);

/// `--heads` and `--image-size`: what a checkpoint's files do not say.
void addOpenOptions(CLI::App& app, core::OpenOptions& options);

/// MODEL of the command line, opened; what was found on the way is warned of.
std::shared_ptr<const core::Checkpoint> openModel(const std::string& model,
                                                  const core::OpenOptions& options = {});
/// The same of a path (no run).
std::shared_ptr<const core::Checkpoint> openPath(const core::Path& path,
                                                 const core::OpenOptions& options = {});

/// `--device`, `--dtype` and `--threads`.
struct ComputeOptions {
    std::string device = "auto";
    std::string dtype = "f32";
    int threads = 0;
    bool deviceGiven = false, dtypeGiven = false, threadsGiven = false;
};
/// `filled` after parsing: which were given.
void addComputeOptions(CLI::App& app, ComputeOptions& options);

/// `--threads` alone, for work without a device.
void addThreadsOption(CLI::App& app, int& threads);

/// Where and in what to compute.
struct Compute {
    std::shared_ptr<core::Backend> backend;
    core::DType dtype = core::DType::F32;
};

/// As asked for; Device or Usage when it cannot be had.
Compute computeFor(const ComputeOptions& options);

/// "f32" -> DType; Usage names the option.
core::DType dtypeOption(const std::string& option, const std::string& word);

/// "5GB", "500MB", "1GiB", "123" -> bytes, at least 1.
std::uint64_t bytesOption(const std::string& option, const std::string& text);

/// "on" / "off".
bool switchOption(const std::string& option, const std::string& text);

[[noreturn]] void usage(const std::string& message, const std::string& hint);

/// A word of a fixed set, or Usage: "--router best: expected <expected>".
template <typename F>
auto wordOption(const std::string& option, const std::string& word, F fromName,
                const std::string& expected) {
    const auto value = fromName(word);
    if (!value) usage(option + " " + word + " is not known", "give " + expected);
    return *value;
}

/// Makes the path inside "fashion-mnist:DIR", "idx:DIR", "images:DIR" absolute.
std::string absoluteSource(const std::string& source);

}  // namespace upcycle
