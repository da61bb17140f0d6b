// SPDX-License-Identifier: Apache-2.0
// The machine's opcodes for texts, containers and calls.
#include "core/base/text.h"
#include "core/checkpoint/pickle_machine_internal.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace core {
namespace {

constexpr std::size_t kMostContainers = std::size_t{1} << 20U;
/// OrderedDict([...]) adds as many items in one step as its argument has.
constexpr std::size_t kMostItems = std::size_t{16} << 20U;
constexpr const char* kSaveWeights =
    "save the weights alone, torch.save(model.state_dict(), FILE), where the file can be trusted";

bool isCallable(TorchRole role) {
    switch (role) {
        case TorchRole::Storage:
        case TorchRole::UntypedStorage:
        case TorchRole::DType:
        case TorchRole::Type:
            return false;
        default:
            return true;
    }
}

}  // namespace

bool PickleMachine::textual(unsigned opcode) {
    switch (opcode) {
        case 'X':  // BINUNICODE
            addText(PickleKind::Text, 4);
            break;
        case 0x8c:  // SHORT_BINUNICODE
            addText(PickleKind::Text, 1);
            break;
        case 0x8d:  // BINUNICODE8
            addText(PickleKind::Text, 8);
            break;
        case 'T':  // BINSTRING, Python 2's text
            addText(PickleKind::Text, 4);
            break;
        case 'U':  // SHORT_BINSTRING, Python 2's text
            addText(PickleKind::Text, 1);
            break;
        case 'B':  // BINBYTES
            addText(PickleKind::Bytes, 4);
            break;
        case 'C':  // SHORT_BINBYTES
            addText(PickleKind::Bytes, 1);
            break;
        case 0x8e:  // BINBYTES8
        case 0x96:  // BYTEARRAY8
            addText(PickleKind::Bytes, 8);
            break;
        case 0x8a:  // LONG1
            addLong(1);
            break;
        case 0x8b:  // LONG4
            addLong(4);
            break;
        default:
            return false;
    }
    return true;
}

void PickleMachine::addText(PickleKind kind, std::size_t lengthWidth) {
    const std::uint64_t length = number(lengthWidth);
    need(length);
    push(add(kind, static_cast<std::uint32_t>(length), at_));
    at_ += length;
}

void PickleMachine::addLong(std::size_t lengthWidth) {
    const std::uint64_t length = number(lengthWidth);
    need(length);
    if (length > sizeof(std::int64_t)) {
        push(add(PickleKind::BigInteger, static_cast<std::uint32_t>(length), at_));
        at_ += length;
        return;
    }
    std::uint64_t value = 0;
    std::memcpy(&value, pickle_.text_.data() + at_, length);
    at_ += length;
    const auto unused = static_cast<unsigned>(64 - 8 * length);
    if (length > 0 && unused > 0)  // extends the sign
        value = static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused);
    push(addInteger(static_cast<std::int64_t>(value)));
}

bool PickleMachine::tuple(unsigned opcode) {
    switch (opcode) {
        case ')':  // EMPTY_TUPLE
            push(add(PickleKind::Tuple));
            return true;
        case 't':  // TUPLE
            push(addFixed(PickleKind::Tuple, popMark()));
            return true;
        case 0x85:    // TUPLE1
        case 0x86:    // TUPLE2
        case 0x87: {  // TUPLE3
            const std::size_t count = opcode - 0x84;
            requireDepth(count);
            push(addFixed(PickleKind::Tuple, stack_.size() - count));
            return true;
        }
        default:
            return false;
    }
}

bool PickleMachine::container(unsigned opcode) {
    switch (opcode) {
        case ']':  // EMPTY_LIST
            addContainer(PickleKind::List, stack_.size());
            break;
        case '}':  // EMPTY_DICT
            addContainer(PickleKind::Dict, stack_.size());
            break;
        case 0x8f:  // EMPTY_SET
            addContainer(PickleKind::Set, stack_.size());
            break;
        case 'l':  // LIST
            addContainer(PickleKind::List, popMark());
            break;
        case 'd':  // DICT
            addContainer(PickleKind::Dict, popMark());
            break;
        case 0x91:  // FROZENSET
            addContainer(PickleKind::Set, popMark());
            break;
        case 'a':  // APPEND
            requireDepth(2);
            fill(PickleKind::List, stack_.size() - 1);
            break;
        case 's':  // SETITEM
            requireDepth(3);
            fill(PickleKind::Dict, stack_.size() - 2);
            break;
        case 'e':  // APPENDS
            fill(PickleKind::List, popMark());
            break;
        case 'u':  // SETITEMS
            fill(PickleKind::Dict, popMark());
            break;
        case 0x90:  // ADDITEMS
            fill(PickleKind::Set, popMark());
            break;
        default:
            return false;
    }
    return true;
}

void PickleMachine::addContainer(PickleKind kind, std::size_t begin) {
    const PickleRef made = add(kind, 0, Pickle::kNoContainer);
    stack_.insert(stack_.begin() + static_cast<std::ptrdiff_t>(begin), made);
    fill(kind, begin + 1);
}

