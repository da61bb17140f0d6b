// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/torch_container.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <unordered_map>
#include <utility>

namespace core {
namespace {

constexpr const char* kDamaged = "the file is damaged or cut short: copy or download it again";

[[noreturn]] void refuse(const File& file, const std::string& text) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", file.path().string(), text), kDamaged);
}

/// Bytes that the pickle says each storage has. Where it is spoken of twice, both must agree.
using Claims = std::map<std::string_view, StorageClaim>;

Claims collectClaims(const TorchContainer& container) {
    Claims claims;
    const Pickle& pickle = container.pickle;
    for (PickleRef value = 0; value < pickle.size(); ++value) {
        if (!pickle.is(value, PickleKind::PersistentId)) continue;
        const StorageClaim claim = readStorageClaim(pickle, value, container.where);
        const auto [known, added] = claims.emplace(claim.key, claim);
        if (!added && known->second.elements * known->second.width != claim.elements * claim.width)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: storage '{}' is said to have {} bytes and {} bytes",
                                    container.where, printable(claim.key),
                                    known->second.elements * known->second.width,
                                    claim.elements * claim.width),
                        kDamaged);
    }
    return claims;
}

class ZipReader {
  public:
    explicit ZipReader(const File& file) : file_(file), members_(readZipDirectory(file)) {
        byName_.reserve(members_.size());
        for (const ZipMember& member : members_) byName_.emplace(member.name, &member);
    }

    TorchContainer read() {
        const ZipMember& member = findPickle();
        prefix_ = member.name.substr(0, member.name.size() - std::strlen("data.pkl"));
        TorchContainer container;
        container.where = file_.path().string() + ": " + printable(member.name);
        container.bigEndian = isBigEndian();
        const PickleSource source{container.where, member.bytes,
                                  [&](std::uint64_t offset, std::span<std::byte> into) {
                                      readZipMember(file_, member, offset, into);
                                  }};
        container.pickle = readPickle(source);
        for (const auto& [key, claim] : collectClaims(container))
            container.storages.emplace(key, locate(claim));
        return container;
    }

  private:
    const ZipMember& findPickle() const {
        const ZipMember* found = nullptr;
        for (const ZipMember& member : members_) {
            if (member.name != "data.pkl" && !member.name.ends_with("/data.pkl")) continue;
            if (found != nullptr)
                refuse(file_, fmt::format("'{}' and '{}' are both there, expected one data.pkl",
                                          printable(found->name), printable(member.name)));
            found = &member;
        }
        if (found == nullptr) refuse(file_, "a zip archive without a data.pkl");
        return *found;
    }

    bool isBigEndian() const {
        const auto member = byName_.find(prefix_ + "byteorder");
        if (member == byName_.end()) return false;
        std::array<char, 16> text{};
        const std::size_t bytes = std::min<std::uint64_t>(member->second->bytes, text.size());
        readZipMember(file_, *member->second, 0,
                      std::as_writable_bytes(std::span(text)).first(bytes));
        const std::string_view order(text.data(), bytes);
        if (order != "little" && order != "big")
            refuse(file_,
                   fmt::format("byteorder is '{}', expected little or big", printable(order)));
        return order == "big";
    }

    TorchStorage locate(const StorageClaim& claim) const {
        const auto member = byName_.find(fmt::format("{}data/{}", prefix_, claim.key));
        const std::uint64_t bytes = claim.elements * claim.width;
        if (member == byName_.end())
            refuse(file_, fmt::format("the archive does not hold storage '{}' (data/{})",
                                      printable(claim.key), printable(claim.key)));
        if (member->second->bytes != bytes)
            refuse(file_, fmt::format("storage '{}' has {} bytes, but {} elements of {} need {}",
                                      printable(claim.key), member->second->bytes, claim.elements,
                                      claim.type, bytes));
        TorchStorage storage{bytes, member->second->offset, std::nullopt};
        if (member->second->deflated) storage.packed = *member->second;
        return storage;
    }

    const File& file_;
    std::vector<ZipMember> members_;
    std::unordered_map<std::string_view, const ZipMember*> byName_;
    std::string prefix_;
};

