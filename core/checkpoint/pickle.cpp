// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/pickle.h"

#include <bit>

namespace core {

std::string_view pickleKindName(PickleKind kind) noexcept {
    switch (kind) {
        case PickleKind::None:
            return "None";
        case PickleKind::Bool:
            return "a bool";
        case PickleKind::Integer:
        case PickleKind::BigInteger:
            return "an integer";
        case PickleKind::Real:
            return "a float";
        case PickleKind::Text:
            return "a string";
        case PickleKind::Bytes:
            return "bytes";
        case PickleKind::Tuple:
            return "a tuple";
        case PickleKind::List:
            return "a list";
        case PickleKind::Dict:
            return "a dict";
        case PickleKind::Set:
            return "a set";
        case PickleKind::Name:
            return "a type or function";
        case PickleKind::Call:
            return "an object";
        case PickleKind::PersistentId:
            break;
    }
    return "a storage";
}

double Pickle::real(PickleRef value) const noexcept {
    return std::bit_cast<double>(nodes_[value].word);
}

std::string_view Pickle::text(PickleRef value) const noexcept {
    const Node& node = nodes_[value];
    switch (node.kind) {
        case PickleKind::Text:
        case PickleKind::Bytes:
        case PickleKind::BigInteger:
            return std::string_view(text_).substr(node.word, node.count);
        default:
            return {};
    }
}

std::span<const PickleRef> Pickle::items(PickleRef value) const noexcept {
    const Node& node = nodes_[value];
    switch (node.kind) {
        case PickleKind::Tuple:
        case PickleKind::Call:
        case PickleKind::PersistentId:
            return std::span(pool_).subspan(node.word, node.count);
        case PickleKind::List:
        case PickleKind::Dict:
        case PickleKind::Set:
            if (node.word != kNoContainer) return containers_[node.word];
            return {};
        default:
            return {};
    }
}

}  // namespace core
