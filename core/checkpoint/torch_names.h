// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/dtype.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace core {

/// What a Python name means in a state dict.
enum class TorchRole : std::uint8_t {
    OrderedDict,         ///< OrderedDict() or OrderedDict([(key, value)...])
    Tensor,              ///< (storage, offset, size, stride)
    TensorV2,            ///< (..., requires_grad, hooks[, metadata])
    TensorV3,            ///< (..., requires_grad, hooks, dtype[, metadata])
    Parameter,           ///< (tensor, requires_grad, hooks)
    ParameterWithState,  ///< (tensor, requires_grad, hooks, state)
    FromType,            ///< (callable, type, arguments, state): a tensor with attributes
    Size,                ///< ((sizes...),)
    Value,               ///< makes a value that is no tensor
    Storage,             ///< the type of a storage; elements of one type
    UntypedStorage,      ///< the type of a storage that is counted in bytes
    DType,
    Type  ///< named but never called
};

/// A name that a state dict may use.
struct TorchName {
    std::string_view module;
    std::string_view name;
    TorchRole role;
    std::optional<DType> dtype;  ///< of a Storage or DType; none for types that are not read
    std::uint64_t width = 1;     ///< bytes of an element of a Storage

    std::string text() const { return std::string(module) + "." + std::string(name); }
};

/// All of them; whatever is not here is refused by name and never run.
std::span<const TorchName> torchNames();

/// Position in `torchNames()`.
std::optional<std::uint32_t> findTorchName(std::string_view module, std::string_view name);

}  // namespace core
