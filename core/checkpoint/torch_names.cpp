// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/torch_names.h"

#include <algorithm>
#include <array>

namespace core {
namespace {

constexpr std::string_view kRebuild = "torch._utils";
constexpr std::string_view kTorch = "torch";

constexpr TorchName typed(std::string_view name, DType dtype, std::uint64_t width) {
    return {kTorch, name, TorchRole::Storage, dtype, width};
}
constexpr TorchName unread(std::string_view name, std::uint64_t width) {
    return {kTorch, name, TorchRole::Storage, std::nullopt, width};
}
constexpr TorchName dtypeName(std::string_view name, std::optional<DType> dtype) {
    return {kTorch, name, TorchRole::DType, dtype};
}
constexpr TorchName value(std::string_view module, std::string_view name) {
    return {module, name, TorchRole::Value, std::nullopt};
}

// torch/_utils.py, torch/storage.py, torch/_weights_only_unpickler.py.
constexpr std::array kNames{
    TorchName{"collections", "OrderedDict", TorchRole::OrderedDict, std::nullopt},
    TorchName{kRebuild, "_rebuild_tensor", TorchRole::Tensor, std::nullopt},
    TorchName{kRebuild, "_rebuild_tensor_v2", TorchRole::TensorV2, std::nullopt},
    TorchName{kRebuild, "_rebuild_tensor_v3", TorchRole::TensorV3, std::nullopt},
    TorchName{kRebuild, "_rebuild_parameter", TorchRole::Parameter, std::nullopt},
    TorchName{kRebuild, "_rebuild_parameter_with_state", TorchRole::ParameterWithState,
              std::nullopt},
    TorchName{"torch._tensor", "_rebuild_from_type_v2", TorchRole::FromType, std::nullopt},
    TorchName{kTorch, "Size", TorchRole::Size, std::nullopt},
    TorchName{kTorch, "Tensor", TorchRole::Type, std::nullopt},
    TorchName{"torch.nn.parameter", "Parameter", TorchRole::Type, std::nullopt},
    TorchName{"torch.nn.parameter", "Buffer", TorchRole::Type, std::nullopt},
    typed("FloatStorage", DType::F32, 4),
    typed("DoubleStorage", DType::F64, 8),
    typed("HalfStorage", DType::F16, 2),
    typed("BFloat16Storage", DType::BF16, 2),
    typed("LongStorage", DType::I64, 8),
    typed("IntStorage", DType::I32, 4),
    typed("ShortStorage", DType::I16, 2),
    typed("CharStorage", DType::I8, 1),
    typed("ByteStorage", DType::U8, 1),
    typed("BoolStorage", DType::Bool, 1),
    unread("ComplexFloatStorage", 8),
    unread("ComplexDoubleStorage", 16),
    unread("QInt8Storage", 1),
    unread("QUInt8Storage", 1),
    unread("QInt32Storage", 4),
    unread("QUInt4x2Storage", 1),
    unread("QUInt2x4Storage", 1),
    TorchName{"torch.storage", "UntypedStorage", TorchRole::UntypedStorage, std::nullopt},
    TorchName{"torch.storage", "_UntypedStorage", TorchRole::UntypedStorage, std::nullopt},
    dtypeName("float64", DType::F64),
    dtypeName("float32", DType::F32),
    dtypeName("float16", DType::F16),
    dtypeName("bfloat16", DType::BF16),
    dtypeName("float8_e4m3fn", DType::F8E4M3),
    dtypeName("float8_e5m2", DType::F8E5M2),
    dtypeName("int64", DType::I64),
    dtypeName("int32", DType::I32),
    dtypeName("int16", DType::I16),
    dtypeName("int8", DType::I8),
    dtypeName("uint64", DType::U64),
    dtypeName("uint32", DType::U32),
    dtypeName("uint16", DType::U16),
    dtypeName("uint8", DType::U8),
    dtypeName("bool", DType::Bool),
    dtypeName("float8_e4m3fnuz", std::nullopt),
    dtypeName("float8_e5m2fnuz", std::nullopt),
    dtypeName("float8_e8m0fnu", std::nullopt),
    dtypeName("float4_e2m1fn_x2", std::nullopt),
    dtypeName("complex32", std::nullopt),
    dtypeName("complex64", std::nullopt),
    dtypeName("complex128", std::nullopt),
    dtypeName("qint8", std::nullopt),
    dtypeName("quint8", std::nullopt),
    dtypeName("qint32", std::nullopt),
    value(kTorch, "device"),
    value("torch.serialization", "_get_layout"),
    value("collections", "Counter"),
    value("_codecs", "encode"),
    value("builtins", "set"),
    value("builtins", "bytearray"),
    value("builtins", "complex"),
    value("__builtin__", "set"),
    value("__builtin__", "bytearray"),
    value("__builtin__", "complex"),
};

}  // namespace

std::span<const TorchName> torchNames() { return kNames; }

std::optional<std::uint32_t> findTorchName(std::string_view module, std::string_view name) {
    if (module == "torch.cuda" && name.ends_with("Storage")) module = kTorch;
    const auto* const found = std::find_if(
        kNames.begin(), kNames.end(),
        [&](const TorchName& known) { return known.name == name && known.module == module; });
    if (found == kNames.end()) return std::nullopt;
    return static_cast<std::uint32_t>(found - kNames.begin());
}

}  // namespace core
