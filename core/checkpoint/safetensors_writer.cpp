// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/safetensors_file.h"
#include "core/checkpoint/shard_index.h"
#include "core/checkpoint/writers.h"

#include <fmt/format.h>

#include <span>
#include <utility>

namespace core {
namespace {

/// Where each shard begins in `tensors`: a new one once the next tensor would pass the limit.
std::vector<std::size_t> shardBegins(std::span<const TensorInfo> tensors, std::uint64_t limit) {
    std::vector<std::size_t> begins{0};
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (limit != 0 && i > begins.back() && tensors[i].bytes > limit - std::min(limit, bytes)) {
            begins.push_back(i);
            bytes = 0;
        }
        bytes += tensors[i].bytes;
    }
    return begins;
}

File writeHeader(const Path& path, std::span<TensorInfo> tensors, const std::string& name,
                 const std::map<std::string, std::string>& metadata) {
    const std::string header = makeSafetensorsHeader(tensors, metadata);
    std::uint64_t bytes = header.size();
    for (TensorInfo& tensor : tensors) {
        tensor.file = name;
        bytes += tensor.bytes;
    }
    File file = File::createNew(path);
    file.preallocate(bytes);
    file.writeAt(0, std::as_bytes(std::span(header)));
    return file;
}

}  // namespace

LaidOutFiles layOutSafetensors(const WritePlace& place, std::vector<TensorInfo>& tensors,
                               const WriterOptions& options) {
    std::map<std::string, std::string> metadata = options.metadata;
    metadata.emplace("format", "pt");
    if (place.folder.empty() && !options.configText.empty())
        metadata[kSafetensorsConfigKey] = options.configText;
    const std::vector<std::size_t> begins = shardBegins(tensors, options.maxShardBytes);
    LaidOutFiles files;
    if (begins.size() == 1) {
        const std::string name = place.folder.empty() ? place.fileName : "model.safetensors";
        files.emplace(name, writeHeader(place.pathOf(name), tensors, name, metadata));
        return files;
    }
    for (std::size_t i = 0; i < begins.size(); ++i) {
        const std::size_t end = i + 1 < begins.size() ? begins[i + 1] : tensors.size();
        const std::string name =
            fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, begins.size());
        files.emplace(name, writeHeader(place.pathOf(name),
                                        std::span(tensors).subspan(begins[i], end - begins[i]),
                                        name, metadata));
    }
    const std::string index = makeShardIndex(tensors);
    File::createNew(place.folder / "model.safetensors.index.json")
        .writeAt(0, std::as_bytes(std::span(index)));
    return files;
}

}  // namespace core
