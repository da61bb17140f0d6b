// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/file_identity.h"
#include "core/checkpoint/tensor_stats.h"

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace core {

/// $XDG_CACHE_HOME/upcycler/stats, else ~/.cache/upcycler/stats; empty where neither is known.
Path defaultStatsFolder();

/// Statistics of one checkpoint's tensors that outlive the process: one file in `folder` for each
/// weights' file, found by that file's identity, so that a changed file finds nothing. A cache
/// never fails: what cannot be read is not there, what is damaged is written anew, what cannot be
/// written is let go. The oldest files go when the folder exceeds 64 MiB. May be used by several
/// threads and processes.
class StatsCache {
  public:
    /// Make it when the checkpoint is opened: the identities are taken now. An empty `folder`:
    /// finds and keeps nothing.
    StatsCache(const Checkpoint& checkpoint, Path folder);

    std::optional<TensorStats> find(const TensorInfo& tensor) const;
    /// Whole statistics alone; those of a file that has changed since, or a moment before, are not
    /// kept.
    void keep(const TensorInfo& tensor, const TensorStats& stats);

  private:
    struct Shelf {
        Path source;
        FileIdentity identity;
        Path file;
        bool damaged = false;  ///< or missing: written anew with the first record
        std::map<ByteDigest, TensorStats> known;
        File appended;
    };
    void load(Shelf& shelf) const;
    void append(Shelf& shelf, const std::string& record) const;

    Path folder_;
    mutable std::mutex mutex_;
    std::map<std::string, Shelf> shelves_;  ///< by the weights' file name
};

}  // namespace core
