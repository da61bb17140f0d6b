// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

// Tensor cores for BF16 (compute capability 8.0 and later). Every call is one of the whole warp.
// With row = lane / 4 and pair = lane % 4 * 2 a lane holds (PTX ISA, "Matrix Fragments for
// mma.m16n8k16"; the lower half of a register is the left or upper element):
//   A [16, 16]  a[0]: A[row][pair, pair + 1]      a[1]: A[row + 8][pair, pair + 1]
//               a[2]: A[row][pair + 8, pair + 9]  a[3]: A[row + 8][pair + 8, pair + 9]
//   B [16, 8]   b[0]: B[pair, pair + 1][row]      b[1]: B[pair + 8, pair + 9][row]
//   C [16, 8]   c[0], c[1]: C[row][pair, pair + 1]  c[2], c[3]: C[row + 8][pair, pair + 1]

namespace gpu {

/// c += A B, sums in float.
__device__ __forceinline__ void mmaBf16(float (&c)[4], const std::uint32_t (&a)[4],
                                        const std::uint32_t (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// Four 8 x 8 matrices of two-byte elements from shared memory: lane 8 m + r gives where row r of
/// matrix m begins (a multiple of 16 bytes), written before the last barrier; into[m] = matrix m
/// [row][pair, pair + 1].
__device__ __forceinline__ void loadMatrices(std::uint32_t (&into)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(into[0]), "=r"(into[1]), "=r"(into[2]), "=r"(into[3])
                 : "r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(row))));
}

/// The same, transposed: into[m] = matrix m [pair, pair + 1][row].
__device__ __forceinline__ void loadMatricesTransposed(std::uint32_t (&into)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
                 : "=r"(into[0]), "=r"(into[1]), "=r"(into[2]), "=r"(into[3])
                 : "r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(row))));
}

/// Two floats rounded to nearest even as one register of a fragment.
__device__ __forceinline__ std::uint32_t packBf16(float lower, float upper) {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(lower, upper);
    return static_cast<std::uint32_t>(__bfloat16_as_ushort(pair.x)) |
           static_cast<std::uint32_t>(__bfloat16_as_ushort(pair.y)) << 16U;
}

}  // namespace gpu
