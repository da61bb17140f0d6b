// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/assignment.h"

namespace parity {

/// The assignment with its counts on the host and without the rows that are no one's.
inline core::Assignment exact(core::Backend& backend, core::Assignment a) {
    core::ops::readCounts(backend, a);
    for (core::Tensor* table : {&a.slotToken, &a.slotExpert, &a.tokenSlots})
        *table = table->rows(0, a.slots());
    return a;
}

}  // namespace parity
