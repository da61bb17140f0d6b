// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/run/device.h"
#include "tests/bench/ops/bench.h"

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

/// ops_bench [--device=cpu|cuda|cuda:N] [Google Benchmark's options]
int main(int argc, char** argv) {
    constexpr std::string_view kDevice = "--device=";
    std::vector<char*> rest;
    for (int i = 0; i < argc; ++i)
        if (std::string_view(argv[i]).starts_with(kDevice))
            ops_bench::setDevice(argv[i] + kDevice.size());
        else
            rest.push_back(argv[i]);
    try {
        const auto backend = core::makeBackend(ops_bench::device(), 1).backend;
        benchmark::AddCustomContext("device", backend->description());
    } catch (const core::Error& error) {
        std::fprintf(stderr, "ops_bench: %s\nhint: %s\n", error.what(), error.hint().c_str());
        return core::exitCode(error.kind());
    }
    ops_bench::addCeilings();
    ops_bench::addProducts();
    ops_bench::addAttention();
    ops_bench::addRows();
    ops_bench::addMoe();
    ops_bench::addOptimizers();
    int count = static_cast<int>(rest.size());
    rest.push_back(nullptr);
    benchmark::Initialize(&count, rest.data());
    if (benchmark::ReportUnrecognizedArguments(count, rest.data()))
        return core::exitCode(core::ErrorKind::Usage);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
