// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/checkpoint_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace core::test {

/// A folder of its own for one test, removed at its end.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "upcycler-test-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = pattern;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const Path& path() const { return path_; }
    Path operator/(const std::string& name) const { return path_ / name; }
    /// Names in the folder, hidden ones too.
    std::size_t entries() const {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_))
            ++count;
        return count;
    }

  private:
    Path path_;
};

inline void writeBytes(const Path& path, std::string_view bytes) {
    std::filesystem::remove(path);
    File::createNew(path).writeAt(0, std::as_bytes(std::span(bytes)));
}

inline std::string readBytes(const Path& path) { return readTextFile(path, 1ULL << 32U); }

/// A safetensors file from its parts; `claimed` is the header length that it states.
inline std::string safetensorsBytes(std::string_view json, std::string_view data,
                                    std::uint64_t claimed) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &claimed, sizeof(claimed));
    bytes += json;
    bytes += data;
    return bytes;
}
inline std::string safetensorsBytes(std::string_view json, std::string_view data) {
    return safetensorsBytes(json, data, json.size());
}

/// The error that `action` throws; its kind is checked.
inline std::string errorOf(ErrorKind kind, const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_EQ(errorKindName(error.kind()), errorKindName(kind)) << error.what();
        EXPECT_FALSE(error.hint().empty()) << error.what();
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
        return error.what();
    } catch (const std::exception& error) {
        ADD_FAILURE() << "not an Error: " << error.what();
        return {};
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
}

struct NamedFloats {
    std::string name;
    Shape shape;
    std::vector<float> values;
};

/// Writes F32 tensors as a checkpoint.
inline void writeCheckpoint(const Path& target, const std::vector<NamedFloats>& tensors,
                            const WriterOptions& options = {}) {
    std::vector<TensorInfo> infos;
    for (const NamedFloats& tensor : tensors) {
        TensorInfo& info = infos.emplace_back();
        info.name = tensor.name;
        info.shape = tensor.shape;
    }
    const auto writer = CheckpointWriter::create(target, std::move(infos), options);
    for (std::size_t i = 0; i < tensors.size(); ++i)
        writer->write(i, std::as_bytes(std::span(tensors[i].values)));
    writer->commit();
}

}  // namespace core::test
