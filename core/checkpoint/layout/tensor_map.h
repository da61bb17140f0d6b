// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// Where a tensor of the HF layout lies in a checkpoint of another layout:
/// value = reshape(permute(reshape(stored[slice], view), order), shape).
struct TensorMap {
    std::string name;                   ///< in the HF layout
    Shape shape;                        ///< there
    std::string stored;                 ///< name of the tensor that holds it
    std::optional<std::int64_t> slice;  ///< expert e of a stack [E, ...]; empty = the whole tensor
    Shape view;                         ///< axes in which the stored elements are permuted
    std::vector<int> order;             ///< view axis of each permuted axis; empty = as they lie
};

/// How the axes of a stored tensor become those of the HF layout (in the stored tensor's terms; of
/// a stack [E, ...] each expert's).
enum class Axes : std::uint8_t {
    Same,         ///< as they are
    Transposed,   ///< [in, out] -> [out, in]
    Convolution,  ///< [height, width, in, out] -> [out, in, height, width]
    HeadsOut,     ///< query, key, value: [in, heads, d] or [in, heads * d] -> [heads * d, in]
    HeadsIn,      ///< projection back: [heads, d, out] or [heads * d, out] -> [out, heads * d]
    HeadsBias     ///< [heads, d] or [heads * d] -> [heads * d]
};

/// One line of a layout's table, read in both directions. "{i}" stands for a block's number; "{e}",
/// in `name` alone, for an expert of the stack that `stored` is.
struct NameRule {
    std::string_view stored;
    std::string_view name;
    Axes axes = Axes::Same;
};

/// Numbers in place of a pattern's "{i}" and "{e}".
struct Numbers {
    std::int64_t block = 0;
    std::int64_t expert = 0;
};

/// The numbers in `text` when it is of this pattern: plain decimal numbers below 1,000,000.
std::optional<Numbers> matchPattern(std::string_view pattern, std::string_view text) noexcept;
std::string fillPattern(std::string_view pattern, const Numbers& numbers);

/// The stored tensor under HF names by the first rule for its name (which is taken without
/// `prefix`); one per expert of a stack; empty when no rule is for it. BadInput, naming `where` and
/// the tensor, when its shape is not the rule's.
std::vector<TensorMap> mapStored(std::span<const NameRule> rules, std::string_view prefix,
                                 const TensorInfo& stored, const std::string& where);

/// The number of heads that a stored tensor shows by its axes, when `rules` say that it has them.
std::optional<std::int64_t> headsOf(std::span<const NameRule> rules, std::string_view prefix,
                                    const TensorInfo& stored);

/// What a tensor of the HF layout is stored as.
struct StoredTensor {
    TensorMap map;
    Shape shape;  ///< of the whole stored tensor; its first axis is 0 in a stack (not known here)
};

/// The reverse, by the first rule for the HF name; `heads` of the model shape joined axes, which
/// become [in, heads, d] when `splitHeads`.
std::optional<StoredTensor> mapToStored(std::span<const NameRule> rules, const TensorInfo& tensor,
                                        std::int64_t heads, bool splitHeads);

}  // namespace core
