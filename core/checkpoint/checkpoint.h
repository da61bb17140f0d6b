// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// What a checkpoint says of one tensor without reading it.
struct TensorInfo {
    std::string name;
    DType dtype = DType::F32;
    Shape shape;
    std::uint64_t bytes = 0;
    std::string file;          ///< file name inside the checkpoint's folder
    std::uint64_t offset = 0;  ///< of the first byte in that file (0 where the format has none)
    /// Name in the file where that is another one ("Transformer/encoderblock_0/MlpBlock_3/Dense_0/
    /// kernel", with "[3]" behind it for a part of a stack), else empty.
    std::string storedAs;
};

/// What a person can say of a checkpoint that its files do not.
struct OpenOptions {
    std::optional<std::int64_t> heads;      ///< attention heads, where shapes alone cannot tell
    std::optional<std::int64_t> imageSize;  ///< ViT: position embeddings are resized to it
};

/// A lazy index over one or more files: headers are read at once, elements when asked. Immutable
/// and safe to share between threads. Every reader bounds every length, offset, shape and count
/// before use.
class Checkpoint {
  public:
    virtual ~Checkpoint() = default;

    /// MODEL of the command line: a checkpoint file, a shard index, a directory in the HF layout.
    /// Throws BadInput naming file, place, what was found and what was expected. (Run directories
    /// are resolved by core/run before they come here.)
    static std::shared_ptr<const Checkpoint> open(const Path& path,
                                                  const OpenOptions& options = {});

    /// "safetensors", "hdf5", "npz" or "torch".
    virtual std::string format() const = 0;
    /// The folder that holds it, and the files it consists of.
    virtual const Path& folder() const = 0;
    virtual std::vector<std::string> files() const = 0;
    /// config.json's text: what the weights' file itself carries (HDF5: root attribute "config";
    /// safetensors: __metadata__'s "upcycler.config"), else the file beside it; empty where there
    /// is none.
    virtual const std::string& configText() const = 0;
    /// safetensors __metadata__ or further HDF5 root attributes of text type.
    virtual const std::map<std::string, std::string>& metadata() const = 0;

    /// How names and axes lie in the files (layout.h); the tensors are listed as "hf" has them
    /// wherever the layout is known.
    virtual std::string layout() const { return "hf"; }
    /// Keys of a config.json that the layout fixes or its shapes show (a JSON object's text; empty
    /// where there are none), for checkpoints without a config.json.
    virtual const std::string& layoutConfig() const;
    /// Sentences on what was found and left aside or deserves a look.
    virtual const std::vector<std::string>& notes() const;

    /// In file order.
    virtual std::span<const TensorInfo> tensors() const = 0;
    /// nullptr when there is none.
    virtual const TensorInfo* find(std::string_view name) const = 0;
    /// Elements [begin, begin + count) of a tensor in its stored dtype, row-major; `into` has
    /// exactly their bytes.
    virtual void read(const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
                      std::span<std::byte> into) const = 0;

    /// The whole tensor as f32.
    std::vector<float> readFloats(const TensorInfo& tensor) const;
};

}  // namespace core
