// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/spec.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace core {

/// One axis of a tensor and the config's words for its size ("hidden_size = 96").
struct ExpectedAxis {
    std::int64_t size = 0;
    std::string key;
};
ExpectedAxis configAxis(const char* key, std::int64_t size);

struct ExpectedTensor {
    std::string name;  ///< for experts with "{e}" in place of the number
    std::vector<ExpectedAxis> axes;
    std::int64_t experts = 0;  ///< > 0: there is one such tensor per expert
    bool decay = false;        ///< weight decay applies
    bool mlp = false;          ///< of a block's MLP: experts, router, or the dense matrices
    std::string block;         ///< "encoder.3"; empty outside of the blocks
    int neuronAxis = -1;       ///< the axis that runs over the MLP's intermediate neurons, or -1
    double initialStd = 0;     ///< of a random start, for matrices
    Shape shape() const;       ///< of one tensor in the file
};

/// Name of expert `e`'s tensor from a name with "{e}".
std::string expertName(const std::string& name, std::int64_t e);

/// Appends tensors of one place of the tree to a list.
class TensorList {
  public:
    struct Place {
        std::string name;   ///< what the tensors' names begin with
        std::string block;  ///< "encoder.3", or empty
        std::int64_t experts = 0;
        bool mlp = false;
    };
    TensorList(std::vector<ExpectedTensor>& tensors, Place place)
        : tensors_(tensors), place_(std::move(place)) {}

    ExpectedTensor& add(const std::string& name, std::vector<ExpectedAxis> axes, bool decay,
                        double initialStd) {
        return tensors_.emplace_back(ExpectedTensor{place_.name + name, std::move(axes),
                                                    place_.experts, decay, place_.mlp, place_.block,
                                                    -1, initialStd});
    }

  private:
    std::vector<ExpectedTensor>& tensors_;
    Place place_;
};

/// The experts' axis of a block's router.
ExpectedAxis expertsAxis(const BlockSpec& block);

/// All tensors of a model of this spec, in transformers' order: the one place that knows the
/// names. `names` matters for ViTs. Empty for families whose tensors are not known here (Llama).
std::vector<ExpectedTensor> expectedTensors(const ModelSpec& spec, const VitNames& names);

/// The tensors of one block's MLP. `dense` and `experts` have the same order in every spec: a dense
/// tensor becomes the expert tensor at its place.
struct MlpTensors {
    std::vector<const ExpectedTensor*> dense;    ///< empty in a sparse block
    std::vector<const ExpectedTensor*> experts;  ///< empty in a dense block
    const ExpectedTensor* router = nullptr;
};

/// By block name; they point into `tensors`.
std::unordered_map<std::string_view, MlpTensors> mlpsOf(const std::vector<ExpectedTensor>& tensors);

}  // namespace core
