// SPDX-License-Identifier: Apache-2.0
#include "core/data/text_documents.h"

#include <utility>

namespace core {

TextDocuments::TextDocuments(const std::vector<std::string>& sources, std::string field)
    : field_(std::move(field)) {
    for (const std::string& source : sources) {
        const bool named = source.starts_with("text:") || source.starts_with("jsonl:");
        sources_.push_back(openTextSource(named ? source : "text:" + source));
    }
}

std::optional<std::string> TextDocuments::next() {
    for (; source_ < sources_.size(); ++source_, file_ = 0) {
        const TextSource& source = sources_[source_];
        for (; file_ < source.train.size(); ++file_, reader_.reset()) {
            if (!reader_)
                reader_ = std::make_unique<DocumentReader>(source.train[file_].path, source.kind);
            if (const auto document = reader_->next())
                return documentText(*document, source, source.train[file_].path, field_);
        }
    }
    return std::nullopt;
}

}  // namespace core
