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

std::vector<std::string> strayNotes(const Checkpoint& hf) {
    if (hf.find(kStray) == nullptr) return {};
    return {
        fmt::format("{} is a leftover of early T5 files: T5 has no position bias in cross "
                    "attention; it is kept and has no effect",
                    kStray)};
}

}  // namespace

std::shared_ptr<const Checkpoint> withLayout(std::shared_ptr<const Checkpoint> raw,
                                             const OpenOptions& options) {
    Recognised found = recogniseLayout(*raw);
    const LayoutFacts facts = factsOf(found, options, *raw);
    const auto map = [&raw](std::string layout, std::vector<TensorMap> tensors, std::string config,
                            std::vector<std::string> notes) {
        return mapCheckpoint(
            raw, {std::move(layout), std::move(tensors), std::move(config), std::move(notes)});
    };
    std::shared_ptr<const Checkpoint> hf = raw;
    if (found.layout != "hf") hf = map(found.layout, found.tensors, {}, {});
    std::string config = hf->layoutConfig();
    if (raw->configText().empty() || options.heads)
        config = makeLayoutConfig(*hf, facts);
    else if (facts.heads)
        config = makeLayoutConfig(*hf, {facts.heads, false, false});
    std::vector<std::string> stray = strayNotes(*hf);
    std::move(stray.begin(), stray.end(), std::back_inserter(found.notes));
    if (found.layout != "hf" || !config.empty() || !found.notes.empty()) {
        if (found.layout == "hf")
            for (const TensorInfo& tensor : raw->tensors())
                found.tensors.push_back(unmapped(tensor));
        hf = map(found.layout, std::move(found.tensors), std::move(config), std::move(found.notes));
    }
    return options.imageSize ? withImageSize(std::move(hf), *options.imageSize) : hf;
}

}  // namespace core
