// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/layout.h"

#include "core/base/error.h"
#include "core/checkpoint/layout/layout_config.h"
#include "core/checkpoint/layout/mapped_checkpoint.h"
#include "core/checkpoint/layout/position_resize.h"
#include "core/checkpoint/layout/recognise.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace core {
namespace {

constexpr std::string_view kStray =
    "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight";

/// What a config.json would say is asked of the shapes where there is none, and of the person.
LayoutFacts factsOf(const Recognised& found, const OpenOptions& options, const Checkpoint& raw) {
    LayoutFacts facts;
    facts.heads = found.heads;
    facts.flaxVit = found.layout == "google-vit" || found.layout == "v-moe";
    facts.headIsOwn = found.layout == "t5x";
    if (!options.heads) return facts;
    if (*options.heads < 1)
        throw Error(ErrorKind::Usage, fmt::format("{} attention heads are none", *options.heads),
                    "give a number from 1");
    if (facts.heads && *facts.heads != *options.heads)
        throw Error(ErrorKind::Usage,
                    fmt::format("{}: the tensors have {} attention heads, {} were given",
                                raw.folder().string(), *facts.heads, *options.heads),
                    "leave the number of heads out");
    facts.heads = options.heads;
    return facts;
}

bool hasStray(const Recognised& found, const Checkpoint& raw) {
    if (found.layout == "hf") return raw.find(kStray) != nullptr;
    return std::any_of(found.tensors.begin(), found.tensors.end(),
                       [](const TensorMap& map) { return map.name == kStray; });
}

}  // namespace

std::shared_ptr<const Checkpoint> withLayout(std::shared_ptr<const Checkpoint> raw,
                                             const OpenOptions& options) {
    Recognised found = recogniseLayout(*raw);
    LayoutFacts facts = factsOf(found, options, *raw);
    if (hasStray(found, *raw))
        found.notes.push_back(
            fmt::format("{} is a leftover of early T5 files: T5 has no position bias in cross "
                        "attention; it is kept and has no effect",
                        kStray));
    const bool configured = !raw->configText().empty();
    if (configured) facts.flaxVit = false;
    const auto config = [facts, configured](const Checkpoint& hf) {
        return configured && !facts.heads ? std::string() : makeLayoutConfig(hf, facts);
    };
    const bool stays = found.layout == "hf";
    if (stays && (!found.notes.empty() || !config(*raw).empty()))
        for (const TensorInfo& tensor : raw->tensors()) found.tensors.push_back(unmapped(tensor));
    std::shared_ptr<const Checkpoint> hf;
    if (stays && found.tensors.empty())
        hf = std::move(raw);
    else
        hf = mapCheckpoint(std::move(raw), {found.layout, std::move(found.tensors),
                                            std::move(found.notes), config});
    return options.imageSize ? withImageSize(std::move(hf), *options.imageSize) : hf;
}

}  // namespace core
