// SPDX-License-Identifier: Apache-2.0
#include "app/upcycle/waiting.h"

#include <unistd.h>

#include <cstdlib>
#include <initializer_list>

namespace upcycle {

void waitPolitely(char** argv) {
    for (const char* name : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"})
        if (std::getenv(name) != nullptr) return;
    ::setenv("GOMP_SPINCOUNT", "1000", 0);
    ::setenv("KMP_BLOCKTIME", "0", 0);
    ::execv("/proc/self/exe", argv);
}

}  // namespace upcycle
