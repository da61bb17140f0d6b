// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/signals.h"

#include "core/base/error.h"
#include "core/run/stop_request.h"
#include "core/run/train_run.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is of POSIX
#include <unistd.h>

#include <atomic>

namespace upcycle {
namespace {

std::atomic<int> gInterrupts{0};
std::atomic<bool> gTraining{false};

sigset_t held() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGINT);
    ::sigaddset(&set, SIGTERM);
    return set;
}

/// Before the constructors of any library: a signal that comes while the program is being loaded
/// waits until it can be obeyed, also across `waitPolitely`.
void holdSignals(int /*count*/, char** /*arguments*/, char** /*environment*/) {
    const sigset_t set = held();
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

using Initializer = void (*)(int, char**, char**);
[[gnu::section(".preinit_array"), gnu::used]] const Initializer kHoldFirst = holdSignals;

extern "C" void onSignal(int number) {
    const int interrupts = number == SIGINT ? ++gInterrupts : 0;
    if (gTraining)
        core::requestStop(interrupts >= 2 ? 2 : 1);
    else if (interrupts >= 2)
        ::_exit(core::exitCode(core::ErrorKind::Stopped));
    else
        core::requestStop(1);
}

void handle(int number) {
    struct sigaction action {};
    action.sa_handler = onSignal;
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, nullptr);
}

bool isIgnored(int number) {
    struct sigaction action {};
    return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

void catchSignals() {
    handle(SIGINT);
    handle(SIGTERM);
    ::signal(SIGXFSZ, SIG_IGN);
    const sigset_t set = held();
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

void catchSignalsForTraining() {
    gTraining = true;
    if (!isIgnored(SIGHUP)) handle(SIGHUP);
    ::signal(SIGPIPE, SIG_IGN);
}

void throwIfStopped() {
    if (core::stopRequest() > 0)
        throw core::Error(core::ErrorKind::Stopped, "stopped by request",
                          "nothing was left half-written; give the command again to start over");
}

}  // namespace upcycle
