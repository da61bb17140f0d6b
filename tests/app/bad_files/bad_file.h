// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

namespace upcycle_test {

/// Files that break their format's rules, and the command that has to refuse them.
struct BadFile {
    enum class Command { Inspect, Plan, Convert };

    std::string name;                          ///< of the case: letters, digits, underscores
    std::map<std::string, std::string> files;  ///< content by name: what lies in its folder
    std::string opened;                        ///< which of them is given to the command
    std::string named;                         ///< what the refusal must name
    Command command = Command::Inspect;
};

/// One file that `inspect` opens.
inline BadFile badFile(const std::string& name, const std::string& file, std::string bytes) {
    return {name, {{file, std::move(bytes)}}, file, file};
}

// A list for each format. Every file of it is bad by the format's own rules, not by ours.
std::vector<BadFile> badSafetensors();
std::vector<BadFile> badIndexes();  ///< shard indexes of safetensors and torch files
std::vector<BadFile> badHdf5();
std::vector<BadFile> badNpz();
std::vector<BadFile> badTorch();
std::vector<BadFile> badConfigs();  ///< config.json, opened by `plan`
std::vector<BadFile> badPlans();    ///< plan.json, opened by `convert`

/// All of them by the format's name.
std::map<std::string, std::vector<BadFile>> allBadFiles();

/// A file of the source tree.
std::string sourceFile(const std::string& path);

}  // namespace upcycle_test
