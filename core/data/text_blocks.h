// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/text_loader.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace core {

/// A place between two documents of an epoch.
struct TextPlace {
    std::size_t file = 0;  ///< in the epoch's order
    std::uint64_t offset = 0;
    std::int64_t line = 1;
    bool operator==(const TextPlace&) const = default;
};

/// A document and where it stands, for messages and keys.
struct PlacedDocument {
    Document document;
    const Path* file = nullptr;
    std::uint64_t key = 0;  ///< of everything random about it
};

/// Documents that are shuffled together.
struct TextBlock {
    std::vector<PlacedDocument> documents;
    TextPlace begin;
    TextPlace end;
};

/// The documents of one part of a source, block by block.
class TextBlocks {
  public:
    TextBlocks(const TextSource& source, const TextLoaderOptions& options, std::uint64_t epoch,
               const TextPlace& start);

    /// The next block that has documents of the part, in their shuffled (or own) order; empty at
    /// the end of the epoch.
    std::optional<TextBlock> next();
    std::uint64_t replaced() const { return replaced_ + (reader_ ? reader_->replaced() : 0); }

  private:
    const TextFile& file(std::size_t number) const;
    bool takes(const Document& document, const TextFile& file) const;
    std::optional<Document> nextDocument();

    const TextLoaderOptions& options_;
    TextSource::Kind kind_;
    bool cutOff_;  ///< held-out documents lie among the others
    const std::vector<TextFile>& files_;
    std::vector<std::int64_t> order_;
    std::uint64_t epoch_;
    std::uint64_t firstOffset_ = 0;  ///< of the first file's first document
    TextPlace place_;
    std::unique_ptr<DocumentReader> reader_;
    std::uint64_t replaced_ = 0;
};

}  // namespace core
