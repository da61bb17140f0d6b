// SPDX-License-Identifier: Apache-2.0
// The scan of an HDF5 file, which runs in a child process in the programs because the library can
// crash. Here a child goes first: where it dies inside the library nothing is to be learnt, and
// what it survives is run in this process too, so that the fuzzer sees where it went. A child that
// dies in our code is run again here, to be found.
#include "core/base/error.h"
#include "core/checkpoint/hdf5_scan_internal.h"
#include "core/checkpoint/readers.h"
#include "tests/fuzz/input.h"

#include <hdf5.h>
#include <poll.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace {

void scan(const core::Path& path) {
    const core::Hdf5Listing listing = core::scanHdf5(path, std::filesystem::file_size(path));
    for (const core::Hdf5Listing::Dataset& dataset : listing.datasets) {
        const std::int64_t count = std::min<std::int64_t>(dataset.info.shape.elements(), 4096);
        std::vector<std::byte> into(static_cast<std::size_t>(count) *
                                    dtypeBytes(dataset.info.dtype));
        if (!dataset.plain && count > 0) core::readHdf5Boxes(path, dataset, 0, count, into);
    }
}

/// Whether a sanitizer's report has the library among its innermost frames (run writes none of the
/// sources' names into reports here: looking them up takes seconds).
bool blamesTheLibrary(int report) {
    std::array<char, 65536> text{};
    const ssize_t bytes = ::pread(report, text.data(), text.size(), 0);
    std::string_view innermost(text.data(), bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
    innermost = innermost.substr(0, innermost.find("#3 "));
    return innermost.empty() || innermost.find("libhdf5") != std::string_view::npos;
}

/// A child process that scans files before this process does; replaced when it dies and now and
/// then, since the library keeps what it could not free.
class Scout {
  public:
    Scout() = default;
    Scout(const Scout&) = delete;
    Scout& operator=(const Scout&) = delete;
    ~Scout() { dismiss(); }

    /// Whether it survived the file, or died in our code.
    bool isWorthRunning(const core::Path& path) {
        if (child_ < 0) send();
        const std::string name = path.string();
        char answer = 0;
        pollfd wait{line_, POLLIN, 0};
        const bool survived = ::write(line_, name.c_str(), name.size() + 1) > 0 &&
                              ::poll(&wait, 1, kPatience) == 1 && ::read(line_, &answer, 1) == 1;
        if (!survived) ::kill(child_, SIGKILL);
        if (survived && ++scanned_ < kMostScans) return true;
        const bool worth = survived || !blamesTheLibrary(report_);
        dismiss();
        return worth;
    }

  private:
    static constexpr int kPatience = 500;  ///< ms: the library can hang
    static constexpr int kMostScans = 2000;

    void send() {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
        report_ = ::memfd_create("report", MFD_CLOEXEC);
        scanned_ = 0;
        child_ = ::fork();
        if (child_ < 0) std::abort();
        if (child_ == 0) {
            ::close(ends[0]);
            beScout(ends[1]);
        }
        ::close(ends[1]);
        line_ = ends[0];
    }

    [[noreturn]] void beScout(int line) const {
        __sanitizer_set_death_callback(nullptr);
        ::dup2(report_, STDERR_FILENO);
        std::array<char, 4096> name{};
        while (::read(line, name.data(), name.size() - 1) > 0) {
            try {
                scan(name.data());
            } catch (const core::Error&) {
            }
            if (::write(line, "y", 1) != 1) break;
        }
        ::_exit(0);
    }

    void dismiss() {
        if (child_ < 0) return;
        ::close(line_);
        while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
        }
        ::close(report_);
        child_ = line_ = report_ = -1;
    }

    pid_t child_ = -1;
    int line_ = -1;
    int report_ = -1;
    int scanned_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Scout scout;
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // no texts of the library
    const fuzz::InputFile input({data, size});
    if (scout.isWorthRunning(input.path())) fuzz::expectRefusalAtMost([&] { scan(input.path()); });
    return 0;
}
