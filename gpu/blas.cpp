// SPDX-License-Identifier: Apache-2.0
#include "gpu/blas.h"

#include "core/base/error.h"
#include "gpu/handles.h"

#include <cublasLt.h>

#include <array>
#include <bit>
#include <compare>
#include <map>
#include <optional>
#include <string>

namespace gpu {
namespace {

constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;

void check(cublasStatus_t status, const char* doing) {
    if (status != CUBLAS_STATUS_SUCCESS)
        throw core::Error(
            core::ErrorKind::Device,
            std::string(doing) + " failed: " + cublasGetStatusString(status),
            "see `upcycle devices`; after a fault of the device a new process is needed");
}

cudaDataType_t cudaType(core::DType type) {
    return type == core::DType::BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

/// cuBLASLt's handles; each frees what it made.
class Descriptor {
  public:
    Descriptor() {
        check(cublasLtMatmulDescCreate(&handle_, CUBLAS_COMPUTE_32F, CUDA_R_32F),
              "describing a product");
    }
    ~Descriptor() { cublasLtMatmulDescDestroy(handle_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    cublasLtMatmulDesc_t get() const { return handle_; }

    template <typename T>
    void set(cublasLtMatmulDescAttributes_t attribute, T value) {
        check(cublasLtMatmulDescSetAttribute(handle_, attribute, &value, sizeof value),
              "describing a product");
    }

  private:
    cublasLtMatmulDesc_t handle_ = nullptr;
};

/// A column-major matrix, or a batch of them.
class Layout {
  public:
    Layout(core::DType type, std::int64_t rows, std::int64_t columns, std::int64_t batch,
           std::int64_t stride) {
        check(cublasLtMatrixLayoutCreate(&handle_, cudaType(type), static_cast<std::uint64_t>(rows),
                                         static_cast<std::uint64_t>(columns), rows),
              "describing a matrix");
        if (batch > 1) {
            set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<std::int32_t>(batch));
            set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, stride);
        }
    }
    ~Layout() { cublasLtMatrixLayoutDestroy(handle_); }
    Layout(const Layout&) = delete;
    Layout& operator=(const Layout&) = delete;
    cublasLtMatrixLayout_t get() const { return handle_; }

  private:
    template <typename T>
    void set(cublasLtMatrixLayoutAttribute_t attribute, T value) {
        check(cublasLtMatrixLayoutSetAttribute(handle_, attribute, &value, sizeof value),
              "describing a matrix");
    }
    cublasLtMatrixLayout_t handle_ = nullptr;
};

class Preference {
  public:
    Preference() { check(cublasLtMatmulPreferenceCreate(&handle_), "choosing a product's kernel"); }
    ~Preference() { cublasLtMatmulPreferenceDestroy(handle_); }
    Preference(const Preference&) = delete;
    Preference& operator=(const Preference&) = delete;
    cublasLtMatmulPreference_t get() const { return handle_; }

    template <typename T>
    void set(cublasLtMatmulPreferenceAttributes_t attribute, T value) {
        check(cublasLtMatmulPreferenceSetAttribute(handle_, attribute, &value, sizeof value),
              "choosing a product's kernel");
    }

  private:
    cublasLtMatmulPreference_t handle_ = nullptr;
};

/// The largest power of two up to 256 that divides all batch entries' addresses.
std::uint32_t alignmentOf(const void* pointer, std::int64_t batch, std::int64_t stride,
                          core::DType type) {
    std::uint64_t bits = reinterpret_cast<std::uintptr_t>(pointer) | 256U;
    if (batch > 1) bits |= static_cast<std::uint64_t>(stride) * core::dtypeBytes(type);
    return std::uint32_t{1} << std::countr_zero(bits);
}

cublasLtEpilogue_t epilogueOf(const ProductArgs& args) {
    switch (args.epilogue) {
        case Epilogue::None:
            return CUBLASLT_EPILOGUE_DEFAULT;
        case Epilogue::Bias:
            return CUBLASLT_EPILOGUE_BIAS;
        case Epilogue::Relu:
            return args.bias != nullptr ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
        case Epilogue::GeluTanh:
            return args.bias != nullptr ? CUBLASLT_EPILOGUE_GELU_AUX_BIAS
                                        : CUBLASLT_EPILOGUE_GELU_AUX;
        case Epilogue::GeluTanhSlope:
            return CUBLASLT_EPILOGUE_DGELU;
        case Epilogue::BiasGradient:  // our A is the second operand, B
            return CUBLASLT_EPILOGUE_BGRADB;
    }
    return CUBLASLT_EPILOGUE_DEFAULT;
}

bool usesAux(const ProductArgs& args) {
    return args.epilogue == Epilogue::GeluTanh || args.epilogue == Epilogue::GeluTanhSlope;
}

/// What CUBLASLT_MATMUL_DESC_BIAS_POINTER is, by the epilogue: read or written.
const void* biasOf(const ProductArgs& args) {
    return args.epilogue == Epilogue::BiasGradient ? args.biasGradient : args.bias;
}

/// The choice of a kernel depends on the alignment of the first bias, not on that of the others.
bool biasesLieAlike(const ProductArgs& args) {
    constexpr std::size_t kWidestLoad = 16;
    return biasOf(args) == nullptr || args.batch <= 1 ||
           static_cast<std::size_t>(args.biasStride) * core::dtypeBytes(args.resultType) %
                   kWidestLoad ==
               0;
}

/// All that the choice of a kernel depends on.
struct Shape {
    std::int64_t m, n, k, batch, strideA, strideB, strideC, biasStride;
    std::array<std::uint32_t, 5> alignments;
    int types;
    int flags;
    auto operator<=>(const Shape&) const = default;
};

Shape shapeOf(const ProductArgs& a) {
    return {
        a.m,
        a.n,
        a.k,
        a.batch,
        a.strideA,
        a.strideB,
        a.strideC,
        a.biasStride,
        {alignmentOf(a.a, a.batch, a.strideA, a.type), alignmentOf(a.b, a.batch, a.strideB, a.type),
         alignmentOf(a.c, a.batch, a.strideC, a.resultType),
         biasOf(a) == nullptr ? 0U : alignmentOf(biasOf(a), a.batch, a.biasStride, a.resultType),
         a.aux == nullptr ? 0U : alignmentOf(a.aux, a.batch, a.strideC, a.resultType)},
        static_cast<int>(a.type) * 256 + static_cast<int>(a.resultType),
        static_cast<int>(a.epilogue) * 8 + (a.transposeA ? 4 : 0) + (a.transposeB ? 2 : 0) +
            (a.beta != 0.0F ? 1 : 0)};
}

/// A product as cuBLASLt wants it. Row-major C = op(A) op(B) is column-major C^T = op(B)^T op(A)^T,
/// so that its first operand is our B.
struct Plan {
    explicit Plan(const ProductArgs& args)
        : first(args.type, args.transposeB ? args.k : args.n, args.transposeB ? args.n : args.k,
                args.batch, args.strideB),
          second(args.type, args.transposeA ? args.m : args.k, args.transposeA ? args.k : args.m,
                 args.batch, args.strideA),
          result(args.resultType, args.n, args.m, args.batch, args.strideC) {
        descriptor.set(CUBLASLT_MATMUL_DESC_TRANSA, args.transposeB ? CUBLAS_OP_T : CUBLAS_OP_N);
        descriptor.set(CUBLASLT_MATMUL_DESC_TRANSB, args.transposeA ? CUBLAS_OP_T : CUBLAS_OP_N);
        descriptor.set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogueOf(args));
        if (biasOf(args) != nullptr) {
            descriptor.set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE,
                           static_cast<std::int32_t>(cudaType(args.resultType)));
            if (args.batch > 1)
                descriptor.set(CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE, args.biasStride);
        }
        if (usesAux(args)) {
            descriptor.set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, args.n);
            descriptor.set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_DATA_TYPE,
                           static_cast<std::int32_t>(cudaType(args.resultType)));
            if (args.batch > 1)
                descriptor.set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_BATCH_STRIDE, args.strideC);
        }
        setPointers(args);
    }

    /// What differs between the calls of one plan.
    void setPointers(const ProductArgs& args) {
        if (biasOf(args) != nullptr)
            descriptor.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, biasOf(args));
        if (usesAux(args))
            descriptor.set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER,
                           static_cast<const void*>(args.aux));
    }

    Descriptor descriptor;
    Layout first;
    Layout second;
    Layout result;
    std::optional<cublasLtMatmulAlgo_t> algorithm;
};

}  // namespace