void PickleMachine::fill(PickleKind kind, std::size_t begin) {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (begin <= floor) refuse("items are put into nothing");
    const PickleRef into = stack_[begin - 1];
    if (!pickle_.is(into, kind))
        refuse(fmt::format("items of {} are put into {}", pickleKindName(kind),
                           pickleKindName(pickle_.kind(into))));
    if (kind == PickleKind::Dict && (stack_.size() - begin) % 2 != 0)
        refuse("a dict has a key without a value");
    for (std::size_t i = begin; i < stack_.size(); ++i) append(into, stack_[i]);
    stack_.resize(begin);
}

void PickleMachine::append(PickleRef container, PickleRef item) {
    if (++itemsAdded_ > kMostItems) refuse("there are more items than in any state dict");
    Pickle::Node& node = pickle_.nodes_[container];
    if (node.word == Pickle::kNoContainer) {
        if (pickle_.containers_.size() == kMostContainers)
            refuse("there are more lists and dicts than in any state dict");
        node.word = pickle_.containers_.size();
        pickle_.containers_.emplace_back();
    }
    pickle_.containers_[node.word].push_back(item);
}

bool PickleMachine::call(unsigned opcode) {
    switch (opcode) {
        case 'c': {  // GLOBAL
            const std::string module(line());
            pushName(module, line());
            break;
        }
        case 0x93: {  // STACK_GLOBAL
            const PickleRef name = pop();
            const PickleRef module = pop();
            if (!pickle_.is(name, PickleKind::Text) || !pickle_.is(module, PickleKind::Text))
                refuse("a name is not a string");
            pushName(pickle_.text(module), pickle_.text(name));
            break;
        }
        case 'R':   // REDUCE
        case 0x81:  // NEWOBJ
            callName(2);
            break;
        case 'b':  // BUILD: attributes of a dict (_metadata) say nothing of its items
            pop();
            if (!pickle_.is(top(), PickleKind::Dict))
                refuse(fmt::format("attributes are set on {}, expected a dict",
                                   pickleKindName(pickle_.kind(top()))));
            break;
        case 'Q':  // BINPERSID
            requireDepth(1);
            push(addFixed(PickleKind::PersistentId, stack_.size() - 1));
            break;
        default:
            return false;
    }
    return true;
}

void PickleMachine::pushName(std::string_view module, std::string_view name) {
    const std::optional<std::uint32_t> known = findTorchName(module, name);
    if (!known)
        refuse(fmt::format("uses {}.{}, which is not one of the callables of a state dict; "
                           "nothing was run",
                           printable(module), printable(name)),
               kSaveWeights);
    push(add(PickleKind::Name, *known));
}

void PickleMachine::callName(std::size_t operands) {
    requireDepth(operands);
    const PickleRef callee = stack_[stack_.size() - 2];
    const PickleRef arguments = stack_.back();
    if (!pickle_.is(callee, PickleKind::Name))
        refuse(fmt::format("calls {}", pickleKindName(pickle_.kind(callee))));
    const TorchName& name = torchNames()[pickle_.name(callee)];
    if (!isCallable(name.role))
        refuse(fmt::format("calls {}, which state dicts only name", name.text()), kSaveWeights);
    if (!pickle_.is(arguments, PickleKind::Tuple))
        refuse(fmt::format("calls {} with {}, expected a tuple of arguments", name.text(),
                           pickleKindName(pickle_.kind(arguments))));
    if (name.role == TorchRole::OrderedDict) {
        const PickleRef dict = dictOf(arguments);
        stack_.resize(stack_.size() - 2);
        push(dict);
        return;
    }
    push(addFixed(PickleKind::Call, stack_.size() - 2));
}

PickleRef PickleMachine::dictOf(PickleRef arguments) {
    const PickleRef dict = add(PickleKind::Dict, 0, Pickle::kNoContainer);
    const std::span<const PickleRef> given = pickle_.items(arguments);
    if (given.empty()) return dict;
    const auto isSequence = [&](PickleRef value) {
        return pickle_.is(value, PickleKind::Tuple) || pickle_.is(value, PickleKind::List);
    };
    if (given.size() > 1 || !isSequence(given[0]))
        refuse("an OrderedDict is made of something that is not a list of pairs");
    // Copied: the spans' storage grows below.
    const std::span<const PickleRef> listed = pickle_.items(given[0]);
    const std::vector<PickleRef> pairs(listed.begin(), listed.end());
    for (const PickleRef pair : pairs) {
        if (!isSequence(pair) || pickle_.items(pair).size() != 2)
            refuse("an OrderedDict is made of something that is not a list of pairs");
        const std::array<PickleRef, 2> both{pickle_.items(pair)[0], pickle_.items(pair)[1]};
        append(dict, both[0]);
        append(dict, both[1]);
    }
    return dict;
}

}  // namespace core
