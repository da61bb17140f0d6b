// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace core {

using Path = std::filesystem::path;

/// An open file descriptor, closed on destruction. Every failure is an `Error` that names the path:
/// missing or unreadable is BadInput, ENOSPC/EDQUOT is DiskFull.
class File {
  public:
    File() = default;
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();

    static File openForReading(const Path& path);
    /// Fails when `path` exists.
    static File createNew(const Path& path);
    /// An existing file, for writeAt.
    static File openForUpdating(const Path& path);
    static File openForAppending(const Path& path);

    bool isOpen() const noexcept { return descriptor_ >= 0; }
    int descriptor() const noexcept { return descriptor_; }
    const Path& path() const noexcept { return path_; }
    std::uint64_t size() const;

    /// Reads exactly `into.size()` bytes at `offset`; fewer is BadInput ("... ends at byte N").
    void readAt(std::uint64_t offset, std::span<std::byte> into) const;
    void writeAt(std::uint64_t offset, std::span<const std::byte> bytes) const;
    void append(std::string_view text) const;
    /// Reserves disk space so that a full disk is known before the first byte is written.
    void preallocate(std::uint64_t bytes) const;
    void sync() const;
    void close();

  private:
    File(int descriptor, Path path) : descriptor_(descriptor), path_(std::move(path)) {}
    int descriptor_ = -1;
    Path path_;
};

/// Holds an exclusive advisory lock (flock) on a file for its lifetime.
class FileLock {
  public:
    /// Empty when another process holds it. Creates the file.
    static std::optional<FileLock> tryLock(const Path& path);
    /// Whether some process holds the lock now. A missing file is not locked.
    static bool isHeld(const Path& path);

  private:
    explicit FileLock(File file) : file_(std::move(file)) {}
    File file_;
};

/// A file or directory written beside its target as ".NAME.tmp-PID-N" and renamed when whole.
/// Destroyed without `commit`, nothing remains. Creating one removes temporaries of the same target
/// left by dead processes.
class AtomicTarget {
  public:
    enum class Kind { File, Directory };
    /// `replace` false: an existing target is refused (BadInput, hint names --force).
    AtomicTarget(Path target, Kind kind, bool replace);
    AtomicTarget(const AtomicTarget&) = delete;
    AtomicTarget& operator=(const AtomicTarget&) = delete;
    ~AtomicTarget();

    /// Where to write. A directory exists already; a file does not.
    const Path& temporary() const noexcept { return temporary_; }
    const Path& target() const noexcept { return target_; }
    /// Syncs what was written and renames it to the target.
    void commit();

  private:
    Path target_;
    Path temporary_;
    Kind kind_;
    bool replace_;
    bool committed_ = false;
};

/// Free bytes for this user on the file system that holds (or will hold) `path`.
std::uint64_t freeDiskBytes(const Path& path);

/// Throws DiskFull, naming both figures, when less than `bytes` is free for `path`.
void requireDiskBytes(const Path& path, std::uint64_t bytes, std::string_view what);

/// Whole small text file; larger than `maxBytes` is BadInput.
std::string readTextFile(const Path& path, std::uint64_t maxBytes = 64ULL << 20);

/// Replaces `path` in one step (temporary, sync, rename).
void writeTextFile(const Path& path, std::string_view text);

}  // namespace core
