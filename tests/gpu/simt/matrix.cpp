// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/simt/matrix.h"

#include "tests/gpu/simt/block.h"
#include "tests/gpu/simt/shared_memory.h"

#include <bit>
#include <cstring>

namespace simt {
namespace {

constexpr int kLanes = 32;

struct Multiplied {
    float* c;
    const std::uint32_t* a;
    const std::uint32_t* b;
};

float lower(std::uint32_t pair) { return std::bit_cast<float>(pair << 16U); }
float upper(std::uint32_t pair) { return std::bit_cast<float>(pair & 0xFFFF0000U); }

/// The places of the PTX ISA's "Matrix Fragments for mma.m16n8k16 with floating point type".
const char* multiplyAll(void* const* lanes) {
    float a[16][16];
    float b[16][8];
    float c[16][8];
    for (int lane = 0; lane < kLanes; ++lane) {
        const auto& of = *static_cast<const Multiplied*>(lanes[lane]);
        const int group = lane >> 2;
        const int pair = lane % 4 * 2;
        for (int i = 0; i < 4; ++i) {
            const int row = i % 2 == 0 ? group : group + 8;
            const int column = i < 2 ? pair : pair + 8;
            a[row][column] = lower(of.a[i]);
            a[row][column + 1] = upper(of.a[i]);
            c[i < 2 ? group : group + 8][pair + i % 2] = of.c[i];
        }
        for (int i = 0; i < 2; ++i) {
            b[pair + 8 * i][group] = lower(of.b[i]);
            b[pair + 8 * i + 1][group] = upper(of.b[i]);
        }
    }
    for (int row = 0; row < 16; ++row)
        for (int k = 0; k < 16; ++k)
            for (int column = 0; column < 8; ++column) c[row][column] += a[row][k] * b[k][column];
    for (int lane = 0; lane < kLanes; ++lane)
        for (int i = 0; i < 4; ++i)
            static_cast<const Multiplied*>(lanes[lane])->c[i] =
                c[(lane >> 2) + i / 2 * 8][lane % 4 * 2 + i % 2];
    return nullptr;
}

struct Loaded {
    std::uint32_t* into;
    const void* row;
    bool transposed;
};

/// The places of the PTX ISA's "Warp-level matrix load instruction: ldmatrix".
const char* loadAll(void* const* lanes) {
    std::uint16_t matrices[4][8][8];
    for (int lane = 0; lane < kLanes; ++lane) {
        const void* row = static_cast<const Loaded*>(lanes[lane])->row;
        if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0)
            return "loads a matrix's row that is not aligned to 16 bytes";
        if (!inSharedMemory(row, 16)) return "loads a matrix's row from outside of shared memory";
        std::memcpy(matrices[lane / 8][lane % 8], row, 16);
    }
    for (int lane = 0; lane < kLanes; ++lane) {
        const auto& of = *static_cast<const Loaded*>(lanes[lane]);
        const int group = lane >> 2;
        const int pair = lane % 4 * 2;
        for (int i = 0; i < 4; ++i) {
            const auto& from = matrices[i];
            const std::uint32_t low = of.transposed ? from[pair][group] : from[group][pair];
            const std::uint32_t high =
                of.transposed ? from[pair + 1][group] : from[group][pair + 1];
            of.into[i] = low | high << 16U;
        }
    }
    return nullptr;
}

}  // namespace

void multiplyFragments(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                       const Location& where) {
    Multiplied mine{c, a, b};
    together(&mine, multiplyAll, where);
}

void loadFragments(std::uint32_t (&into)[4], const void* row, bool transposed,
                   const Location& where) {
    Loaded mine{into, row, transposed};
    together(&mine, loadAll, where);
}

}  // namespace simt
