// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/torch_state_dict.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <unordered_set>
#include <utility>

namespace core {
namespace {

constexpr int kMostNesting = 4;
constexpr std::size_t kMostNamed = 8;  ///< names in one sentence
/// A tensor may repeat what its storage holds (stride 0). All that tensors of a file claim beyond
/// their storages stays below this, so that a small file does not become a large one.
constexpr std::uint64_t kMostRepeated = std::uint64_t{256} << 20U;
constexpr std::array<std::string_view, 4> kUsual{"state_dict", "model_state_dict", "model",
                                                 "module"};

[[noreturn]] void refuse(const std::string& where, const std::string& text) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", where, text),
                "save the weights alone: torch.save(model.state_dict(), FILE)");
}

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i)
        text += fmt::format("{}'{}'", i == 0 ? "" : ", ", printable(names[i]));
    if (names.size() > kMostNamed) text += fmt::format(" and {} more", names.size() - kMostNamed);
    return text;
}

struct Entry {
    std::string_view key;  ///< empty for keys that are not strings
    PickleRef value;
};

std::vector<Entry> entriesOf(const Pickle& pickle, PickleRef dict) {
    std::vector<Entry> entries;
    const std::span<const PickleRef> items = pickle.items(dict);
    for (std::size_t i = 0; i + 1 < items.size(); i += 2)
        entries.push_back({pickle.text(items[i]), items[i + 1]});
    return entries;
}

bool holdsTensors(const Pickle& pickle, const std::vector<Entry>& entries) {
    return std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
        return !entry.key.empty() && isTorchTensor(pickle, entry.value);
    });
}

class StateDictReader {
  public:
    explicit StateDictReader(const TorchContainer& container)
        : container_(container), pickle_(container.pickle) {}

    TorchStateDict read() {
        const PickleRef dict = choose(pickle_.root(), 0);
        for (const Entry& entry : entriesOf(pickle_, dict)) take(entry);
        noteSkipped();
        noteShared();
        dropCommonPrefix();
        return std::move(result_);
    }

  private:
    /// Whether the dict, or one in it under names, holds tensors. Dicts may be shared and hold
    /// themselves: each is looked at once for each depth.
    bool leadsToTensors(PickleRef dict, int depth) {
        if (!pickle_.is(dict, PickleKind::Dict) || depth > kMostNesting) return false;
        const auto [known, added] = leads_.emplace(std::pair(dict, depth), false);
        if (!added) return known->second;
        const std::vector<Entry> entries = entriesOf(pickle_, dict);
        bool leads = holdsTensors(pickle_, entries);
        for (std::size_t i = 0; i < entries.size() && !leads; ++i)
            leads = !entries[i].key.empty() && leadsToTensors(entries[i].value, depth + 1);
        leads_[std::pair(dict, depth)] = leads;
        return leads;
    }

    /// The dict of tensors under `dict`, with a note when it is not `dict` itself.
    PickleRef choose(PickleRef dict, int depth) {
        if (!pickle_.is(dict, PickleKind::Dict))
            refuse(container_.where, fmt::format("holds {}, expected a dict of tensors",
                                                 pickleKindName(pickle_.kind(dict))));
        const std::vector<Entry> entries = entriesOf(pickle_, dict);
        std::vector<Entry> nested;
        for (const Entry& entry : entries)
            if (!entry.key.empty() && depth < kMostNesting &&
                leadsToTensors(entry.value, depth + 1))
                nested.push_back(entry);
        const auto usual = [&](std::string_view key) {
            return std::find(kUsual.begin(), kUsual.end(), key) != kUsual.end();
        };
        const auto usualOnes = std::count_if(nested.begin(), nested.end(),
                                             [&](const Entry& entry) { return usual(entry.key); });
        if (usualOnes == 0 && holdsTensors(pickle_, entries)) return dict;
        if (nested.empty()) refuse(container_.where, "no dict of tensors is in it");
        if (usualOnes > 1 || (usualOnes == 0 && nested.size() > 1)) {
            std::vector<std::string> names;
            for (const Entry& entry : nested) names.emplace_back(entry.key);
            refuse(container_.where,
                   "tensors are under " + listed(names) + ": which are the model's is not clear");
        }
        const Entry chosen =
            usualOnes == 0 ? nested.front()
                           : *std::find_if(nested.begin(), nested.end(),
                                           [&](const Entry& entry) { return usual(entry.key); });
        noteChoice(chosen, entries);
        return choose(chosen.value, depth + 1);
    }

