// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"
#include "core/tensor/tensor.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

/// Benchmarks of ops. Every one has the arguments threads and bf16 (0 or 1: type of activations and
/// weights), most of them size. GFLOP/s are 2 m n k a product, GB/s every tensor once; the floor's
/// rates are ceilings_bench.cpp's. A type that the device does not compute is an error of that
/// benchmark, not a number.
namespace ops_bench {

/// What `--device` of the command line says; "cpu" by default.
const std::string& device();
void setDevice(const std::string& device);
bool onGpu();

/// Rows of the activations of a model and what its layers are made of.
struct Sizes {
    const char* name;
    std::int64_t batch, tokens, width, heads, hidden;
    std::int64_t rows() const { return batch * tokens; }
};

/// 0: the demo model; 1: ViT-S/16, batch 8; 2: ViT-B/16, batch 128 (on a GPU).
const Sizes& sizesOf(const benchmark::State& state);

/// The backend of a benchmark, and tensors on its device.
class Bench {
  public:
    explicit Bench(const benchmark::State& state);

    core::Backend& backend() { return *backend_; }
    core::DType dtype() const { return dtype_; }
    /// N(0, 1) in the benchmark's type, or in f32.
    core::Tensor activations(core::Shape shape, std::uint64_t seed = 1);
    core::Tensor f32(core::Shape shape, std::uint64_t seed = 1);
    core::Tensor zeros(core::Shape shape);
    core::Tensor one();     ///< F32 [1], 1
    core::Tensor number();  ///< F64 [1]
    /// I64 uniform in [0, below).
    core::Tensor ids(std::int64_t count, std::int64_t below);

    /// One call to warm up, then timed ones, each to the end of the device's work.
    template <typename Work>
    void time(benchmark::State& state, Work work) {
        try {
            work();
            backend_->synchronize();
        } catch (const std::exception& problem) {
            state.SkipWithError(problem.what());
            return;
        }
        for (auto iteration : state) {
            work();
            backend_->synchronize();
        }
    }

  private:
    std::shared_ptr<core::Backend> backend_;
    core::DType dtype_;
};

/// Counters "GFLOP/s" and "GB/s".
void countFlops(benchmark::State& state, double flopsPerCall);
void countBytes(benchmark::State& state, double bytesPerCall);

using Function = void (*)(benchmark::State&);

/// Registered for 1 and 2 threads (a GPU: 1), f32 and bf16 and the device's sizes.
void addSized(const char* name, Function function);
/// The same without sizes; `cases` > 1: with an argument "case" from 0 on.
void addPlain(const char* name, Function function, int cases = 1);
/// F32 alone.
void addF32(const char* name, Function function);

// Each registers what its file has.
void addCeilings();
void addProducts();
void addAttention();
void addRows();
void addMoe();
void addOptimizers();

}  // namespace ops_bench
