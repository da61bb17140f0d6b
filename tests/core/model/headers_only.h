// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace core::test {

/// A checkpoint of a config and tensor headers alone, as a test wants them.
class HeadersOnly final : public Checkpoint {
  public:
    HeadersOnly(std::string config, std::vector<TensorInfo> tensors)
        : config_(std::move(config)), tensors_(std::move(tensors)) {}

    std::string format() const override { return "safetensors"; }
    const Path& folder() const override { return folder_; }
    std::vector<std::string> files() const override { return {"model.safetensors"}; }
    const std::string& configText() const override { return config_; }
    const std::map<std::string, std::string>& metadata() const override { return metadata_; }
    std::span<const TensorInfo> tensors() const override { return tensors_; }
    const TensorInfo* find(std::string_view name) const override {
        const auto at = std::find_if(tensors_.begin(), tensors_.end(),
                                     [&](const TensorInfo& t) { return t.name == name; });
        return at == tensors_.end() ? nullptr : &*at;
    }
    void read(const TensorInfo&, std::int64_t, std::int64_t,
              std::span<std::byte> into) const override {
        std::fill(into.begin(), into.end(), std::byte{0});
    }

    TensorInfo* edit(const std::string& name) { return const_cast<TensorInfo*>(find(name)); }
    void add(const std::string& name, const Shape& shape) {
        tensors_.push_back({name, DType::F32, shape, 0, "model.safetensors", 0, {}});
    }
    void remove(const std::string& name) {
        std::erase_if(tensors_, [&](const TensorInfo& t) { return t.name == name; });
    }
    void setConfig(std::string config) { config_ = std::move(config); }

  private:
    Path folder_ = "/somewhere/model";
    std::string config_;
    std::vector<TensorInfo> tensors_;
    std::map<std::string, std::string> metadata_;
};

}  // namespace core::test
