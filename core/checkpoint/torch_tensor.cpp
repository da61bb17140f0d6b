// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/torch_names.h"
#include "core/checkpoint/torch_state_dict.h"

#include <fmt/format.h>

#include <utility>

namespace core {
namespace {

constexpr std::size_t kMaxRank = 64;
constexpr int kMostWrappings = 4;

const TorchName& calleeOf(const Pickle& pickle, PickleRef call) {
    return torchNames()[pickle.name(pickle.items(call)[0])];
}

std::span<const PickleRef> argumentsOf(const Pickle& pickle, PickleRef call) {
    return pickle.items(pickle.items(call)[1]);
}

class TensorReader {
  public:
    TensorReader(const TorchContainer& container, const std::string& name)
        : container_(container), pickle_(container.pickle), name_(name) {}

    TorchTensor read(PickleRef value) {
        std::span<const PickleRef> arguments = argumentsOf(pickle_, value);
        TorchRole role = calleeOf(pickle_, value).role;
        for (int depth = 0; isWrapping(role); ++depth) unwrap(arguments, role, depth);
        const std::size_t least = role == TorchRole::Tensor     ? 4
                                  : role == TorchRole::TensorV2 ? 6
                                                                : 7;
        const std::size_t most = role == TorchRole::Tensor ? 4 : least + 1;
        if (arguments.size() < least || arguments.size() > most)
            refuse(fmt::format("is made of {} arguments, expected {} to {}", arguments.size(),
                               least, most));
        if (arguments.size() > least) requirePlain(arguments[least]);
        const StorageClaim claim = storageOf(arguments[0]);
        const DType dtype = dtypeOf(claim, role, arguments);
        return assemble(claim, dtype, arguments);
    }

  private:
    [[noreturn]] void refuse(const std::string& text,
                             const char* hint =
                                 "the file is damaged or torch.save did not write "
                                 "it: copy it again") const {
        throw Error(ErrorKind::BadInput,
                    fmt::format("{}: tensor '{}' {}", container_.where, printable(name_), text),
                    hint);
    }

    static bool isWrapping(TorchRole role) {
        return role == TorchRole::Parameter || role == TorchRole::ParameterWithState ||
               role == TorchRole::FromType;
    }

    /// From a parameter to its tensor; from a tensor with attributes to the call that makes it.
    void unwrap(std::span<const PickleRef>& arguments, TorchRole& role, int depth) const {
        if (depth == kMostWrappings) refuse("is wrapped too often");
        const std::size_t expected = role == TorchRole::Parameter ? 3 : 4;
        if (arguments.size() != expected)
            refuse(fmt::format("is made of {} arguments, expected {}", arguments.size(), expected));
        if (role == TorchRole::FromType) {
            if (!pickle_.is(arguments[0], PickleKind::Name) ||
                !pickle_.is(arguments[2], PickleKind::Tuple))
                refuse("is made by something that makes no tensor");
            role = torchNames()[pickle_.name(arguments[0])].role;
            arguments = pickle_.items(arguments[2]);
            if (!isWrapping(role) && role != TorchRole::Tensor && role != TorchRole::TensorV2 &&
                role != TorchRole::TensorV3)
                refuse("is made by something that makes no tensor");
            return;
        }
        const PickleRef inner = arguments[0];
        if (!isTorchTensor(pickle_, inner))
            refuse(fmt::format("is a parameter of {}, expected a tensor",
                               pickleKindName(pickle_.kind(inner))));
        role = calleeOf(pickle_, inner).role;
        arguments = argumentsOf(pickle_, inner);
    }

    /// Conjugate and negative views would need arithmetic.
    void requirePlain(PickleRef metadata) const {
        if (!pickle_.is(metadata, PickleKind::None) && !pickle_.items(metadata).empty())
            refuse("is a conjugate or negative view, which is not read",
                   "save a plain copy of it: tensor.clone()");
    }

    StorageClaim storageOf(PickleRef value) const {
        if (!pickle_.is(value, PickleKind::PersistentId))
            refuse(fmt::format("is a view of {}, expected a storage",
                               pickleKindName(pickle_.kind(value))));
        return readStorageClaim(pickle_, value, container_.where);
    }

