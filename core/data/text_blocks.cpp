// SPDX-License-Identifier: Apache-2.0
#include "core/data/text_blocks.h"

#include "core/base/random.h"
#include "core/data/subset.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{4} << 20U;
constexpr std::size_t kBlockDocuments = std::size_t{1} << 16U;  ///< where they are short
constexpr std::uint64_t kHeldOutOf = 100;

/// The number of a document, from its place alone.
std::uint64_t documentKey(std::uint64_t seed, const TextFile& file, std::uint64_t offset) {
    return hashName(seed, fmt::format("{}:{}", file.name, offset));
}

}  // namespace

TextBlocks::TextBlocks(const TextSource& source, const TextLoaderOptions& options,
                       std::uint64_t epoch, const TextPlace& start)
    : options_(options),
      kind_(source.kind),
      cutOff_(source.held.empty()),
      files_(options.part == Split::Train || cutOff_ ? source.train : source.held),
      epoch_(epoch),
      place_(start) {
    const auto count = static_cast<std::int64_t>(files_.size());
    if (options.shuffle) {
        order_ = keyedPermutation(count, hashName(options.seed, "files"), epoch);
    } else {
        order_.resize(files_.size());
        std::iota(order_.begin(), order_.end(), 0);
    }
    if (const auto first = DocumentReader(files_.front().path, kind_).next())
        firstOffset_ = first->offset;
}

const TextFile& TextBlocks::file(std::size_t number) const {
    return files_[static_cast<std::size_t>(order_[number])];
}

bool TextBlocks::takes(const Document& document, const TextFile& file) const {
    if (!cutOff_) return true;
    const bool first = &file == &files_.front() && document.offset == firstOffset_;
    const bool held = first || documentKey(options_.seed, file, document.offset) % kHeldOutOf == 0;
    return held == (options_.part != Split::Train);
}

std::optional<Document> TextBlocks::nextDocument() {
    for (; place_.file < files_.size(); place_ = {place_.file + 1, 0, 1}) {
        if (!reader_)
            reader_ = std::make_unique<DocumentReader>(file(place_.file).path, kind_, place_.offset,
                                                       place_.line);
        if (std::optional<Document> document = reader_->next()) return document;
        replaced_ += reader_->replaced();
        reader_.reset();
    }
    return std::nullopt;
}

std::optional<TextBlock> TextBlocks::next() {
    TextBlock block;
    std::size_t bytes = 0;
    block.begin = place_;
    for (std::size_t read = 0; bytes < kBlockBytes && read < kBlockDocuments; ++read) {
        std::optional<Document> document = nextDocument();
        if (!document) break;
        const TextFile& from = file(place_.file);
        const auto [end, line] = reader_->place();
        place_.offset = end;
        place_.line = line;
        bytes += document->text.size();
        if (!takes(*document, from)) continue;
        const std::uint64_t key =
            hashName(documentKey(options_.seed, from, document->offset), fmt::format("{}", epoch_));
        block.documents.push_back({std::move(*document), &from.path, key});
    }
    block.end = place_;
    if (bytes == 0) return std::nullopt;
    if (options_.shuffle && !block.documents.empty()) {
        std::vector<PlacedDocument> shuffled;
        const auto count = static_cast<std::int64_t>(block.documents.size());
        for (const std::int64_t i : keyedPermutation(count, block.documents.front().key, epoch_))
            shuffled.push_back(std::move(block.documents[static_cast<std::size_t>(i)]));
        block.documents = std::move(shuffled);
    }
    return block;
}

}  // namespace core
