// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/npy_header.h"
#include "core/checkpoint/npz_gather.h"
#include "core/checkpoint/npz_names.h"
#include "core/checkpoint/readers.h"
#include "core/checkpoint/tensor_index.h"
#include "core/checkpoint/zip_archive.h"
#include "core/checkpoint/zip_streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

namespace core {
namespace {

constexpr std::string_view kArrayEnding = ".npy";
constexpr std::size_t kMostNotes = 20;
constexpr std::uint64_t kMostGathered = std::uint64_t{4} << 30U;

/// How a tensor lies in the archive.
struct StoredArray {
    ZipMember member;
    std::uint64_t begin = 0;  ///< of the elements in the member's content
    bool bigEndian = false;
    bool fortranOrder = false;
};

struct Listing {
    std::vector<StoredArray> arrays;
    std::vector<TensorInfo> tensors;  ///< in the same order
    std::vector<std::string> notes;
    std::string comment;  ///< of the archive
};

class ListingReader {
  public:
    explicit ListingReader(const File& file) : file_(file) {}

    Listing read() {
        listing_.comment =
            readZipArchive(file_, [this](const ZipMember& member, std::string_view begin) {
                if (member.name.ends_with(kArrayEnding))
                    addArray(member, begin);
                else if (!member.name.ends_with('/'))
                    leaveAside(member);
            }).comment;
        if (listing_.arrays.empty())
            throw Error(ErrorKind::BadInput,
                        fmt::format("{} holds no .npy arrays", file_.path().string()),
                        "give a .npz that numpy.savez wrote");
        if (strays_ > kMostNotes)
            listing_.notes.push_back(
                fmt::format("{} more members are not .npy arrays", strays_ - kMostNotes));
        if (voids_ > 0)
            listing_.notes.push_back(
                fmt::format("{} {} of two bytes without a type (V2) {} read as bfloat16", voids_,
                            voids_ == 1 ? "array" : "arrays", voids_ == 1 ? "is" : "are"));
        return std::move(listing_);
    }

  private:
    void addArray(const ZipMember& member, std::string_view begin) {
        const NpyPlace place{file_.path(), member.name};
        std::string more;
        const std::string_view header = headerOf(member, place, begin, more);
        const NpyHeader array = readNpyHeader(header, place);
        const std::uint64_t width = dtypeBytes(array.dtype);
        const auto elements = static_cast<std::uint64_t>(array.shape.elements());
        const std::uint64_t bytes = member.bytes - header.size();
        if (bytes % width != 0 || bytes / width != elements)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: array '{}' has {} bytes of elements, but {} {} needs "
                                    "{} elements of {} bytes",
                                    file_.path().string(), printable(member.name), bytes,
                                    dtypeName(array.dtype), toString(array.shape), elements, width),
                        "the file is damaged: copy it again or save it anew");
        TensorInfo& info = listing_.tensors.emplace_back();
        info.name = member.name.substr(0, member.name.size() - kArrayEnding.size());
        info.dtype = array.dtype;
        info.shape = array.shape;
        info.bytes = bytes;
        info.file = file_.path().filename().string();
        info.offset = member.deflated ? 0 : member.offset + header.size();
        voids_ += array.isVoid ? 1U : 0U;
        listing_.arrays.push_back({member, header.size(), array.bigEndian, array.fortranOrder});
    }

    /// The array's header in `begin`, the member's first bytes, or in `more` if those do not
    /// suffice.
    std::string_view headerOf(const ZipMember& member, const NpyPlace& place,
                              std::string_view begin, std::string& more) const {
        if (begin.size() < std::min<std::uint64_t>(kNpyPreambleBytes, member.bytes))
            begin = readBegin(member, kNpyPreambleBytes, more);
        const std::size_t bytes = npyHeaderBytes(begin, place);
        if (bytes > member.bytes)
            throw Error(
                ErrorKind::BadInput,
                fmt::format("{}: array '{}' claims a header of {} bytes, but has {}",
                            file_.path().string(), printable(member.name), bytes, member.bytes),
                "the file is damaged: copy it again or save it anew");
        return (bytes <= begin.size() ? begin : readBegin(member, bytes, more)).substr(0, bytes);
    }

    std::string_view readBegin(const ZipMember& member, std::uint64_t bytes,
                               std::string& into) const {
        into.resize(std::min(bytes, member.bytes));
        readZipMember(file_, member, 0, std::as_writable_bytes(std::span(into)));
        return into;
    }

