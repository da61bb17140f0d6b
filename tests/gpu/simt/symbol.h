// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace simt {

/// The name of a function of this program, internal ones included (read from the symbol table of
/// the executable); its address when there is none.
std::string symbolName(const void* function);

}  // namespace simt
