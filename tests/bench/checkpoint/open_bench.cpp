// SPDX-License-Identifier: Apache-2.0
// Checkpoint::open of a safetensors file: time per 1000 tensors, names as of an upcycled T5.
// tests/bench/peers/checkpoint_io.py measures the peers on files of the same shape.
#include "core/checkpoint/checkpoint_writer.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

/// `count` tensors [4, 4], 40 experts of two matrices a layer; removed with the program.
class ManyTensors {
  public:
    explicit ManyTensors(std::int64_t count) {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "upcycler-bench-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        folder_ = pattern;
        std::vector<core::TensorInfo> tensors;
        for (std::int64_t i = 0; i < count; ++i) {
            core::TensorInfo& tensor = tensors.emplace_back();
            tensor.name = fmt::format("decoder.block.{}.layer.2.mlp.experts.expert_{}.{}.weight",
                                      i / 80, i / 2 % 40, i % 2 == 0 ? "wi" : "wo");
            tensor.shape = {4, 4};
        }
        const auto writer = core::CheckpointWriter::create(file(), tensors, {});
        const std::vector<std::byte> bytes(4 * 4 * sizeof(float));
        for (std::size_t i = 0; i < tensors.size(); ++i) writer->write(i, bytes);
        writer->commit();
    }
    ~ManyTensors() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    ManyTensors(const ManyTensors&) = delete;
    ManyTensors& operator=(const ManyTensors&) = delete;

    core::Path file() const { return folder_ / "model.safetensors"; }

  private:
    core::Path folder_;
};

void openFile(benchmark::State& state) {
    const ManyTensors tensors(state.range(0));
    for (auto _ : state) benchmark::DoNotOptimize(core::Checkpoint::open(tensors.file()));
    state.counters["per_1000"] = benchmark::Counter(
        static_cast<double>(state.range(0)) / 1000,
        benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(openFile)->Arg(100)->Arg(1000)->Arg(20000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
