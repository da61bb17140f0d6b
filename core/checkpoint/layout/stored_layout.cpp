// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/layout/stored_layout.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/layout/layout_tables.h"
#include "core/checkpoint/layout/mapped_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

namespace core {
namespace {

struct Writable {
    std::string_view layout;
    std::span<const NameRule> (*rules)();
    bool vit;
};
constexpr std::array<Writable, 3> kWritable{
    {{"google-vit", googleVitRules, true}, {"v-moe", vMoeRules, true}, {"t5x", t5xRules, false}}};

const Writable* writable(std::string_view layout) {
    const auto found =
        std::find_if(kWritable.begin(), kWritable.end(),
                     [layout](const Writable& known) { return known.layout == layout; });
    return found == kWritable.end() ? nullptr : &*found;
}

/// Tensors that transformers has and these layouts have not, because they are another's twin or
/// have no effect.
struct Idle {
    std::string_view ending;
    const char* why;
};
constexpr std::array<Idle, 5> kIdleVit{
    {{"pooler.dense.weight", "transformers' classifier does not use the pooler"},
     {"pooler.dense.bias", "transformers' classifier does not use the pooler"},
     {"embeddings.mask_token", "it is for masked-image training alone"},
     {"embeddings.position_ids", "a count, no weight"},
     {"embeddings.patch_embeddings.position_ids", "a count, no weight"}}};
constexpr std::array<Idle, 3> kIdleT5{{{"encoder.embed_tokens.weight", "shared.weight again"},
                                       {"decoder.embed_tokens.weight", "shared.weight again"},
                                       {"EncDecAttention.relative_attention_bias.weight",
                                        "T5 has no position bias in cross attention"}}};

const char* idle(const Writable& layout, std::string_view name) {
    const std::span<const Idle> list =
        layout.vit ? std::span<const Idle>(kIdleVit) : std::span<const Idle>(kIdleT5);
    for (const Idle& known : list)
        if (name.ends_with(known.ending)) return known.why;
    return nullptr;
}

/// The table's name: ViTModel's tensors come without "vit.".
std::string tableName(const Writable& layout, const std::string& name) {
    const bool bare =
        layout.vit && (name.starts_with("embeddings.") || name.starts_with("encoder.") ||
                       name.starts_with("layernorm."));
    return bare ? "vit." + name : name;
}

[[noreturn]] void refuse(std::string_view layout, const std::string& name,
                         const std::string& what) {
    throw Error(ErrorKind::BadInput,
                fmt::format("tensor {} {} of {}", printable(name), what, layout),
                "choose the layout hf");
}

/// Collects stored tensors; the experts of a stack share one.
class Layer {
  public:
    explicit Layer(const Writable& layout) : layout_(layout) {}

    void add(std::size_t index, const TensorInfo& hf, StoredTensor stored) {
        stored.map.name = hf.name;
        TensorInfo info;
        info.name = stored.map.stored;
        info.dtype = hf.dtype;
        info.shape = stored.shape;
        const auto [place, isNew] = places_.try_emplace(info.name, result_.tensors.size());
        if (isNew) {
            result_.tensors.push_back(info);
            counts_.push_back(0);
        }
        const TensorInfo& first = result_.tensors[place->second];
        if (!isNew && !stored.map.slice)
            refuse(layout_.layout, hf.name, "is the second for the array " + info.name);
        if (first.shape != info.shape || first.dtype != info.dtype)
            refuse(layout_.layout, hf.name,
                   fmt::format("{} {} does not fit the other experts in the array {}",
                               dtypeName(hf.dtype), toString(hf.shape), info.name));
        ++counts_[place->second];
        result_.parts.push_back({index, place->second, std::move(stored.map)});
    }

    void leaveOut(const std::string& name, const char* why) {
        result_.leftOut.push_back(fmt::format("{} ({})", name, why));
    }

    StoredLayout finish() {
        std::stable_sort(result_.parts.begin(), result_.parts.end(),
                         [](const StoredLayout::Part& a, const StoredLayout::Part& b) {
                             return a.stored != b.stored ? a.stored < b.stored
                                                         : a.map.slice < b.map.slice;
                         });
        std::int64_t expected = 0;
        for (std::size_t i = 0; i < result_.parts.size(); ++i) {
            const StoredLayout::Part& part = result_.parts[i];
            if (!part.map.slice) continue;
            if (i == 0 || result_.parts[i - 1].stored != part.stored) expected = 0;
            if (*part.map.slice != expected++)
                refuse(layout_.layout, part.map.name,
                       "stands where another expert is missing in the array " + part.map.stored);
            TensorInfo& stack = result_.tensors[part.stored];
            std::vector<std::int64_t> sizes(stack.shape.sizes().begin(), stack.shape.sizes().end());
            sizes[0] = counts_[part.stored];
            stack.shape = Shape(std::move(sizes));
        }
        return std::move(result_);
    }

  private:
    const Writable& layout_;
    StoredLayout result_;
    std::vector<std::int64_t> counts_;  ///< parts of each stored tensor
    std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

bool canBeStored(std::string_view layout) { return writable(layout) != nullptr; }

StoredLayout layOutStored(std::string_view layout, std::span<const TensorInfo> hf,
                          std::int64_t heads) {
    const Writable* const how = writable(layout);
    CORE_CHECK(how != nullptr, "a layout that can be written, found " + std::string(layout));
    Layer layer(*how);
    for (std::size_t i = 0; i < hf.size(); ++i) {
        TensorInfo named = hf[i];
        named.name = tableName(*how, named.name);
        if (const char* why = idle(*how, named.name)) {
            layer.leaveOut(hf[i].name, why);
        } else if (auto stored = mapToStored(how->rules(), named, heads, how->vit)) {
            layer.add(i, hf[i], std::move(*stored));
        } else if (hf[i].name.find('/') != std::string::npos) {
            layer.add(i, hf[i], {unmapped(hf[i]), hf[i].shape});
        } else {
            refuse(layout, hf[i].name, "has no place among the arrays");
        }
    }
    return layer.finish();
}

}  // namespace core
