// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/torch_container.h"
#include "core/checkpoint/torch_names.h"

#include <fmt/format.h>

namespace core {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 62U;

[[noreturn]] void refuse(const std::string& where, const std::string& text) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", where, text),
                "the file is damaged or torch.save did not write it: copy it again");
}

std::uint64_t countOf(const Pickle& pickle, PickleRef value, const std::string& where) {
    const std::int64_t count = pickle.is(value, PickleKind::Integer) ? pickle.integer(value) : -1;
    if (count < 0 || static_cast<std::uint64_t>(count) > kMostBytes / 8)
        refuse(where, fmt::format("a storage has {} elements",
                                  count < 0 ? "no number of" : "absurdly many"));
    return static_cast<std::uint64_t>(count);
}

bool isText(const Pickle& pickle, PickleRef value) {
    return pickle.is(value, PickleKind::Text) || pickle.is(value, PickleKind::Bytes);
}

/// (key, first element, elements) of the old container's views.
void readView(const Pickle& pickle, PickleRef view, const std::string& where, StorageClaim& claim) {
    claim.viewElements = claim.elements;
    if (pickle.is(view, PickleKind::None)) return;
    const std::span<const PickleRef> parts = pickle.items(view);
    if (!pickle.is(view, PickleKind::Tuple) || parts.size() != 3)
        refuse(where, "a storage is a view without (key, begin, elements)");
    claim.viewBegin = countOf(pickle, parts[1], where);
    claim.viewElements = countOf(pickle, parts[2], where);
    if (claim.viewBegin > claim.elements || claim.viewElements > claim.elements - claim.viewBegin)
        refuse(where, fmt::format("elements {} + {} of storage '{}' are viewed, which has {}",
                                  claim.viewBegin, claim.viewElements, printable(claim.key),
                                  claim.elements));
}

}  // namespace

StorageClaim readStorageClaim(const Pickle& pickle, PickleRef id, const std::string& where) {
    const PickleRef tuple = pickle.items(id)[0];
    const std::span<const PickleRef> parts = pickle.items(tuple);
    if (!pickle.is(tuple, PickleKind::Tuple) || parts.size() < 5 || parts.size() > 6 ||
        pickle.text(parts[0]) != "storage")
        refuse(where, "a persistent id is not (\"storage\", type, key, device, elements)");
    if (!pickle.is(parts[1], PickleKind::Name) || !isText(pickle, parts[2]))
        refuse(where, "a storage has no type or no key");
    const TorchName& type = torchNames()[pickle.name(parts[1])];
    StorageClaim claim;
    claim.key = pickle.text(parts[2]);
    claim.untyped = type.role == TorchRole::UntypedStorage;
    if (!claim.untyped && type.role != TorchRole::Storage)
        refuse(where, fmt::format("storage '{}' is of type {}, which is no type of storages",
                                  printable(claim.key), type.text()));
    claim.type = type.name;
    claim.dtype = type.dtype;
    claim.width = claim.untyped ? 1 : type.width;
    claim.elements = countOf(pickle, parts[4], where);
    if (parts.size() == 6)
        readView(pickle, parts[5], where, claim);
    else
        claim.viewElements = claim.elements;
    return claim;
}

}  // namespace core