    void noteChoice(const Entry& chosen, const std::vector<Entry>& entries) {
        std::vector<std::string> others;
        for (const Entry& entry : entries)
            if (entry.key != chosen.key)
                others.emplace_back(entry.key.empty() ? "(unnamed)" : entry.key);
        result_.notes.push_back(
            fmt::format("the tensors under '{}' were taken{}{}", printable(chosen.key),
                        others.empty() ? "" : ", left aside: ", listed(others)));
    }

    void take(const Entry& entry) {
        if (entry.key.empty() || !isTorchTensor(pickle_, entry.value)) {
            skipped_.emplace_back(entry.key.empty() ? "(unnamed)" : entry.key);
            return;
        }
        if (!isUtf8(entry.key))
            refuse(container_.where,
                   fmt::format("the name '{}' is not UTF-8", printable(entry.key)));
        if (!names_.insert(entry.key).second)
            refuse(container_.where, fmt::format("tensor '{}' occurs twice", printable(entry.key)));
        TorchTensor tensor = readTorchTensor(container_, entry.value, std::string(entry.key));
        boundRepetition(tensor);
        result_.tensors.push_back(std::move(tensor));
    }

    void boundRepetition(const TorchTensor& tensor) {
        const std::uint64_t bytes =
            static_cast<std::uint64_t>(tensor.shape.elements()) * dtypeBytes(tensor.dtype);
        if (bytes <= tensor.storage->bytes) return;
        const std::uint64_t beyond = bytes - tensor.storage->bytes;
        if (beyond > kMostRepeated - repeated_)
            refuse(container_.where,
                   fmt::format("tensor '{}' repeats a storage of {} bytes to {} bytes",
                               printable(tensor.name), tensor.storage->bytes, bytes));
        repeated_ += beyond;
    }

    void noteSkipped() {
        if (!skipped_.empty())
            result_.notes.push_back("not tensors, left aside: " + listed(skipped_));
    }

    /// Names whose elements are the very same bytes.
    void noteShared() {
        using Place = std::tuple<const TorchStorage*, std::int64_t, std::vector<std::int64_t>,
                                 std::vector<std::int64_t>>;
        std::map<Place, std::vector<std::string>> places;
        for (const TorchTensor& tensor : result_.tensors)
            if (tensor.shape.elements() > 0)
                places[{tensor.storage, tensor.view.offset, tensor.view.sizes, tensor.view.strides}]
                    .push_back(tensor.name);
        std::vector<std::string> groups;
        for (const auto& [place, names] : places)
            if (names.size() > 1) groups.push_back(listed(names));
        std::sort(groups.begin(), groups.end());
        for (std::size_t i = 0; i < std::min(groups.size(), kMostNamed); ++i)
            result_.notes.push_back(groups[i] + " are the same values (tied)");
        if (groups.size() > kMostNamed)
            result_.notes.push_back(
                fmt::format("{} more groups of tensors are tied", groups.size() - kMostNamed));
    }

    /// DataParallel puts "module." before every name.
    void dropCommonPrefix() {
        constexpr std::string_view kPrefix = "module.";
        std::vector<TorchTensor>& tensors = result_.tensors;
        if (!std::all_of(tensors.begin(), tensors.end(), [&](const TorchTensor& tensor) {
                return tensor.name.starts_with(kPrefix) && tensor.name.size() > kPrefix.size();
            }))
            return;
        for (TorchTensor& tensor : tensors) {
            tensor.storedAs = tensor.name;
            tensor.name.erase(0, kPrefix.size());
        }
        result_.notes.emplace_back(
            "every name begins with 'module.', as DataParallel writes it, which was left off");
    }

    const TorchContainer& container_;
    const Pickle& pickle_;
    TorchStateDict result_;
    std::map<std::pair<PickleRef, int>, bool> leads_;
    std::vector<std::string> skipped_;
    std::unordered_set<std::string_view> names_;
    std::uint64_t repeated_ = 0;
};

}  // namespace

TorchStateDict readStateDict(const TorchContainer& container) {
    return StateDictReader(container).read();
}

}  // namespace core