struct Blas::Parts {
    explicit Parts(cudaStream_t onStream) : stream(onStream), workspace(kWorkspaceBytes) {
        check(cublasLtCreate(&handle), "starting cuBLASLt");
    }
    ~Parts() { cublasLtDestroy(handle); }
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    Plan& planFor(const ProductArgs& args);
    void choose(Plan& plan, const Shape& shape) const;

    cudaStream_t stream;
    DeviceMemory workspace;
    cublasLtHandle_t handle = nullptr;
    std::map<Shape, std::unique_ptr<Plan>> plans;
};

/// The first of cuBLASLt's proposals; none when it has no kernel.
void Blas::Parts::choose(Plan& plan, const Shape& shape) const {
    Preference preference;
    preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspaceBytes);
    preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, shape.alignments[1]);
    preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, shape.alignments[0]);
    preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, shape.alignments[2]);
    preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, shape.alignments[2]);
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
        handle, plan.descriptor.get(), plan.first.get(), plan.second.get(), plan.result.get(),
        plan.result.get(), preference.get(), 1, &found, &count);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) return;
    check(status, "choosing a product's kernel");
    if (count > 0 && found.state == CUBLAS_STATUS_SUCCESS) plan.algorithm = found.algo;
}

Plan& Blas::Parts::planFor(const ProductArgs& args) {
    const Shape shape = shapeOf(args);
    const auto found = plans.find(shape);
    if (found != plans.end()) return *found->second;
    auto plan = std::make_unique<Plan>(args);
    choose(*plan, shape);
    return *plans.emplace(shape, std::move(plan)).first->second;
}

