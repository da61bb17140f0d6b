// SPDX-License-Identifier: Apache-2.0
#include "tests/app/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace upcycle_test {
namespace {

constexpr std::chrono::minutes kPatience{2};
constexpr uid_t kNobody = 65534;

void limitFiles(const std::optional<std::uint64_t>& bytes) {
    if (!bytes) return;
    struct rlimit bound {};
    bound.rlim_cur = *bytes;
    bound.rlim_max = *bytes;
    ::setrlimit(RLIMIT_FSIZE, &bound);
}

[[noreturn]] void become(const std::vector<std::string>& arguments, const Setting& setting,
                         const core::Path& folder) {
    for (const auto& [name, value] : setting.environment) ::setenv(name.c_str(), value.c_str(), 1);
    const int input = ::open("/dev/null", O_RDONLY);
    const int out = ::open((folder / "out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    const int err = ::open((folder / "err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(input, 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    limitFiles(setting.largestFile);
    if (setting.asNobody && ::geteuid() == 0 && ::setuid(kNobody) != 0) ::_exit(126);
    std::vector<std::string> words{programPath()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
}

std::string readAll(const core::Path& path) {
    std::error_code code;
    return std::filesystem::exists(path, code) ? core::readTextFile(path) : std::string();
}

}  // namespace

std::string programPath() { return UPCYCLER_BIN_DIR "/upcycle"; }

Process::Process(const std::vector<std::string>& arguments, const Setting& setting) {
    std::string name = testing::TempDir() + "upcycle-output-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    pid_ = ::fork();
    if (pid_ == 0) become(arguments, setting, folder_);
}

Process::~Process() {
    if (isRunning()) {
        signal(SIGKILL);
        ::waitpid(pid_, &status_, 0);
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

bool Process::poll() {
    if (!ended_) ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
    return ended_;
}

bool Process::isRunning() { return !poll(); }

void Process::signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
}

Result Process::wait() {
    const auto begin = std::chrono::steady_clock::now();
    while (!poll()) {
        if (std::chrono::steady_clock::now() - begin > kPatience) {
            ADD_FAILURE() << "upcycle did not end in two minutes";
            signal(SIGKILL);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    const int exit = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
    return {exit, readAll(folder_ / "out"), readAll(folder_ / "err")};
}

Result upcycle(const std::vector<std::string>& arguments, const Setting& setting) {
    return Process(arguments, setting).wait();
}

}  // namespace upcycle_test