    void leaveAside(const ZipMember& member) {
        if (strays_++ < kMostNotes)
            listing_.notes.push_back(fmt::format(
                "member '{}' is not a .npy array and was left aside", printable(member.name)));
    }

    const File& file_;
    Listing listing_;
    std::size_t strays_ = 0;
    std::size_t voids_ = 0;
};

class NpzCheckpoint final : public Checkpoint {
  public:
    NpzCheckpoint(const Path& path, CheckpointPlace place)
        : place_(std::move(place)), file_(File::openForReading(path)), streams_(file_) {
        Listing listing = ListingReader(file_).read();
        arrays_ = std::move(listing.arrays);
        notes_ = std::move(listing.notes);
        index_ = TensorIndex(std::move(listing.tensors));
        if (listing.comment.starts_with(kNpzConfigMark) && isUtf8(listing.comment))
            place_.configText = listing.comment.substr(kNpzConfigMark.size());
    }

    std::string format() const override { return "npz"; }
    const Path& folder() const override { return place_.folder; }
    std::vector<std::string> files() const override { return {file_.path().filename().string()}; }
    const std::string& configText() const override { return place_.configText; }
    const std::map<std::string, std::string>& metadata() const override { return metadata_; }
    const std::vector<std::string>& notes() const override { return notes_; }
    std::span<const TensorInfo> tensors() const override { return index_.tensors(); }
    const TensorInfo* find(std::string_view name) const override { return index_.find(name); }

    void read(const TensorInfo& tensor, std::int64_t begin, std::int64_t count,
              std::span<std::byte> into) const override {
        checkReadRange(tensor, begin, count, into.size());
        if (count == 0) return;
        const std::size_t position = index_.positionOf(tensor);
        const StoredArray& array = arrays_[position];
        const std::size_t width = dtypeBytes(tensor.dtype);
        const std::uint64_t from = static_cast<std::uint64_t>(begin) * width;
        if (array.fortranOrder)
            readGathered(tensors()[position], array, from, into);
        else
            readContent(array, from, into);
        if (array.bigEndian) swapElementBytes(into, width);
    }

  private:
    /// Bytes of the elements as they lie in the member, from `from` on.
    void readContent(const StoredArray& array, std::uint64_t from,
                     std::span<std::byte> into) const {
        if (array.member.deflated) return streams_.read(array.member, array.begin + from, into);
        file_.readAt(array.member.offset + array.begin + from, into);
    }

    /// The tensor gathered last is kept until its end was read: slices come one after the other.
    void readGathered(const TensorInfo& tensor, const StoredArray& array, std::uint64_t from,
                      std::span<std::byte> into) const {
        if (tensor.bytes > kMostGathered)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: array '{}' of {} is in Fortran order, which is read only "
                                    "up to {}",
                                    file_.path().string(), printable(tensor.name),
                                    formatBytes(static_cast<double>(tensor.bytes)),
                                    formatBytes(static_cast<double>(kMostGathered))),
                        "save it in C order (numpy.ascontiguousarray)");
        const std::lock_guard lock(gathering_);
        if (gathered_ != &tensor) {
            gathered_ = nullptr;
            std::uint64_t at = 0;
            elements_ = gatherFortran(tensor.shape, dtypeBytes(tensor.dtype),
                                      [&](std::span<std::byte> piece) {
                                          readContent(array, at, piece);
                                          at += piece.size();
                                      });
            gathered_ = &tensor;
        }
        std::memcpy(into.data(), elements_.data() + from, into.size());
        if (from + into.size() < elements_.size()) return;
        gathered_ = nullptr;
        elements_ = {};
    }

    CheckpointPlace place_;
    File file_;
    std::vector<StoredArray> arrays_;  ///< in the order of the index
    std::vector<std::string> notes_;
    std::map<std::string, std::string> metadata_;  ///< the format has no place for it
    TensorIndex index_;
    mutable ZipStreams streams_;
    mutable std::mutex gathering_;
    mutable const TensorInfo* gathered_ = nullptr;
    mutable std::vector<std::byte> elements_;  ///< of `gathered_`, row-major
};

}  // namespace

std::shared_ptr<const Checkpoint> openNpz(const Path& file, CheckpointPlace place) {
    return std::make_shared<NpzCheckpoint>(file, std::move(place));
}

}  // namespace core
