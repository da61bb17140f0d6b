// SPDX-License-Identifier: Apache-2.0
#include "core/run/evaluate_in_pieces.h"

#include <chrono>

namespace core {
namespace {

constexpr std::chrono::milliseconds kPiece{300};

}  // namespace

std::optional<EvalResult> evaluateInPieces(Model& model, BatchSource& batches, const LossSpec& loss,
                                           const std::function<bool(std::int64_t done)>& goOn) {
    using Clock = std::chrono::steady_clock;
    Clock::time_point asked = Clock::now();
    bool dropped = false;
    EvalResult result = evaluate(model, batches, loss, [&](std::int64_t done) {
        if (Clock::now() - asked < kPiece) return true;
        dropped = !goOn(done);
        asked = Clock::now();
        return !dropped;
    });
    if (dropped) return std::nullopt;
    return result;
}

}  // namespace core
