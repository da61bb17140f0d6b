// SPDX-License-Identifier: Apache-2.0
#include "tests/app/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
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

[[noreturn]] void become(const std::vector<std::string>& arguments, const Setting& setting, int out,
                         int err) {
    ::setenv("XDG_CACHE_HOME", "/dev/null/no-cache", 1);  // unless the test names one
    for (const auto& [name, value] : setting.environment) ::setenv(name.c_str(), value.c_str(), 1);
    ::dup2(::open("/dev/null", O_RDONLY), 0);
    ::dup2(setting.output.empty() ? out : ::open(setting.output.c_str(), O_WRONLY), 1);
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

}  // namespace

Stream::Stream() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }

Stream::~Stream() {
    if (reader_.joinable()) reader_.join();
}

void Stream::collect() {
    ::close(ends_[1]);
    reader_ = std::thread([this] {
        std::array<char, 4096> piece{};
        for (ssize_t got = 0; (got = ::read(ends_[0], piece.data(), piece.size())) != 0;) {
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) break;
            const std::lock_guard lock(mutex_);
            text_.append(piece.data(), static_cast<std::size_t>(got));
        }
        ::close(ends_[0]);
    });
}

std::string Stream::soFar() {
    const std::lock_guard lock(mutex_);
    return text_;
}

std::string Stream::whole() {
    if (reader_.joinable()) reader_.join();
    return text_;
}

std::string programPath() { return UPCYCLER_BIN_DIR "/upcycle"; }

Process::Process(const std::vector<std::string>& arguments, const Setting& setting) {
    pid_ = ::fork();
    if (pid_ == 0) become(arguments, setting, out_.descriptor(), err_.descriptor());
    out_.collect();
    err_.collect();
}

Process::~Process() {
    if (isRunning()) {
        signal(SIGKILL);
        ::waitpid(pid_, &status_, 0);
    }
}

bool Process::poll() {
    if (!ended_) ended_ = ::wait4(pid_, &status_, WNOHANG, &usage_) == pid_;
    return ended_;
}

bool Process::isRunning() { return !poll(); }

void Process::signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
}

bool Process::holdsSignals() const {
    std::ifstream lines("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("SigBlk:"))
            return (std::stoull(line.substr(7), nullptr, 16) & (1ULL << (SIGINT - 1))) != 0;
    return false;
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
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return {exit, out_.whole(), err_.whole(), 1024 * static_cast<std::uint64_t>(usage_.ru_maxrss),
            seconds(usage_.ru_utime) + seconds(usage_.ru_stime)};
}

Result upcycle(const std::vector<std::string>& arguments, const Setting& setting) {
    return Process(arguments, setting).wait();
}

}  // namespace upcycle_test
