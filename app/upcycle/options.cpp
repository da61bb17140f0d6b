// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/options.h"

#include "app/upcycle/output.h"
#include "core/base/text.h"
#include "core/data/text_files.h"
#include "core/run/device.h"
#include "core/run/run_directory.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace upcycle {
namespace {

CLI::Option* addThreads(CLI::App& app, int& threads) {
    return app.add_option("--threads", threads, "CPU threads, 0 = all [0]")
        ->check(CLI::Range(0, 4096));
}

}  // namespace

void usage(const std::string& message, const std::string& hint) {
    throw core::Error(core::ErrorKind::Usage, message, hint);
}

void addJsonOption(CLI::App& app, bool& json) {
    app.add_flag("--json", json, "Print one JSON document on stdout");
}

void addSeedOption(CLI::App& app, std::optional<std::uint64_t>& seed, const std::string& help) {
    app.add_option_function<std::string>(
        "--seed",
        [&seed](const std::string& text) {
            std::uint64_t value = 0;
            const char* const last = text.data() + text.size();
            const auto [end, error] = std::from_chars(text.data(), last, value);
            if (error != std::errc() || end != last)
                usage(fmt::format("--seed {} is not a seed", core::printable(text)),
                      "give a whole number from 0 to 18446744073709551615");
            seed = value;
        },
        help);
}

void addOpenOptions(CLI::App& app, core::OpenOptions& options) {
    app.add_option("--heads", options.heads,
                   "Attention heads, where the files do not say (hidden size / 64 in most models)")
        ->check(CLI::Range(1, 1 << 20));
    app.add_option("--image-size", options.imageSize,
                   "ViT: resize the position embeddings to images of this size")
        ->check(CLI::Range(1, 1 << 16));
}

std::shared_ptr<const core::Checkpoint> openPath(const core::Path& path,
                                                 const core::OpenOptions& options) {
    auto checkpoint = core::Checkpoint::open(path, options);
    for (const std::string& text : checkpoint->notes()) warn(text);
    return checkpoint;
}

std::shared_ptr<const core::Checkpoint> openModel(const std::string& model,
                                                  const core::OpenOptions& options) {
    return openPath(core::resolveModel(model), options);
}

void addComputeOptions(CLI::App& app, ComputeOptions& options) {
    app.add_option("--device", options.device, "auto, cpu, cuda or cuda:N [auto]")
        ->each([&options](const std::string&) { options.deviceGiven = true; });
    app.add_option("--dtype", options.dtype, "f32 or bf16 [f32]")
        ->each([&options](const std::string&) { options.dtypeGiven = true; });
    addThreads(app, options.threads)->each([&options](const std::string&) {
        options.threadsGiven = true;
    });
}

void addThreadsOption(CLI::App& app, int& threads) { addThreads(app, threads); }

Compute computeFor(const ComputeOptions& options) {
    const core::DType dtype = dtypeOption("--dtype", options.dtype);
    core::requireComputable(dtype);
    const std::shared_ptr<core::Backend> backend =
        core::makeBackend(options.device, options.threads).backend;
    if (const std::string how = core::howComputed(dtype, *backend); !how.empty()) note(how);
    return {backend, dtype};
}

core::DType dtypeOption(const std::string& option, const std::string& word) {
    const std::optional<core::DType> dtype = core::dtypeFromOption(word);
    if (!dtype || !core::isFloating(*dtype))
        usage(fmt::format("{} {} is not a floating type", option, core::printable(word)),
              "give f32, f16 or bf16");
    return *dtype;
}

std::uint64_t bytesOption(const std::string& option, const std::string& text) {
    constexpr std::array<std::pair<std::string_view, double>, 9> kUnits{{{"", 1},
                                                                         {"B", 1},
                                                                         {"kB", 1e3},
                                                                         {"KB", 1e3},
                                                                         {"MB", 1e6},
                                                                         {"GB", 1e9},
                                                                         {"KiB", 1024},
                                                                         {"MiB", 1048576},
                                                                         {"GiB", 1073741824}}};
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const auto& [name, factor] : kUnits)
        if (error == std::errc() && unit == name && value * factor >= 1 && value * factor < 1e18)
            return static_cast<std::uint64_t>(value * factor);
    usage(fmt::format("{} {} is not a size", option, core::printable(text)),
          "give a number with a unit, such as 500MB or 5GB");
}

bool switchOption(const std::string& option, const std::string& text) {
    if (text == "on") return true;
    if (text == "off") return false;
    usage(fmt::format("{} {} is neither on nor off", option, core::printable(text)),
          "give on or off");
}

std::string absoluteSource(const std::string& source) {
    if (core::isTextSource(source)) return core::absoluteTextSource(source);
    for (const std::string_view prefix : {"fashion-mnist:", "idx:", "images:"})
        if (source.starts_with(prefix) && source.size() > prefix.size())
            return std::string(prefix) + std::filesystem::absolute(source.substr(prefix.size()))
                                             .lexically_normal()
                                             .string();
    return source;
}

}  // namespace upcycle
