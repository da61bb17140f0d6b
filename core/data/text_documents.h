// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/text_files.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace core {

/// The documents that training a model on these texts would see, file after file.
class TextDocuments {
  public:
    /// Sources "text:PATH,..." or "jsonl:PATH,..."; a plain PATH is text. `field` of a JSONL line
    /// is read. BadInput like openTextSource.
    TextDocuments(const std::vector<std::string>& sources, std::string field);

    /// Empty after the last one. BadInput names file, line and field.
    std::optional<std::string> next();

  private:
    std::string field_;
    std::vector<TextSource> sources_;
    std::size_t source_ = 0, file_ = 0;
    std::unique_ptr<DocumentReader> reader_;
};

}  // namespace core
