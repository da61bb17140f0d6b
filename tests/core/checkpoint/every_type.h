// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/checkpoint_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace core::test {

/// The element types that NumPy has, and bfloat16: what an npz holds.
inline constexpr std::array kNumpyTypes{DType::F64, DType::F32, DType::F16, DType::BF16, DType::I64,
                                        DType::I32, DType::I16, DType::I8,  DType::U64,  DType::U32,
                                        DType::U16, DType::U8,  DType::Bool};
/// What PyTorch has besides.
inline constexpr std::array kNarrowTypes{DType::F8E4M3, DType::F8E5M2};

/// One tensor [3, 5] of each type, "<prefix>F64" ...
inline std::vector<TensorInfo> oneOfEach(std::span<const DType> types, const std::string& prefix) {
    std::vector<TensorInfo> infos;
    for (const DType dtype : types) {
        TensorInfo& info = infos.emplace_back();
        info.name = prefix + std::string(dtypeName(dtype));
        info.dtype = dtype;
        info.shape = {3, 5};
    }
    return infos;
}

/// Arbitrary bytes that a tensor of `oneOfEach` may hold.
inline std::vector<std::byte> pattern(const TensorInfo& info, std::size_t seed) {
    std::vector<std::byte> bytes(15 * dtypeBytes(info.dtype));
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>(info.dtype == DType::Bool ? (i + seed) % 2
                                                                    : (31 * i + 7 * seed) % 251);
    return bytes;
}

/// Writes the patterns, the last tensor first, each in two pieces.
inline void writePatterns(const Path& target, const std::vector<TensorInfo>& infos,
                          const WriterOptions& options) {
    const auto writer = CheckpointWriter::create(target, infos, options);
    for (std::size_t i = infos.size(); i-- > 0;) {
        const std::vector<std::byte> bytes = pattern(infos[i], i);
        writer->write(i, std::span(bytes).first(4));
        writer->write(i, std::span(bytes).subspan(4));
    }
    writer->commit();
}

/// Expects these tensors in this order, with the patterns.
inline void expectPatterns(const Checkpoint& checkpoint, const std::vector<TensorInfo>& infos) {
    ASSERT_EQ(checkpoint.tensors().size(), infos.size());
    for (std::size_t i = 0; i < infos.size(); ++i) {
        const TensorInfo& info = checkpoint.tensors()[i];
        EXPECT_EQ(info.name, infos[i].name);
        EXPECT_EQ(info.dtype, infos[i].dtype);
        EXPECT_EQ(info.shape, infos[i].shape);
        std::vector<std::byte> bytes(info.bytes);
        checkpoint.read(info, 0, info.shape.elements(), bytes);
        EXPECT_EQ(bytes, pattern(infos[i], i)) << info.name;
    }
}

}  // namespace core::test