Blas::Blas(cudaStream_t stream) : parts_(std::make_unique<Parts>(stream)) {}

Blas::~Blas() = default;

bool Blas::supports(const ProductArgs& args) {
    if (usesAux(args) && (args.n % 8 != 0 || args.strideC % 8 != 0)) return false;
    if (!biasesLieAlike(args)) return false;
    return parts_->planFor(args).algorithm.has_value();
}

void Blas::product(const ProductArgs& args) {
    if (args.m == 0 || args.n == 0 || args.batch == 0) return;
    CORE_CHECK(args.k > 0, "a product with an inner size");
    Plan& plan = parts_->planFor(args);
    if (!plan.algorithm)
        throw core::Error(core::ErrorKind::Device,
                          "cuBLASLt has no kernel for a product of " + std::to_string(args.m) +
                              " x " + std::to_string(args.k) + " and " + std::to_string(args.k) +
                              " x " + std::to_string(args.n) + " matrices",
                          "train in f32, or with widths that are multiples of 8");
    plan.setPointers(args);
    const float alpha = 1.0F;
    check(cublasLtMatmul(parts_->handle, plan.descriptor.get(), &alpha, args.b, plan.first.get(),
                         args.a, plan.second.get(), &args.beta, args.c, plan.result.get(), args.c,
                         plan.result.get(), &*plan.algorithm, parts_->workspace.get(),
                         kWorkspaceBytes, parts_->stream),
          "a product");
}

std::string Blas::library() {
    const auto version = static_cast<int>(cublasLtGetVersion());
    return "cuBLASLt " + std::to_string(version / 10000) + "." +
           std::to_string(version / 100 % 100) + "." + std::to_string(version % 100);
}

}  // namespace gpu
