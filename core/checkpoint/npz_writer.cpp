// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/npy_header.h"
#include "core/checkpoint/npz_names.h"
#include "core/checkpoint/writers.h"
#include "core/checkpoint/zip_writer.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kLongestName = 60000;

[[noreturn]] void refuse(const TensorInfo& tensor, const std::string& text) {
    throw Error(ErrorKind::BadInput, fmt::format("tensor '{}' {}", printable(tensor.name), text),
                "write safetensors instead");
}

std::uint32_t checksum(std::uint32_t before, std::span<const std::byte> bytes) {
    return static_cast<std::uint32_t>(
        crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string headerOf(const TensorInfo& tensor) {
    if (tensor.name.empty() || tensor.name.size() > kLongestName || !isUtf8(tensor.name) ||
        tensor.name.find('\0') != std::string::npos)
        refuse(tensor, "has a name that .npz cannot hold");
    std::optional<std::string> header = makeNpyHeader(tensor.dtype, tensor.shape);
    if (!header && tensor.shape.rank() > kMostNpyAxes)
        refuse(tensor, fmt::format("has {} axes, NumPy knows {} at most", tensor.shape.rank(),
                                   kMostNpyAxes));
    if (!header)
        refuse(tensor, fmt::format("is {}, for which NumPy has no type", dtypeName(tensor.dtype)));
    return std::move(*header);
}

/// JSON without the white space between its parts.
std::string withoutSpace(std::string_view json) {
    std::string dense;
    bool quoted = false, escaped = false;
    for (const char c : json) {
        if (!quoted && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) continue;
        if (c == '"' && !escaped) quoted = !quoted;
        escaped = quoted && c == '\\' && !escaped;
        dense += c;
    }
    return dense;
}

/// Where the archive stands alone, config.json's text goes into its comment.
std::string commentOf(const WritePlace& place, const WriterOptions& options) {
    if (!place.folder.empty() || options.configText.empty()) return {};
    const std::size_t room = kMostNpzComment - kNpzConfigMark.size();
    std::string text = options.configText;
    if (text.size() > room) text = withoutSpace(text);
    if (text.size() > room)
        throw Error(ErrorKind::BadInput,
                    fmt::format("config.json has {} bytes without white space, an .npz that stands "
                                "alone has room for {}",
                                text.size(), room),
                    "give a folder as target: config.json is then written beside model.npz");
    return std::string(kNpzConfigMark) + text;
}

class NpzSeal final : public WriteSeal {
  public:
    explicit NpzSeal(std::string comment) : comment_(std::move(comment)) {}

    /// Places the tensor's array; where its elements begin.
    std::uint64_t add(const TensorInfo& tensor) {
        std::string header = headerOf(tensor);
        crcs_.push_back(checksum(0, std::as_bytes(std::span(header))));
        const std::uint64_t begin =
            layout_.add(tensor.name + ".npy", header.size() + tensor.bytes) + header.size();
        headers_.push_back(std::move(header));
        return begin;
    }

    std::uint64_t fileBytes() const {
        return layout_.tailOffset() + layout_.tail(crcs_, comment_).size();
    }

    void see(std::size_t index, std::span<const std::byte> bytes) override {
        crcs_[index] = checksum(crcs_[index], bytes);
    }

    void seal(OutputFile& file) override {
        for (std::size_t i = 0; i < headers_.size(); ++i) {
            const std::string head = layout_.head(i, crcs_[i]) + headers_[i];
            file.writeAt(layout_.headOffset(i), std::as_bytes(std::span(head)));
        }
        const std::string tail = layout_.tail(crcs_, comment_);
        file.writeAt(layout_.tailOffset(), std::as_bytes(std::span(tail)));
    }

  private:
    ZipLayout layout_;
    std::string comment_;
    std::vector<std::string> headers_;  ///< of the arrays
    std::vector<std::uint32_t> crcs_;   ///< of what was seen of each member, its header first
};

}  // namespace

SealedFiles layOutNpz(const WritePlace& place, std::vector<TensorInfo>& tensors,
                      const WriterOptions& options) {
    auto seal = std::make_unique<NpzSeal>(commentOf(place, options));
    const std::string name = place.folder.empty() ? place.fileName : "model.npz";
    for (TensorInfo& tensor : tensors) {
        tensor.file = name;
        tensor.offset = seal->add(tensor);
    }
    SealedFiles sealed;
    File file = File::createNew(place.pathOf(name));
    file.preallocate(seal->fileBytes());
    sealed.files.emplace(name, std::move(file));
    sealed.seal = std::move(seal);
    return sealed;
}

}  // namespace core
