// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/command.h"
#include "app/upcycle/output.h"
#include "app/upcycle/signals.h"
#include "app/upcycle/waiting.h"
#include "core/base/error.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using upcycle::Command;

std::vector<Command> addCommands(CLI::App& root) {
    std::vector<Command> commands{
        upcycle::addInspect(root), upcycle::addPlan(root),    upcycle::addConvert(root),
        upcycle::addCheck(root),   upcycle::addExport(root),  upcycle::addDiff(root),
        upcycle::addForward(root), upcycle::addEval(root),    upcycle::addNew(root),
        upcycle::addTrain(root),   upcycle::addProfile(root), upcycle::addStatus(root),
        upcycle::addWatch(root)};
    for (Command& order : upcycle::addOrders(root)) commands.push_back(std::move(order));
    commands.push_back(upcycle::addTokenizer(root));
    commands.push_back(upcycle::addDevices(root));
    return commands;
}

/// Whether the error goes out as JSON, known even where parsing failed.
bool wantsJson(int argc, char** argv) {
    for (int i = 1; i < argc; ++i)
        if (std::string_view(argv[i]) == "--json") return true;
    return false;
}

/// "--batch: At Most 1 required but received 2" -> "--batch is given more than once".
std::string inPlainWords(const std::string& message) {
    const std::size_t end = message.find(": At Most 1 required");
    return end == std::string::npos ? message : message.substr(0, end) + " is given more than once";
}

std::string whatIsWrong(const CLI::App& root, const CLI::ParseError& error, int argc, char** argv) {
    const bool named = argc > 1 && argv[1][0] != '-' && root.get_subcommands().empty();
    return named ? std::string(argv[1]) + " is not a command" : inPlainWords(error.what());
}

int usageError(const CLI::App& root, const CLI::ParseError& error, int argc, char** argv) {
    std::string command = "upcycle";
    for (const CLI::App* chosen : root.get_subcommands()) command += " " + chosen->get_name();
    upcycle::printError("usage", whatIsWrong(root, error, argc, argv), "see " + command + " --help",
                        wantsJson(argc, argv));
    return core::exitCode(core::ErrorKind::Usage);
}

/// Whether `word` can only be one more KEY=VALUE: a path would need a slash or a dash.
bool isAssignment(std::string_view word) {
    const std::string_view key = word.substr(0, word.find('='));
    return key.size() < word.size() && !key.empty() &&
           key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") ==
               std::string_view::npos;
}

/// The arguments in CLI11's order (the last one first), with "--set A=1 B=2" written out as
/// "--set A=1 --set B=2": an option that took as many words as it finds would take RUN as well.
std::vector<std::string> argumentsOf(int argc, char** argv) {
    std::vector<std::string> all;
    bool setting = false;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const bool value = i > 1 && std::string_view(argv[i - 1]) == "--set";
        if (setting && !value && isAssignment(word)) all.emplace_back("--set");
        setting = word == "--set" || (setting && (value || isAssignment(word)));
        all.push_back(word);
    }
    std::reverse(all.begin(), all.end());
    return all;
}

core::ErrorKind kindOf(const std::error_code& code) {
    return code == std::errc::no_space_on_device || code == std::errc::file_too_large
               ? core::ErrorKind::DiskFull
               : core::ErrorKind::BadInput;
}

int run(int argc, char** argv) {
    CLI::App root{
        "upcycle: turn dense checkpoints into Mixture-of-Experts, train, look on, export"};
    root.name("upcycle");
    root.set_version_flag("--version", std::string("upcycle ") + UPCYCLER_VERSION);
    root.require_subcommand(1);
    root.footer(
        "Example: upcycle plan MODEL -o plan.json --preset paper --experts 8\n"
        "Every command has --help with an example.");
    const std::vector<Command> commands = addCommands(root);
    try {
        root.parse(argumentsOf(argc, argv));
    } catch (const CLI::Success& success) {
        return root.exit(success);
    } catch (const CLI::ParseError& error) {
        return usageError(root, error, argc, argv);
    }
    for (const Command& command : commands)
        if (command.app->parsed()) return command.run();
    return core::exitCode(core::ErrorKind::Usage);
}

}  // namespace

int main(int argc, char** argv) {
    upcycle::waitPolitely(argv);
    upcycle::catchSignals();
    const bool json = wantsJson(argc, argv);
    const auto report = [json](core::ErrorKind kind, std::string_view message,
                               std::string_view hint) {
        upcycle::printError(core::errorKindName(kind), message,
                            hint.empty() ? "see upcycle --help" : hint, json);
        return core::exitCode(kind);
    };
    try {
        return run(argc, argv);
    } catch (const core::Error& error) {
        return report(error.kind(), error.what(), error.hint());
    } catch (const std::bad_alloc&) {
        return report(core::ErrorKind::OutOfMemory, "the memory is full",
                      "take a smaller batch, or a larger machine");
    } catch (const std::filesystem::filesystem_error& error) {
        return report(kindOf(error.code()),
                      "cannot use " + error.path1().string() + ": " + error.code().message(),
                      "check the path, its permissions and the free space");
    } catch (const core::CheckFailure& failure) {
        return report(core::ErrorKind::Internal, failure.what(),
                      "this is a bug: please report it with the command that shows it");
    } catch (const std::exception&) {
        return report(core::ErrorKind::Internal, "something went wrong inside the program",
                      "this is a bug: please report it with the command that shows it");
    }
}
