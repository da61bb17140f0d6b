// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/child_process.h"

#include "core/base/error.h"
#include "core/checkpoint/byte_message.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <utility>

namespace core {
namespace {

constexpr std::chrono::seconds kPatience{120};
constexpr rlim_t kMostCpuSeconds = 20;
constexpr rlim_t kSpareMemory = rlim_t{2} << 30U;
constexpr std::uint64_t kDone = 0x646F6E65;
constexpr std::uint64_t kError = 0x6572726F;

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }
    int get() const { return number_; }
    void close() {
        const int number = std::exchange(number_, -1);
        if (number >= 0) ::close(number);
    }

  private:
    int number_;
};

void limitMemory() {
    long pages = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
        if (std::fscanf(file, "%ld", &pages) != 1) pages = 0;
        std::fclose(file);
    }
    if (pages <= 0) return;
    rlimit limit{};
    if (::getrlimit(RLIMIT_AS, &limit) != 0) return;
    const rlim_t wanted =
        static_cast<rlim_t>(pages) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + kSpareMemory;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > wanted) limit.rlim_cur = wanted;
    ::setrlimit(RLIMIT_AS, &limit);
}

void limitTime() {
    const rlimit limit{kMostCpuSeconds, kMostCpuSeconds};
    ::setrlimit(RLIMIT_CPU, &limit);
}

/// No core file, no text on the terminal, no handler of the program that we are a copy of.
void becomeQuiet() {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGPIPE, SIGTERM, SIGXCPU})
        std::signal(number, SIG_DFL);
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return;
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
}

std::string answerOf(const std::function<std::string()>& work) {
    MessageWriter answer;
    try {
        const std::string result = work();
        answer.number(kDone);
        answer.text(result);
    } catch (const Error& error) {
        answer.number(kError);
        answer.number(static_cast<std::uint64_t>(error.kind()));
        answer.text(error.what());
        answer.text(error.hint());
    } catch (...) {
        return {};
    }
    MessageWriter framed;
    framed.text(answer.take());
    return framed.take();
}

[[noreturn]] void beChild(int pipe, const std::function<std::string()>& work) {
    becomeQuiet();
    limitMemory();
    limitTime();
    const std::string answer = answerOf(work);
    std::string_view rest = answer;
    while (!rest.empty()) {
        const ssize_t put = ::write(pipe, rest.data(), rest.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) break;
        rest.remove_prefix(static_cast<std::size_t>(put));
    }
    ::_exit(rest.empty() ? 0 : 1);
}

/// All that the child writes until it ends or the patience does. Another child forked meanwhile
/// may hold the pipe open too, so the end of the process counts, not the end of the pipe alone.
std::string listen(int pipe, pid_t child) {
    std::string bytes;
    std::array<char, 65536> buffer{};
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    bool ended = false;
    while (true) {
        pollfd wait{pipe, POLLIN, 0};
        const int ready = ::poll(&wait, 1, ended ? 0 : 20);
        if (ready > 0) {
            const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
            if (got > 0) bytes.append(buffer.data(), static_cast<std::size_t>(got));
            if (got == 0 || (got < 0 && errno != EINTR)) break;
            continue;
        }
        if (ended) return bytes;
        ended = ::waitpid(child, nullptr, WNOHANG) != 0;
        if (std::chrono::steady_clock::now() > deadline) break;
    }
    if (!ended) {
        ::kill(child, SIGKILL);
        while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    return bytes;
}

std::optional<std::string> understand(std::string_view bytes) {
    const std::optional<std::string> body = MessageReader(bytes).text();
    if (!body) return std::nullopt;
    MessageReader reader(*body);
    const std::optional<std::uint64_t> outcome = reader.number();
    if (outcome == kDone) return reader.text();
    if (outcome != kError) return std::nullopt;
    const std::optional<std::uint64_t> kind = reader.number();
    const std::optional<std::string> message = reader.text();
    const std::optional<std::string> hint = reader.text();
    if (!kind || *kind > static_cast<std::uint64_t>(ErrorKind::Internal) || !message || !hint)
        return std::nullopt;
    throw Error(static_cast<ErrorKind>(*kind), *message, *hint);
}

}  // namespace

std::optional<std::string> runInChild(const std::function<std::string()>& work) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    const Descriptor readEnd(ends[0]);
    Descriptor writeEnd(ends[1]);
    const pid_t child = ::fork();
    if (child < 0) return std::nullopt;
    if (child == 0) beChild(writeEnd.get(), work);
    writeEnd.close();
    return understand(listen(readEnd.get(), child));
}

}  // namespace core
