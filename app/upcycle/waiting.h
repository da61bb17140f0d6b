// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace upcycle {

/// Makes idle OpenMP threads sleep after a few microseconds instead of spinning for milliseconds:
/// on a machine with other work, spinning makes a small step hundreds of times slower. The OpenMP
/// library reads its environment before main, so the program is executed anew with the setting,
/// unless the environment says something about waiting already.
void waitPolitely(char** argv);

}  // namespace upcycle
