// SPDX-License-Identifier: Apache-2.0
#include "core/ops/assignment.h"

#include "core/ops/memory.h"

#include <algorithm>

namespace core::ops {

Assignment makeAssignment(std::int64_t tokens,
                          std::span<const std::vector<std::int32_t>> accepted) {
    Assignment a;
    a.tokens = tokens;
    a.experts = static_cast<std::int64_t>(accepted.size());
    a.offsets.assign(1, 0);
    for (const auto& list : accepted)
        a.offsets.push_back(a.offsets.back() + static_cast<std::int64_t>(list.size()));
    a.slotToken = Tensor::host({a.slots()}, DType::I32);
    a.slotExpert = Tensor::host({a.slots()}, DType::I32);
    a.tokenOffsets = Tensor::zeros({tokens + 1}, DType::I32);
    a.tokenSlots = Tensor::host({a.slots()}, DType::I32);

    auto* slotToken = a.slotToken.data<std::int32_t>();
    auto* slotExpert = a.slotExpert.data<std::int32_t>();
    auto* tokenOffsets = a.tokenOffsets.data<std::int32_t>();
    auto* tokenSlots = a.tokenSlots.data<std::int32_t>();
    std::int32_t slot = 0;
    for (std::size_t e = 0; e < accepted.size(); ++e)
        for (const std::int32_t token : accepted[e]) {
            slotToken[slot] = token;
            slotExpert[slot++] = static_cast<std::int32_t>(e);
            ++tokenOffsets[token + 1];
        }
    for (std::int64_t t = 0; t < tokens; ++t) tokenOffsets[t + 1] += tokenOffsets[t];
    std::vector<std::int32_t> next(tokenOffsets, tokenOffsets + tokens);
    for (std::int32_t s = 0; s < slot; ++s)
        tokenSlots[next[static_cast<std::size_t>(slotToken[s])]++] = s;
    return a;
}

void readCounts(Backend& backend, Assignment& a) {
    if (!a.offsets.empty() || !a.offsetsThere.defined()) return;
    const Tensor offsets = readable(backend, a.offsetsThere);
    a.offsets.assign(offsets.span<std::int64_t>().begin(), offsets.span<std::int64_t>().end());
    const Tensor asked = readable(backend, a.groupRequested);
    a.requested.assign(static_cast<std::size_t>(a.experts), 0);
    for (std::int64_t i = 0; i < asked.elements(); ++i)
        a.requested[static_cast<std::size_t>(i % a.experts)] +=
            static_cast<std::int64_t>(asked.data<float>()[i]);
}

}  // namespace core::ops
