// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/torch_file.h"

#include "core/checkpoint/npz_gather.h"

#include <utility>

namespace core {
TorchFile::TorchFile(File file) : file_(std::move(file)), packed_(file_) {
    TorchContainer container = readTorchContainer(file_);
    TorchStateDict dict = readStateDict(container);
    bigEndian_ = container.bigEndian;
    notes_ = std::move(dict.notes);
    for (TorchTensor& tensor : dict.tensors) {
        TensorInfo& info = infos_.emplace_back();
        const std::size_t width = dtypeBytes(tensor.dtype);
        info.name = std::move(tensor.name);
        info.storedAs = std::move(tensor.storedAs);
        info.dtype = tensor.dtype;
        info.shape = std::move(tensor.shape);
        info.bytes = static_cast<std::uint64_t>(info.shape.elements()) * width;
        info.file = file_.path().filename().string();
        if (!tensor.storage->packed && tensor.view.isContiguous())
            info.offset =
                tensor.storage->offset + static_cast<std::uint64_t>(tensor.view.offset) * width;
        sources_.push_back({std::move(tensor.view), tensor.storage});
    }
    storages_ = std::move(container.storages);  // nodes stay where they are
}

void TorchFile::read(std::size_t tensor, std::int64_t begin, std::int64_t count,
                     std::span<std::byte> into) const {
    const Source& source = sources_[tensor];
    const std::size_t width = dtypeBytes(infos_[tensor].dtype);
    readStrided(source.view, width, begin, count, into,
                [&](std::uint64_t from, std::span<std::byte> bytes) {
                    if (source.storage->packed)
                        packed_.read(*source.storage->packed, from, bytes);
                    else
                        file_.readAt(source.storage->offset + from, bytes);
                });
    if (bigEndian_ && width > 1) swapElementBytes(into, width);
}

}  // namespace core
