// SPDX-License-Identifier: Apache-2.0
#include "core/model/feed_forward.h"

namespace core {

const Routing* FeedForward::Saved::routing() const {
    const auto* moe = std::get_if<MoeMlp::Saved>(&mlp);
    return moe == nullptr ? nullptr : &moe->routing;
}

FeedForward::Saved FeedForward::forward(const Pass& pass, Out y, const Tensor& x,
                                        const TokenRows& rows, const Dropout& dropout) const {
    if (const auto* dense = std::get_if<Mlp>(&mlp_)) return {dense->forward(pass, y, x, dropout)};
    return {std::get<MoeMlp>(mlp_).forward(pass, y, x, rows, dropout)};
}

void FeedForward::backward(const Pass& pass, Out dx, const Saved& s, const Tensor& dy, float dAux,
                           float dZ) const {
    if (const auto* dense = std::get_if<Mlp>(&mlp_))
        dense->backward(pass, dx, std::get<Mlp::Saved>(s.mlp), dy);
    else
        std::get<MoeMlp>(mlp_).backward(pass, dx, std::get<MoeMlp::Saved>(s.mlp), dy, dAux, dZ);
}

}  // namespace core
