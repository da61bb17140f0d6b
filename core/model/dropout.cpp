// SPDX-License-Identifier: Apache-2.0
#include "core/model/dropout.h"

#include "core/base/random.h"
#include "core/ops/dropout.h"

namespace core {

Dropout Dropout::at(std::string_view place) const {
    return rate > 0 ? Dropout{rate, hashName(key, place)} : Dropout{};
}

void Dropout::apply(const Pass& pass, InOut x) const {
    if (rate > 0) ops::dropout(pass.backend, x, x, rate, key);
}

}  // namespace core
