// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <vector>

namespace upcycle {

/// One subcommand: what the parser fills, and what is done then. `run` returns the exit code;
/// trouble is thrown as core::Error.
struct Command {
    CLI::App* app = nullptr;
    std::function<int()> run;
};

// Each adds its subcommand(s) to `root`. Every subcommand has `--json`.
Command addInspect(CLI::App& root);
Command addDiff(CLI::App& root);
Command addDevices(CLI::App& root);
Command addPlan(CLI::App& root);
Command addConvert(CLI::App& root);
Command addExport(CLI::App& root);
Command addCheck(CLI::App& root);
Command addForward(CLI::App& root);
Command addEval(CLI::App& root);
Command addNew(CLI::App& root);
Command addTrain(CLI::App& root);
Command addProfile(CLI::App& root);
Command addStatus(CLI::App& root);
Command addWatch(CLI::App& root);
Command addTokenizer(CLI::App& root);
std::vector<Command> addOrders(CLI::App& root);

}  // namespace upcycle
