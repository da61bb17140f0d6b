// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace core {

enum class PickleKind : std::uint8_t {
    None,
    Bool,
    Integer,
    BigInteger,  ///< beyond 64 bits: `text()` is its two's complement, little-endian
    Real,
    Text,
    Bytes,
    Tuple,
    List,
    Dict,
    Set,
    Name,         ///< a callable or type of torch_names.h
    Call,         ///< what calling a Name would make; it is not called
    PersistentId  ///< a storage, described by its one item
};

/// "a dict", "an integer" ...: for messages.
std::string_view pickleKindName(PickleKind kind) noexcept;

/// A value of a `Pickle`.
using PickleRef = std::uint32_t;

/// The values that a pickle describes. Values are shared, not copied, and may hold themselves
/// (a pickle can say so): walk them with a bound.
class Pickle {
  public:
    PickleRef root() const noexcept { return root_; }
    /// Bytes that it took of its source.
    std::uint64_t bytes() const noexcept { return bytes_; }
    std::size_t size() const noexcept { return nodes_.size(); }

    PickleKind kind(PickleRef value) const noexcept { return nodes_[value].kind; }
    bool is(PickleRef value, PickleKind kind) const noexcept { return nodes_[value].kind == kind; }
    /// Of an Integer or Bool.
    std::int64_t integer(PickleRef value) const noexcept {
        return static_cast<std::int64_t>(nodes_[value].word);
    }
    double real(PickleRef value) const noexcept;
    /// Of Text, Bytes or BigInteger; empty for others. Lives as long as the pickle.
    std::string_view text(PickleRef value) const noexcept;
    /// Position in `torchNames()`.
    std::uint32_t name(PickleRef value) const noexcept { return nodes_[value].count; }
    /// Of a Tuple, List, Set: the items. Dict: key, value, key, value ... Call: the Name, then the
    /// Tuple of arguments. PersistentId: the id. Empty for others.
    std::span<const PickleRef> items(PickleRef value) const noexcept;

  private:
    friend class PickleMachine;
    struct Node {
        PickleKind kind = PickleKind::None;
        std::uint32_t count = 0;  ///< of bytes or items
        std::uint64_t word = 0;   ///< the number, or where bytes or items begin
    };
    static constexpr std::uint64_t kNoContainer = UINT64_MAX;

    std::string text_;  ///< the bytes of the source so far
    std::vector<Node> nodes_;
    std::vector<PickleRef> pool_;                     ///< items of what cannot grow
    std::vector<std::vector<PickleRef>> containers_;  ///< items of lists, dicts and sets
    PickleRef root_ = 0;
    std::uint64_t bytes_ = 0;
};

/// Where a pickle's bytes come from.
struct PickleSource {
    std::string where;        ///< "FILE: data.pkl", for messages
    std::uint64_t bytes = 0;  ///< at most; the pickle ends where it says so
    std::function<void(std::uint64_t offset, std::span<std::byte> into)> read;
};

/// Reads a pickle of protocol 1 to 5 with the opcodes that torch.save writes and the names of
/// torch_names.h. Nothing is ever run. BadInput, saying where, for anything else; bounded in bytes,
/// values, steps and memory (below 400 MB) whatever the pickle says.
Pickle readPickle(const PickleSource& source);

}  // namespace core