    DType dtypeOf(const StorageClaim& claim, TorchRole role,
                  std::span<const PickleRef> arguments) const {
        std::optional<DType> dtype = claim.dtype;
        std::string text(claim.type);
        if (role == TorchRole::TensorV3) {
            if (!pickle_.is(arguments[6], PickleKind::Name)) refuse("has no dtype");
            const TorchName& name = torchNames()[pickle_.name(arguments[6])];
            dtype = name.role == TorchRole::DType ? name.dtype : std::nullopt;
            text = name.name;
        }
        if (!dtype)
            refuse(fmt::format("is of {}, expected a plain real dtype (float64, float32, float16, "
                               "bfloat16, float8_e4m3fn, float8_e5m2, an integer or bool)",
                               text),
                   "convert it in PyTorch first");
        return *dtype;
    }

    std::vector<std::int64_t> numbers(PickleRef value, std::string_view what) const {
        if (pickle_.is(value, PickleKind::Call) &&
            calleeOf(pickle_, value).role == TorchRole::Size &&
            argumentsOf(pickle_, value).size() == 1)
            value = argumentsOf(pickle_, value)[0];
        const std::span<const PickleRef> items = pickle_.items(value);
        if (!pickle_.is(value, PickleKind::Tuple) && !pickle_.is(value, PickleKind::List))
            refuse(fmt::format("has {} as {}, expected a tuple",
                               pickleKindName(pickle_.kind(value)), what));
        if (items.size() > kMaxRank) refuse(fmt::format("has more than {} axes", kMaxRank));
        std::vector<std::int64_t> made;
        for (const PickleRef item : items) {
            if (!pickle_.is(item, PickleKind::Integer) || pickle_.integer(item) < 0)
                refuse(fmt::format("has something else than numbers from 0 as {}", what));
            made.push_back(pickle_.integer(item));
        }
        return made;
    }

    TorchTensor assemble(const StorageClaim& claim, DType dtype,
                         std::span<const PickleRef> arguments) const {
        TorchTensor tensor;
        tensor.name = name_;
        tensor.dtype = dtype;
        tensor.shape = Shape(numbers(arguments[2], "its size"));
        const std::vector<std::int64_t> strides = numbers(arguments[3], "its strides");
        const auto width = static_cast<std::int64_t>(dtypeBytes(dtype));
        const std::optional<std::int64_t> elements = tensor.shape.checkedElements();
        if (!elements || *elements > INT64_MAX / width)
            refuse(fmt::format("has the absurd shape {}", toString(tensor.shape)));
        if (strides.size() != tensor.shape.rank())
            refuse(fmt::format("has {} strides for the shape {}", strides.size(),
                               toString(tensor.shape)));
        if (!pickle_.is(arguments[1], PickleKind::Integer) || pickle_.integer(arguments[1]) < 0)
            refuse("has no storage offset from 0");
        const auto storage = container_.storages.find(claim.key);
        if (storage == container_.storages.end()) refuse("has a storage that is not in the file");
        tensor.storage = &storage->second;
        // A part of a storage counts in elements of the storage, a tensor in its own.
        const std::uint64_t first = claim.viewBegin * claim.width;
        const std::uint64_t bytes = claim.viewElements * claim.width;
        const std::int64_t offset = pickle_.integer(arguments[1]);
        std::optional<StridedView> view = makeStridedView(tensor.shape, strides, offset,
                                                          static_cast<std::int64_t>(bytes) / width);
        if (!view || first % static_cast<std::uint64_t>(width) != 0)
            refuse(
                fmt::format("reaches outside its storage: shape {}, strides {}, offset {} in "
                            "{} elements of {}",
                            toString(tensor.shape), toString(Shape(strides)), offset,
                            bytes / static_cast<std::uint64_t>(width), dtypeName(dtype)));
        view->offset += static_cast<std::int64_t>(first) / width;
        tensor.view = std::move(*view);
        return tensor;
    }

    const TorchContainer& container_;
    const Pickle& pickle_;
    const std::string& name_;
};

}  // namespace

bool isTorchTensor(const Pickle& pickle, PickleRef value) {
    if (!pickle.is(value, PickleKind::Call)) return false;
    switch (calleeOf(pickle, value).role) {
        case TorchRole::Tensor:
        case TorchRole::TensorV2:
        case TorchRole::TensorV3:
        case TorchRole::Parameter:
        case TorchRole::ParameterWithState:
        case TorchRole::FromType:
            return true;
        default:
            return false;
    }
}

TorchTensor readTorchTensor(const TorchContainer& container, PickleRef value,
                            const std::string& name) {
    return TensorReader(container, name).read(value);
}

}  // namespace core
