// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/input.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace fuzz {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 16U;
constexpr std::size_t kMostTensors = 32;

[[noreturn]] void fail(const char* what, const std::string& text) {
    std::fprintf(stderr, "%s: %s\n", what, text.c_str());
    std::abort();
}

}  // namespace

InputFile::InputFile(std::span<const std::uint8_t> bytes) {
    // In memory where that is possible. HDF5 wants a file with a name.
    std::string pattern = std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : "/tmp";
    pattern += "/upcycler-fuzz-XXXXXX";
    const int descriptor = ::mkstemp(pattern.data());
    if (descriptor < 0) fail("mkstemp", pattern);
    path_ = pattern;
    while (!bytes.empty()) {
        const ssize_t put = ::write(descriptor, bytes.data(), bytes.size());
        if (put <= 0) fail("write", pattern);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    ::close(descriptor);
}

InputFile::~InputFile() { ::unlink(path_.c_str()); }

void expectRefusalAtMost(const std::function<void()>& action) {
    try {
        action();
    } catch (const core::Error& error) {
        const std::string text = error.what();
        if (error.kind() != core::ErrorKind::BadInput) fail("not of kind bad-input", text);
        if (text.empty() || text.find('\n') != std::string::npos) fail("not one line", text);
        if (error.hint().empty()) fail("no hint", text);
        if (text.size() > 4000) fail("a novel", text);
    }
}

void look(const core::Checkpoint& checkpoint) {
    for (const std::string& note : checkpoint.notes())
        if (note.find('\n') != std::string::npos) fail("a note of several lines", note);
    std::size_t seen = 0;
    for (const core::TensorInfo& tensor : checkpoint.tensors()) {
        if (!core::isUtf8(tensor.name))
            fail("a name that is not UTF-8", core::printable(tensor.name));
        if (!tensor.shape.checkedElements()) fail("an unchecked shape", toString(tensor.shape));
        if (checkpoint.find(tensor.name) != &tensor) fail("a name that is not found", tensor.name);
        if (++seen > kMostTensors) continue;
        const std::int64_t all = tensor.shape.elements();
        const std::int64_t most = std::min(all, kMostElements);
        std::vector<std::byte> bytes(static_cast<std::size_t>(most) * dtypeBytes(tensor.dtype));
        checkpoint.read(tensor, 0, most, bytes);
        checkpoint.read(tensor, all - most, most, bytes);
        const std::int64_t part = most / 3;
        checkpoint.read(
            tensor, all / 2 - part / 2, part,
            std::span(bytes).first(static_cast<std::size_t>(part) * dtypeBytes(tensor.dtype)));
    }
}

void openAndLook(
    const std::uint8_t* data, std::size_t size,
    const std::function<std::shared_ptr<const core::Checkpoint>(const core::Path&)>& open) {
    const InputFile file({data, size});
    expectRefusalAtMost([&] { look(*open(file.path())); });
}

std::string textOf(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

}  // namespace fuzz
