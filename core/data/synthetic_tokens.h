// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/data_source.h"
#include "core/data/span_corruption.h"

#include <cstdint>
#include <string>

namespace core {

/// "synthetic:tokens,vocab=32128,inputs=256,targets=64[,examples=N]": for benchmarks.
struct SyntheticTokens {
    std::int64_t vocabulary = 32128;
    std::int64_t inputs = 256;
    std::int64_t targets = 64;
    std::int64_t examples = 1024;  ///< of an epoch
};

/// Usage names what cannot be read.
SyntheticTokens parseSyntheticTokens(const std::string& source);

/// Ids uniform in [2, vocabulary), full length; depends on the arguments alone.
TextExample syntheticExample(const SyntheticTokens& spec, Split part, std::uint64_t seed,
                             std::uint64_t epoch, std::uint64_t number);

}  // namespace core
