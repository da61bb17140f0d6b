// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

namespace gpu {

/// 1 / (1 + e^-x)
__device__ __forceinline__ float sigmoid(float x) { return 1.0F / (1.0F + expf(-x)); }

/// x within [-limit, limit]; NaN stays NaN.
__device__ __forceinline__ float clampAbs(float x, float limit) {
    return x > limit ? limit : (x < -limit ? -limit : x);
}

// value = f(x), slope = f'(x), as on the CPU (core/cpu/kernels/activation.cpp): large |x| are
// clamped where a slope would be infinity times zero.

struct GeluErf {
    static __device__ __forceinline__ float value(float x) {
        return 0.5F * x * (erff(x * 0.707106781F) + 1.0F);
    }
    static __device__ __forceinline__ float slope(float x) {
        const float density = expf(x * x * -0.5F) * 0.398942280F;
        const float share = erff(x * 0.707106781F) * 0.5F + 0.5F;
        return share + clampAbs(x, 20.0F) * density;
    }
};

/// 0.5 x (1 + tanh(u)) = x sigmoid(2u), u = sqrt(2 / pi) (x + 0.044715 x^3)
struct GeluTanh {
    static __device__ __forceinline__ float value(float x) {
        return x * sigmoid((x * x * 0.044715F + 1.0F) * x * 1.59576912F);
    }
    static __device__ __forceinline__ float slope(float x) {
        const float near = clampAbs(x, 20.0F);
        const float s = sigmoid((near * near * 0.044715F + 1.0F) * near * 1.59576912F);
        const float inner = (near * near * (3.0F * 0.044715F) + 1.0F) * 1.59576912F;
        return s + near * inner * s * (1.0F - s);
    }
};

struct Relu {
    static __device__ __forceinline__ float value(float x) { return x < 0.0F ? 0.0F : x; }
    static __device__ __forceinline__ float slope(float x) { return x > 0.0F ? 1.0F : 0.0F; }
};

struct Silu {
    static __device__ __forceinline__ float value(float x) { return x * sigmoid(x); }
    static __device__ __forceinline__ float slope(float x) {
        const float s = sigmoid(x);
        return s + clampAbs(x, 100.0F) * s * (1.0F - s);
    }
};

enum class ActivationKind { GeluErf, GeluTanh, Relu, Silu };

/// For kernels to which the kind is a value: one text for all kinds.
__device__ __forceinline__ float activationValue(ActivationKind kind, float x) {
    switch (kind) {
        case ActivationKind::GeluErf:
            return GeluErf::value(x);
        case ActivationKind::GeluTanh:
            return GeluTanh::value(x);
        case ActivationKind::Relu:
            return Relu::value(x);
        case ActivationKind::Silu:
            return Silu::value(x);
    }
    return x;
}

__device__ __forceinline__ float activationSlope(ActivationKind kind, float x) {
    switch (kind) {
        case ActivationKind::GeluErf:
            return GeluErf::slope(x);
        case ActivationKind::GeluTanh:
            return GeluTanh::slope(x);
        case ActivationKind::Relu:
            return Relu::slope(x);
        case ActivationKind::Silu:
            return Silu::slope(x);
    }
    return 1.0F;
}

}  // namespace gpu
