// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/kernels/table.h"

namespace core::cpu::UPCYCLER_ISA {
namespace {

typedef std::uint16_t UnalignedQuarterVec
    __attribute__((vector_size(kLanes), aligned(2), may_alias));
typedef std::uint32_t HalfBitsVec __attribute__((vector_size(kLanes * 2)));

UPCYCLER_INLINE DoubleVec widen(const float* x) {
    return __builtin_convertvector(*reinterpret_cast<const UnalignedHalfVec*>(x), DoubleVec);
}

UPCYCLER_INLINE DoubleVec widen(const BFloat16* x) {
    const auto shorts = *reinterpret_cast<const UnalignedQuarterVec*>(x);
    const HalfBitsVec bits = __builtin_convertvector(shorts, HalfBitsVec) << 16U;
    return __builtin_convertvector(__builtin_bit_cast(HalfVec, bits), DoubleVec);
}

template <typename T, typename Map>
UPCYCLER_INLINE double sumMapped(const T* x, Index n, Map map) {
    constexpr int kHalf = kLanes / 2;
    DoubleVec a{};
    DoubleVec b{};
    Index i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        a += map(widen(x + i));
        b += map(widen(x + i + kHalf));
    }
    double total = core::cpu::UPCYCLER_ISA::sum(a + b);
    for (; i < n; ++i) total += map(static_cast<double>(value(x[i])));
    return total;
}

}  // namespace

template <typename T>
void Elementwise<T>::add(T* y, const T* a, const T* b, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, get(a + i) + get(b + i)); });
}

template <typename T>
void Elementwise<T>::multiply(T* y, const T* a, const T* b, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, get(a + i) * get(b + i)); });
}

template <typename T>
void Elementwise<T>::axpy(T* y, const T* x, float factor, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, get(y + i) + get(x + i) * factor); });
}

template <typename T>
void Elementwise<T>::scaled(T* y, const T* x, float factor, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, get(x + i) * factor); });
}

template <typename T>
float Elementwise<T>::dot(const T* a, const T* b, Index n) {
    Vec total{};
    forVectors(
        n, [&](Index i, auto get, auto)
               __attribute__((always_inline)) { total += get(a + i) * get(b + i); });
    return core::cpu::UPCYCLER_ISA::sum(total);
}

template <typename T>
double Elementwise<T>::sum(const T* x, Index n) {
    return sumMapped(
        x, n, [](auto v) __attribute__((always_inline)) { return v; });
}

template <typename T>
void Elementwise<T>::columnSums(double* sums, const T* x, Index rows, Index columns, Index stride) {
    constexpr Index kRows = 64;
    for (Index top = 0; top < rows; top += kRows) {
        const Index bottom = top + kRows < rows ? top + kRows : rows;
        forVectors(
            columns, [&](Index c, auto get, auto) __attribute__((always_inline)) {
                Vec total{};
                for (Index r = top; r < bottom; ++r) total += get(x + r * stride + c);
                const Index width = columns - c < kLanes ? columns - c : kLanes;
                for (int i = 0; i < width; ++i) sums[c + i] += static_cast<double>(total[i]);
            });
    }
}

template <typename T>
void Elementwise<T>::addRows(T* y, const float* bias, Index rows, Index columns, Index stride) {
    for (Index r = 0; r < rows; ++r) addFloats(y + r * stride, y + r * stride, bias, columns);
}

template <typename T>
void Elementwise<T>::addFloats(T* y, const T* a, const float* b, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, get(a + i) + get(b + i)); });
}

template <typename T>
void Elementwise<T>::addTo(float* y, const T* x, Index n) {
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, get(y + i) + get(x + i)); });
}

template <typename T>
void Elementwise<T>::fromFloats(T* y, const float* x, Index n) {
    if constexpr (sizeof(T) == sizeof(float)) {
        __builtin_memcpy(y, x, static_cast<std::uint64_t>(n) * sizeof(T));
        return;
    }
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, get(x + i)); });
}

template <typename T>
void Elementwise<T>::toFloats(float* y, const T* x, Index n) {
    if constexpr (sizeof(T) == sizeof(float)) {
        __builtin_memcpy(y, x, static_cast<std::uint64_t>(n) * sizeof(T));
        return;
    }
    forVectors(
        n, [&](Index i, auto get, auto put)
               __attribute__((always_inline)) { put(y + i, get(x + i)); });
}

template <typename T>
void Elementwise<T>::sumOfRows(T* y, const T* x, const std::int32_t* chosen, const float* weights,
                               Index count, Index columns) {
    forVectors(
        columns, [&](Index c, auto get, auto put) __attribute__((always_inline)) {
            Vec total{};
            for (Index i = 0; i < count; ++i) {
                const Vec row = get(x + chosen[i] * columns + c);
                if (weights == nullptr)
                    total += row;
                else
                    total += row * weights[chosen[i]];
            }
            put(y + c, total);
        });
}

template struct Elementwise<float>;
template struct Elementwise<BFloat16>;

double sumOfSquares(const float* x, Index n) {
    return sumMapped(
        x, n, [](auto v) __attribute__((always_inline)) { return v * v; });
}

}  // namespace core::cpu::UPCYCLER_ISA
