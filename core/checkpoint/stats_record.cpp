// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/stats_record_internal.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace core {
namespace {

constexpr std::uint64_t kMagic = 0x3130'5354'4154'5355ULL;  // "USTATS01"
using Header = std::array<std::uint64_t, 5>;
constexpr std::size_t kPlain = 13;  ///< words before the histogram
constexpr std::size_t kBins = std::tuple_size_v<decltype(TensorStats::histogram)>;
using Record = std::array<std::uint64_t, kPlain + kBins + 1>;

Header headerWords(const FileIdentity& identity) {
    return {kMagic, identity.device, identity.inode, identity.bytes,
            std::bit_cast<std::uint64_t>(identity.changed)};
}

std::uint64_t checksum(const Record& record) {
    return digestOf(std::as_bytes(std::span(record).first(record.size() - 1))).low;
}

template <typename Words>
std::string bytesOf(const Words& words) {
    std::string bytes(sizeof(words), '\0');
    std::memcpy(bytes.data(), words.data(), sizeof(words));
    return bytes;
}

TensorStats statsOf(const Record& record) {
    TensorStats stats;
    stats.digest = {record[2], record[3]};
    stats.count = record[4];
    stats.nan = record[5];
    stats.infinite = record[6];
    stats.zeros = record[7];
    stats.min = std::bit_cast<double>(record[8]);
    stats.max = std::bit_cast<double>(record[9]);
    stats.mean = std::bit_cast<double>(record[10]);
    stats.std = std::bit_cast<double>(record[11]);
    stats.rounded = record[12] != 0;
    std::copy_n(record.begin() + kPlain, kBins, stats.histogram.begin());
    return stats;
}

}  // namespace

std::string headerOf(const FileIdentity& identity) { return bytesOf(headerWords(identity)); }

std::string recordOf(const ByteDigest& key, const TensorStats& stats) {
    Record record{key.high,
                  key.low,
                  stats.digest.high,
                  stats.digest.low,
                  stats.count,
                  stats.nan,
                  stats.infinite,
                  stats.zeros,
                  std::bit_cast<std::uint64_t>(stats.min),
                  std::bit_cast<std::uint64_t>(stats.max),
                  std::bit_cast<std::uint64_t>(stats.mean),
                  std::bit_cast<std::uint64_t>(stats.std),
                  stats.rounded ? 1U : 0U};
    std::copy(stats.histogram.begin(), stats.histogram.end(), record.begin() + kPlain);
    record.back() = checksum(record);
    return bytesOf(record);
}

StatsRecords recordsOf(std::string_view bytes, const FileIdentity& identity) {
    StatsRecords records;
    if (!bytes.starts_with(headerOf(identity))) return records;
    bytes.remove_prefix(sizeof(Header));
    for (; bytes.size() >= sizeof(Record); bytes.remove_prefix(sizeof(Record))) {
        Record record{};
        std::memcpy(record.data(), bytes.data(), sizeof(Record));
        if (record.back() != checksum(record)) return records;
        records.found[{record[0], record[1]}] = statsOf(record);
    }
    records.whole = bytes.empty();
    return records;
}

}  // namespace core
