// SPDX-License-Identifier: Apache-2.0
// transformers' tf_model.h5, by the rule of its modeling_tf_pytorch_utils.py (4.57):
// "encoder/tf_t5_model/encoder/block_._0/layer_._0/SelfAttention/q/kernel:0" ->
// "encoder.block.0.layer.0.SelfAttention.q.weight", transposed.
#include "core/checkpoint/axis_permutation.h"
#include "core/checkpoint/layout/layout_tables.h"

namespace core {
namespace {

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('/', begin), text.size());
        if (end > begin) parts.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

void replaceAll(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at))
        text.replace(at, from.size(), to);
}

/// The weight's path below the layer's group, without the model's name where it has one: the
/// element behind that is the layer again ("shared/embeddings" has none).
std::vector<std::string> pathOf(std::string_view stored) {
    const std::size_t group = stored.find('/');
    const std::string layer(stored.substr(0, group));
    std::string weight(group == std::string_view::npos ? stored : stored.substr(group + 1));
    replaceAll(weight, ":0", "");
    std::vector<std::string> path = split(weight);
    for (std::size_t i = 1; i + 1 < path.size(); ++i)
        if (const std::size_t at = path[i].rfind("___"); at != std::string::npos)
            path[i].erase(0, at + 3);
    const bool named = path.size() > 1 && (path[0] != layer || path[1] == layer);
    std::string joined;
    for (std::size_t i = named ? 1 : 0; i < path.size(); ++i) joined += path[i] + "/";
    replaceAll(joined, "_._", "/");
    return split(joined);
}

std::vector<int> orderOf(const std::string& last, std::size_t rank) {
    if (last != "kernel") return {};
    switch (rank) {
        case 2:
            return {1, 0};
        case 3:
            return {2, 1, 0};
        case 4:
            return {3, 2, 0, 1};
        default:
            return {};
    }
}

}  // namespace

TensorMap mapTensorflow(const TensorInfo& stored) {
    TensorMap map{stored.name, stored.shape, stored.name, std::nullopt, stored.shape, {}};
    std::vector<std::string> path = pathOf(stored.name);
    if (path.empty()) return map;
    std::string& last = path.back();
    map.order = orderOf(last, stored.shape.rank());
    if (!map.order.empty()) map.shape = permuted(stored.shape, map.order);
    if (last == "kernel" || last == "embeddings" || last == "gamma") last = "weight";
    if (last == "beta") last = "bias";
    map.name.clear();
    for (const std::string& part : path) map.name += (map.name.empty() ? "" : ".") + part;
    return map;
}

}  // namespace core
