// SPDX-License-Identifier: Apache-2.0
#include "core/base/file.h"

#include "core/base/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kMaxTransfer = std::size_t{1} << 30;

[[noreturn]] void throwErrno(const char* action, const Path& path, int code) {
    const std::string message =
        fmt::format("cannot {} {}: {}", action, path.string(), std::strerror(code));
    if (code == ENOSPC || code == EDQUOT || code == EFBIG)
        throw Error(ErrorKind::DiskFull, message, "free some space or choose another disk");
    if (code == EACCES || code == EPERM || code == EROFS)
        throw Error(ErrorKind::BadInput, message,
                    "check the permissions of the file and its folder");
    if (code == ENOENT) throw Error(ErrorKind::BadInput, message, "check the path");
    throw Error(ErrorKind::BadInput, message,
                "check that the path is a readable file on a working disk");
}

int openOrThrow(const char* action, const Path& path, int flags) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
    if (descriptor < 0) throwErrno(action, path, errno);
    return descriptor;
}

void syncDirectory(const Path& directory) {
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
}

Path parentOf(const Path& path) { return path.has_parent_path() ? path.parent_path() : Path("."); }

std::string temporaryPrefix(const Path& target) {
    return fmt::format(".{}.tmp-", target.filename().string());
}

bool processIsAlive(long pid) {
    return pid > 0 && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

void removeDeadTemporaries(const Path& target) {
    const std::string prefix = temporaryPrefix(target);
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(parentOf(target), ignored)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix)) continue;
        const long pid = std::strtol(name.c_str() + prefix.size(), nullptr, 10);
        if (!processIsAlive(pid)) std::filesystem::remove_all(entry.path(), ignored);
    }
}

}  // namespace

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
    if (this != &other) {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = std::exchange(other.descriptor_, -1);
        path_ = std::move(other.path_);
    }
    return *this;
}

File::~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

File File::openForReading(const Path& path) {
    File file(openOrThrow("open", path, O_RDONLY), path);
    struct stat status {};
    if (::fstat(file.descriptor_, &status) != 0) throwErrno("open", path, errno);
    if (!S_ISREG(status.st_mode))
        throw Error(ErrorKind::BadInput, fmt::format("{} is not a regular file", path.string()),
                    "give the path of a file");
    return file;
}

File File::createNew(const Path& path) {
    return {openOrThrow("create", path, O_RDWR | O_CREAT | O_EXCL), path};
}

File File::openForUpdating(const Path& path) { return {openOrThrow("open", path, O_RDWR), path}; }

File File::openForAppending(const Path& path) {
    return {openOrThrow("append to", path, O_WRONLY | O_CREAT | O_APPEND), path};
}

std::uint64_t File::size() const {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) throwErrno("read", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
}

void File::readAt(std::uint64_t offset, std::span<std::byte> into) const {
    while (!into.empty()) {
        const ssize_t got = ::pread(descriptor_, into.data(), std::min(into.size(), kMaxTransfer),
                                    static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throwErrno("read", path_, errno);
        if (got == 0)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{} ends at byte {} where {} more bytes were expected",
                                    path_.string(), offset, into.size()),
                        "the file is cut short: copy or download it again");
        offset += static_cast<std::uint64_t>(got);
        into = into.subspan(static_cast<std::size_t>(got));
    }
}

