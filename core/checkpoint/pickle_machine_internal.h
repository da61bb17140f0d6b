// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/pickle.h"
#include "core/checkpoint/torch_names.h"

#include <string>
#include <string_view>
#include <vector>

namespace core {

/// The stack machine of Python's pickle (Lib/pickletools.py describes its opcodes), which runs
/// nothing: a call becomes a value that says what would be called. What a pickle can cost is
/// bounded by its numbers of steps, values and items.
class PickleMachine {
  public:
    explicit PickleMachine(const PickleSource& source);
    Pickle run();

  private:
    [[noreturn]] void refuse(const std::string& text) const;
    [[noreturn]] void refuse(const std::string& text, const char* hint) const;

    /// Makes the next `count` bytes present.
    void need(std::uint64_t count);
    /// The next bytes as a little-endian number.
    std::uint64_t number(std::size_t width);
    std::string_view line();

    PickleRef add(PickleKind kind, std::uint32_t count = 0, std::uint64_t word = 0);
    /// A value whose items cannot change: those of the stack from `begin` on, which are taken.
    PickleRef addFixed(PickleKind kind, std::size_t begin);
    PickleRef addInteger(std::int64_t value);
    void push(PickleRef value) { stack_.push_back(value); }
    PickleRef pop();
    PickleRef top() const;
    std::size_t popMark();
    void requireDepth(std::size_t count) const;

    // Each takes the opcodes of its kind and says whether `opcode` was one.
    bool plain(unsigned opcode);
    bool textual(unsigned opcode);
    bool tuple(unsigned opcode);
    bool container(unsigned opcode);
    bool memory(unsigned opcode);
    bool call(unsigned opcode);

    void addText(PickleKind kind, std::size_t lengthWidth);
    void addLong(std::size_t lengthWidth);
    void addContainer(PickleKind kind, std::size_t begin);
    /// Moves the stack's values from `begin` on into the container below them.
    void fill(PickleKind kind, std::size_t begin);
    void append(PickleRef container, PickleRef item);
    void remember(std::uint64_t place);
    void recall(std::uint64_t place);
    void pushName(std::string_view module, std::string_view name);
    void callName(std::size_t operands);
    PickleRef dictOf(PickleRef arguments);

    const PickleSource& source_;
    std::uint64_t at_ = 0;
    std::uint64_t opcodeAt_ = 0;
    Pickle pickle_;
    std::vector<PickleRef> stack_;
    std::vector<std::size_t> marks_;
    std::vector<PickleRef> memo_;
    std::size_t itemsAdded_ = 0;  ///< to lists, dicts and sets
};

}  // namespace core
