// SPDX-License-Identifier: Apache-2.0
// The input is the tensors of a file, one a line: a name, then its sizes
// ("Encoder/posembed_input/pos_embedding 1 5 8").
#include "core/checkpoint/layout.h"

#include "core/base/text.h"
#include "core/model/spec.h"
#include "tests/core/model/headers_only.h"
#include "tests/fuzz/input.h"

#include <set>
#include <sstream>

namespace {

constexpr std::size_t kMostAxes = 6;
constexpr std::uint64_t kMostElements = std::uint64_t{1} << 24U;

core::TensorInfo tensorOf(const std::string& line) {
    std::istringstream words(line);
    core::TensorInfo tensor;
    words >> tensor.name;
    std::vector<std::int64_t> sizes;
    std::uint64_t elements = 1;
    for (std::uint32_t size = 0; sizes.size() < kMostAxes && words >> size;) {
        if (elements * size > kMostElements) break;
        elements *= size;
        sizes.push_back(size);
    }
    tensor.shape = core::Shape(std::move(sizes));
    tensor.bytes = elements * 4;
    return tensor;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<core::TensorInfo> tensors;
    std::set<std::string> names;
    std::istringstream lines(fuzz::textOf(data, size));
    for (std::string line; std::getline(lines, line);) {
        core::TensorInfo tensor = tensorOf(line);
        if (core::isUtf8(tensor.name) && names.insert(tensor.name).second)
            tensors.push_back(std::move(tensor));
    }
    core::OpenOptions options;
    if (size % 3 == 1) options.heads = 2;
    if (size % 5 == 1) options.imageSize = 16;
    fuzz::expectRefusalAtMost([&] {
        try {
            const auto checkpoint =
                core::withLayout(std::make_shared<core::test::HeadersOnly>("", tensors), options);
            fuzz::look(*checkpoint);
            core::readSpec(*checkpoint);
        } catch (const core::Error& error) {
            // The number of heads that was given can be the wrong one.
            if (error.kind() != core::ErrorKind::Usage || !(options.heads || options.imageSize))
                throw;
        }
    });
    return 0;
}