void File::writeAt(std::uint64_t offset, std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
        const ssize_t put =
            ::pwrite(descriptor_, bytes.data(), std::min(bytes.size(), kMaxTransfer),
                     static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throwErrno("write", path_, errno);
        offset += static_cast<std::uint64_t>(put);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
}

void File::append(std::string_view text) const {
    while (!text.empty()) {
        const ssize_t put = ::write(descriptor_, text.data(), text.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throwErrno("write", path_, errno);
        text.remove_prefix(static_cast<std::size_t>(put));
    }
}

void File::preallocate(std::uint64_t bytes) const {
    if (bytes == 0) return;
    int code = 0;
    do {
        code = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(bytes));
    } while (code == EINTR);
    if (code != 0 && code != EOPNOTSUPP && code != EINVAL)
        throwErrno("reserve space for", path_, code);
}

void File::sync() const {
    if (::fsync(descriptor_) != 0) throwErrno("write", path_, errno);
}

void File::close() {
    const int descriptor = std::exchange(descriptor_, -1);
    if (descriptor >= 0 && ::close(descriptor) != 0) throwErrno("write", path_, errno);
}

std::optional<FileLock> FileLock::tryLock(const Path& path) {
    File file = File::openForAppending(path);
    if (::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return std::nullopt;
        throwErrno("lock", path, errno);
    }
    return FileLock(std::move(file));
}

bool FileLock::isHeld(const Path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    const bool held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ::close(descriptor);
    return held;
}

AtomicTarget::AtomicTarget(Path target, Kind kind, bool replace)
    : target_(std::move(target)), kind_(kind), replace_(replace) {
    if (!target_.has_filename()) target_ = target_.parent_path();
    std::error_code code;
    if (!replace_ && std::filesystem::exists(std::filesystem::symlink_status(target_, code)))
        throw Error(ErrorKind::BadInput, fmt::format("{} exists already", target_.string()),
                    "choose another name or pass --force");
    const Path parent = parentOf(target_);
    if (!std::filesystem::is_directory(parent, code))
        throw Error(ErrorKind::BadInput,
                    fmt::format("the folder {} does not exist", parent.string()),
                    "create it first");
    removeDeadTemporaries(target_);
    static std::atomic<unsigned> counter{0};
    temporary_ = parent / fmt::format("{}{}-{}", temporaryPrefix(target_), ::getpid(), counter++);
    if (kind_ == Kind::Directory && ::mkdir(temporary_.c_str(), 0755) != 0)
        throwErrno("create", temporary_, errno);
}

AtomicTarget::~AtomicTarget() {
    if (committed_) return;
    std::error_code ignored;
    std::filesystem::remove_all(temporary_, ignored);
}

void AtomicTarget::commit() {
    if (kind_ == Kind::Directory) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(temporary_))
            if (entry.is_regular_file()) File::openForReading(entry.path()).sync();
        syncDirectory(temporary_);
    } else {
        File::openForReading(temporary_).sync();
    }
    Path old;
    std::error_code code;
    if (replace_ && std::filesystem::is_directory(std::filesystem::symlink_status(target_, code))) {
        old = temporary_;
        old += "-old";
        if (::rename(target_.c_str(), old.c_str()) != 0) throwErrno("replace", target_, errno);
    } else if (!replace_ &&
               std::filesystem::exists(std::filesystem::symlink_status(target_, code))) {
        throw Error(ErrorKind::BadInput, fmt::format("{} appeared meanwhile", target_.string()),
                    "choose another name or pass --force");
    }
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
        const int failure = errno;
        if (!old.empty()) ::rename(old.c_str(), target_.c_str());
        throwErrno("write", target_, failure);
    }
    committed_ = true;
    syncDirectory(parentOf(target_));
    if (!old.empty()) std::filesystem::remove_all(old, code);
}

std::uint64_t freeDiskBytes(const Path& path) {
    std::error_code code;
    Path existing = std::filesystem::absolute(path, code);
    while (!std::filesystem::exists(existing, code) && existing.has_relative_path())
        existing = existing.parent_path();
    struct statvfs status {};
    if (::statvfs(existing.c_str(), &status) != 0)
        throwErrno("ask the free space of", existing, errno);
    return static_cast<std::uint64_t>(status.f_bavail) *
           static_cast<std::uint64_t>(status.f_frsize);
}

void requireDiskBytes(const Path& path, std::uint64_t bytes, std::string_view what) {
    const std::uint64_t free = freeDiskBytes(path);
    if (free >= bytes) return;
    constexpr double kMiB = 1024.0 * 1024.0;
    throw Error(ErrorKind::DiskFull,
                fmt::format("{} needs {:.1f} MiB at {}, but {:.1f} MiB are free", what,
                            static_cast<double>(bytes) / kMiB, path.string(),
                            static_cast<double>(free) / kMiB),
                "free some space or choose another disk");
}

std::string readTextFile(const Path& path, std::uint64_t maxBytes) {
    const File file = File::openForReading(path);
    const std::uint64_t bytes = file.size();
    if (bytes > maxBytes)
        throw Error(ErrorKind::BadInput,
                    fmt::format("{} has {} bytes, more than the {} expected of such a file",
                                path.string(), bytes, maxBytes),
                    "check that this is the right file");
    std::string text(bytes, '\0');
    file.readAt(0, std::as_writable_bytes(std::span(text)));
    return text;
}

void writeTextFile(const Path& path, std::string_view text) {
    AtomicTarget target(path, AtomicTarget::Kind::File, true);
    File file = File::createNew(target.temporary());
    file.writeAt(0, std::as_bytes(std::span(text)));
    file.close();
    target.commit();
}

}  // namespace core
