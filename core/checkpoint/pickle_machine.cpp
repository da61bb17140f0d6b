// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/checkpoint/pickle_machine_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace core {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20U;
constexpr std::uint64_t kFirstPiece = std::uint64_t{64} << 10U;
constexpr std::size_t kMostValues = std::size_t{4} << 20U;
constexpr std::size_t kMostSteps = std::size_t{16} << 20U;
constexpr std::uint32_t kNothing = UINT32_MAX;

// Values that need no node of their own: None, False, True, 0 to 255.
constexpr PickleRef kNone = 0;
constexpr PickleRef kFalse = 1;
constexpr PickleRef kTrue = 2;
constexpr PickleRef kZero = 3;
constexpr std::int64_t kSmallIntegers = 256;

}  // namespace

PickleMachine::PickleMachine(const PickleSource& source) : source_(source) {
    add(PickleKind::None);
    add(PickleKind::Bool, 0, 0);
    add(PickleKind::Bool, 0, 1);
    for (std::int64_t i = 0; i < kSmallIntegers; ++i)
        add(PickleKind::Integer, 0, static_cast<std::uint64_t>(i));
}

Pickle PickleMachine::run() {
    for (std::size_t steps = 0;; ++steps) {
        opcodeAt_ = at_;
        if (steps == kMostSteps) refuse("goes on for more steps than any state dict");
        const auto opcode = static_cast<unsigned>(number(1));
        if (opcode == '.') break;
        if (!plain(opcode) && !memory(opcode) && !tuple(opcode) && !textual(opcode) &&
            !container(opcode) && !call(opcode))
            refuse(fmt::format("has the opcode 0x{:02x}, which torch.save does not write", opcode));
    }
    pickle_.root_ = pop();
    pickle_.bytes_ = at_;
    return std::move(pickle_);
}

void PickleMachine::refuse(const std::string& text) const {
    refuse(text, "the file is damaged or torch.save did not write it: copy it again");
}

void PickleMachine::refuse(const std::string& text, const char* hint) const {
    throw Error(ErrorKind::BadInput, fmt::format("{}, byte {}: {}", source_.where, opcodeAt_, text),
                hint);
}

void PickleMachine::need(std::uint64_t count) {
    std::string& text = pickle_.text_;
    if (count <= text.size() - at_) return;
    if (count > source_.bytes - at_)
        refuse(
            fmt::format("the pickle needs {} more bytes, {} follow", count, source_.bytes - at_));
    if (count > kMostBytes - at_)
        refuse(fmt::format("the pickle is longer than {} bytes", kMostBytes));
    const std::size_t had = text.size();
    const std::uint64_t wanted = std::max({at_ + count, std::uint64_t{2} * had, kFirstPiece});
    text.resize(std::min({wanted, source_.bytes, kMostBytes}));
    source_.read(had, std::as_writable_bytes(std::span(text)).subspan(had));
}

std::uint64_t PickleMachine::number(std::size_t width) {
    need(width);
    std::uint64_t value = 0;
    std::memcpy(&value, pickle_.text_.data() + at_, width);
    at_ += width;
    return value;
}

std::string_view PickleMachine::line() {
    constexpr std::uint64_t kMostLine = 1000;
    const std::uint64_t begin = at_;
    while (number(1) != '\n')
        if (at_ - begin > kMostLine) refuse("a name has no end");
    return std::string_view(pickle_.text_).substr(begin, at_ - begin - 1);
}

PickleRef PickleMachine::add(PickleKind kind, std::uint32_t count, std::uint64_t word) {
    if (pickle_.nodes_.size() == kMostValues) refuse("there are more values than any state dict");
    pickle_.nodes_.push_back({kind, count, word});
    return static_cast<PickleRef>(pickle_.nodes_.size() - 1);
}

PickleRef PickleMachine::addFixed(PickleKind kind, std::size_t begin) {
    const std::size_t count = stack_.size() - begin;
    const PickleRef value = add(kind, static_cast<std::uint32_t>(count), pickle_.pool_.size());
    for (std::size_t i = begin; i < stack_.size(); ++i) pickle_.pool_.push_back(stack_[i]);
    stack_.resize(begin);
    return value;
}

PickleRef PickleMachine::addInteger(std::int64_t value) {
    if (value >= 0 && value < kSmallIntegers) return kZero + static_cast<PickleRef>(value);
    return add(PickleKind::Integer, 0, static_cast<std::uint64_t>(value));
}

void PickleMachine::requireDepth(std::size_t count) const {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() - floor < count) refuse("a value is taken from an empty stack");
}

PickleRef PickleMachine::pop() {
    const PickleRef value = top();
    stack_.pop_back();
    return value;
}

PickleRef PickleMachine::top() const {
    requireDepth(1);
    return stack_.back();
}

std::size_t PickleMachine::popMark() {
    if (marks_.empty()) refuse("values are taken back to a mark that was never set");
    const std::size_t mark = marks_.back();
    marks_.pop_back();
    return mark;
}

bool PickleMachine::plain(unsigned opcode) {
    switch (opcode) {
        case 0x80:  // PROTO
            if (const std::uint64_t protocol = number(1); protocol > 5)
                refuse(fmt::format("pickle protocol {}, expected at most 5", protocol));
            break;
        case 0x95:  // FRAME: a length, which nothing depends on
            if (const std::uint64_t bytes = number(8); bytes > source_.bytes - at_)
                refuse(fmt::format("a frame of {} bytes, {} follow", bytes, source_.bytes - at_));
            break;
        case '(':  // MARK
            marks_.push_back(stack_.size());
            break;
        case '0':  // POP
            pop();
            break;
        case '1':  // POP_MARK
            stack_.resize(popMark());
            break;
        case '2':  // DUP
            push(top());
            break;
        case 'N':  // NONE
            push(kNone);
            break;
        case 0x88:  // NEWTRUE
            push(kTrue);
            break;
        case 0x89:  // NEWFALSE
            push(kFalse);
            break;
        case 'K':  // BININT1
            push(addInteger(static_cast<std::int64_t>(number(1))));
            break;
        case 'M':  // BININT2
            push(addInteger(static_cast<std::int64_t>(number(2))));
            break;
        case 'J':  // BININT
            push(addInteger(static_cast<std::int32_t>(number(4))));
            break;
        case 'G': {  // BINFLOAT, big-endian
            std::uint64_t bits = __builtin_bswap64(number(8));
            push(add(PickleKind::Real, 0, bits));
            break;
        }
        default:
            return false;
    }
    return true;
}

bool PickleMachine::memory(unsigned opcode) {
    switch (opcode) {
        case 'q':  // BINPUT
            remember(number(1));
            break;
        case 'r':  // LONG_BINPUT
            remember(number(4));
            break;
        case 0x94:  // MEMOIZE
            remember(memo_.size());
            break;
        case 'h':  // BINGET
            recall(number(1));
            break;
        case 'j':  // LONG_BINGET
            recall(number(4));
            break;
        default:
            return false;
    }
    return true;
}

void PickleMachine::remember(std::uint64_t place) {
    if (place >= kMostValues) refuse(fmt::format("memo place {} is absurd", place));
    const PickleRef value = top();
    if (place >= memo_.size()) memo_.resize(place + 1, kNothing);
    memo_[place] = value;
}

void PickleMachine::recall(std::uint64_t place) {
    if (place >= memo_.size() || memo_[place] == kNothing)
        refuse(fmt::format("memo place {} was never filled", place));
    push(memo_[place]);
}

Pickle readPickle(const PickleSource& source) { return PickleMachine(source).run(); }

}  // namespace core