/// The container that torch wrote before 1.6.
class StreamReader {
  public:
    explicit StreamReader(const File& file) : file_(file), size_(file.size()) {}

    TorchContainer read() {
        // 0x1950a86a20f9469cfc6c
        constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
        constexpr std::int64_t kProtocol = 1001;
        TorchContainer container;
        container.where = file_.path().string();
        const Pickle magic = next(container.where);
        if (!magic.is(magic.root(), PickleKind::BigInteger) || magic.text(magic.root()) != kMagic)
            refuse(file_, "a pickle that does not begin with torch.save's magic number");
        const Pickle protocol = next(container.where);
        if (!protocol.is(protocol.root(), PickleKind::Integer) ||
            protocol.integer(protocol.root()) != kProtocol)
            refuse(file_, fmt::format("the protocol is not torch.save's {}", kProtocol));
        const Pickle system = next(container.where);
        if (!system.is(system.root(), PickleKind::Dict))
            refuse(file_, fmt::format("the facts of the system are {}, expected a dict",
                                      pickleKindName(system.kind(system.root()))));
        container.pickle = next(container.where);
        const Pickle keys = next(container.where);
        readStorages(keys, container);
        return container;
    }

  private:
    Pickle next(const std::string& where) {
        const std::uint64_t base = at_;
        const PickleSource source{
            base == 0 ? where : fmt::format("{}: pickle at byte {}", where, base), size_ - base,
            [&](std::uint64_t offset, std::span<std::byte> into) {
                file_.readAt(base + offset, into);
            }};
        Pickle pickle = readPickle(source);
        at_ += pickle.bytes();
        return pickle;
    }

    void readStorages(const Pickle& keys, TorchContainer& container) {
        if (!keys.is(keys.root(), PickleKind::List))
            refuse(file_, fmt::format("the keys of the storages are {}, expected a list",
                                      pickleKindName(keys.kind(keys.root()))));
        const Claims claims = collectClaims(container);
        for (const PickleRef key : keys.items(keys.root())) {
            const auto claim = claims.find(keys.text(key));
            if (claim == claims.end())
                refuse(file_, fmt::format("storage '{}' is listed, but no tensor has it",
                                          printable(keys.text(key))));
            if (!container.storages.emplace(keys.text(key), takeStorage(claim->second)).second)
                refuse(file_,
                       fmt::format("storage '{}' is listed twice", printable(keys.text(key))));
        }
        for (const auto& [key, claim] : claims)
            if (!container.storages.contains(key))
                refuse(file_, fmt::format("storage '{}' is missing from the list of storages",
                                          printable(key)));
    }

    TorchStorage takeStorage(const StorageClaim& claim) {
        std::uint64_t elements = 0;
        file_.readAt(at_, std::as_writable_bytes(std::span(&elements, 1)));
        at_ += sizeof(elements);
        if (elements != claim.elements)
            refuse(file_, fmt::format("storage '{}' has {} elements at byte {}, the pickle says {}",
                                      printable(claim.key), elements, at_ - sizeof(elements),
                                      claim.elements));
        const std::uint64_t bytes = elements * claim.width;
        if (bytes > size_ - at_)
            refuse(file_, fmt::format("storage '{}' needs {} bytes at byte {}, the file ends at {}",
                                      printable(claim.key), bytes, at_, size_));
        const TorchStorage storage{bytes, at_, std::nullopt};
        at_ += bytes;
        return storage;
    }

    const File& file_;
    std::uint64_t size_;
    std::uint64_t at_ = 0;
};

}  // namespace

TorchContainer readTorchContainer(const File& file) {
    std::array<char, 4> head{};
    const std::size_t bytes = std::min<std::uint64_t>(file.size(), head.size());
    file.readAt(0, std::as_writable_bytes(std::span(head)).first(bytes));
    const std::string_view text(head.data(), bytes);
    if (text == "PK\x03\x04") return ZipReader(file).read();
    if (text.size() == 4 && text[0] == '\x80') return StreamReader(file).read();
    throw Error(
        ErrorKind::BadInput,
        fmt::format("{} does not begin like a file that torch.save wrote", file.path().string()),
        "the file is damaged or not what its name says");
}

}  // namespace core
