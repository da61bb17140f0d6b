// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/file_identity.h"
#include "core/checkpoint/tensor_stats.h"

#include <map>
#include <string>
#include <string_view>

namespace core {

// A cache file is a header (magic, identity of the weights' file) and records of one size, each
// with a checksum of its own, in the machine's byte order.

std::string headerOf(const FileIdentity& identity);
std::string recordOf(const ByteDigest& key, const TensorStats& stats);

struct StatsRecords {
    std::map<ByteDigest, TensorStats> found;
    bool whole = false;  ///< nothing but good records
};
/// The good records of a cache file; none when the header is not this identity's.
StatsRecords recordsOf(std::string_view bytes, const FileIdentity& identity);

}  // namespace core
