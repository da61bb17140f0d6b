// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/strided_view.h"
#include "core/checkpoint/torch_container.h"
#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

#include <string>
#include <vector>

namespace core {

/// A tensor of a state dict.
struct TorchTensor {
    std::string name;
    std::string storedAs;  ///< name in the file where that is another one
    DType dtype = DType::F32;
    Shape shape;
    StridedView view;  ///< of its storage
    const TorchStorage* storage = nullptr;
};

struct TorchStateDict {
    std::vector<TorchTensor> tensors;  ///< in the order of the dict
    std::vector<std::string> notes;    ///< what was left aside, what shares its values
};

/// The tensors of what was saved: a dict of them, or the one dict of them that stands under a name
/// such as "model" or "state_dict" among other things. Tensors point into `container`. BadInput
/// when there is no such dict or more than one, and for tensors that reach outside their storage,
/// have no known dtype or are views of another kind.
TorchStateDict readStateDict(const TorchContainer& container);

/// One tensor: the call that makes it. `name` is for messages.
TorchTensor readTorchTensor(const TorchContainer& container, PickleRef value,
                            const std::string& name);

/// Whether a value is a call that makes a tensor.
bool isTorchTensor(const Pickle& pickle, PickleRef value);

}  // namespace core
