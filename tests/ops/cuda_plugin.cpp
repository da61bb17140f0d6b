// SPDX-License-Identifier: Apache-2.0
#include "gpu/plugin.h"
#include "tests/ops/backends.h"

#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <string>

namespace parity {
namespace {

#ifdef UPCYCLE_CUDA_PLUGIN
constexpr const char* kPlugin = UPCYCLE_CUDA_PLUGIN;
#else
constexpr const char* kPlugin = nullptr;
#endif

template <typename Function>
Function* symbol(void* library, const char* name) {
    return reinterpret_cast<Function*>(::dlsym(library, name));
}

MadeBackend open() {
    const char* const named = std::getenv("UPCYCLER_CUDA_PLUGIN");  // as the program does
    const char* const plugin = named != nullptr ? named : kPlugin;
    if (plugin == nullptr) return {nullptr, "the CUDA plug-in was not built: nvcc was not found"};
    // stays open: the CUDA runtime does not like to be unloaded
    void* const library = ::dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return {nullptr, ::dlerror()};
    auto* const create = symbol<decltype(upcycleCudaCreate)>(library, "upcycleCudaCreate");
    if (create == nullptr) return {nullptr, "the CUDA plug-in has no upcycleCudaCreate"};
    std::array<char, 512> error{};
    core::Backend* const backend = create(0, error.data(), static_cast<int>(error.size()));
    return {std::unique_ptr<core::Backend>(backend), error.data()};
}

}  // namespace

MadeBackend makeCuda() { return open(); }

}  // namespace parity
