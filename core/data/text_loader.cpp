// SPDX-License-Identifier: Apache-2.0
#include "core/data/text_loader.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/data/synthetic_tokens.h"
#include "core/data/text_examples.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kAhead = 4;

/// "file:offset:line:given" of a block and the examples already given of it.
struct Cursor {
    TextPlace place;
    std::int64_t given = 0;
};

std::string textOf(const Cursor& cursor) {
    return fmt::format("{}:{}:{}:{}", cursor.place.file, cursor.place.offset, cursor.place.line,
                       cursor.given);
}

Cursor cursorFrom(const std::string& text) {
    Cursor cursor;
    if (text.empty()) return cursor;
    const char* at = text.data();
    const char* const end = at + text.size();
    bool good = true;
    const auto number = [&](auto& into, char separator) {
        const auto [rest, code] = std::from_chars(at, end, into);
        good = good && code == std::errc() &&
               (separator == 0 ? rest == end : rest != end && *rest == separator);
        at = good && separator != 0 ? rest + 1 : rest;
    };
    number(cursor.place.file, ':');
    number(cursor.place.offset, ':');
    number(cursor.place.line, ':');
    number(cursor.given, 0);
    if (!good || cursor.given < 0 || cursor.place.line < 1)
        throw Error(
            ErrorKind::BadInput,
            fmt::format("the place '{}' in the training data cannot be read", printable(text)),
            "training.json is damaged: go on from another checkpoint");
    return cursor;
}

}  // namespace

/// Examples one after the other with the position after each.
class ExampleStream {
  public:
    virtual ~ExampleStream() = default;
    struct Given {
        TextExample example;
        DataPosition after;
    };
    virtual std::optional<Given> next() = 0;
    virtual TextStatistics statistics() const { return {}; }
};

namespace {

class FileExamples final : public ExampleStream {
  public:
    FileExamples(const std::string& source, const TextLoaderOptions& options,
                 const DataPosition& start)
        : texts_(options.texts ? options.texts
                               : std::make_shared<const TextSource>(openTextSource(source))),
          options_(options),
          position_(start) {
        const Cursor cursor = cursorFrom(start.cursor);
        if (cursor.place.file > texts_->train.size())
            throw Error(ErrorKind::BadInput,
                        fmt::format("data source '{}' has fewer files than when training began",
                                    printable(source)),
                        "go on with the same data");
        begin(cursor.place);
        skip_ = cursor.given;
    }

    std::optional<Given> next() override {
        while (at_ == examples_.size() || skip_ > 0) {
            if (at_ < examples_.size()) {
                ++at_;
                --skip_;
                continue;
            }
            if (!nextBlock()) return std::nullopt;
        }
        Given given{std::move(examples_[at_++]), {}};
        ++position_.example;
        const bool more = at_ < examples_.size();
        position_.cursor =
            textOf(more ? Cursor{block_, static_cast<std::int64_t>(at_)} : Cursor{blockEnd_, 0});
        given.after = position_;
        return given;
    }

    TextStatistics statistics() const override {
        TextStatistics all = statistics_;
        all.replacedBytes += blocks_->replaced();
        return all;
    }

  private:
    void begin(const TextPlace& place) {
        if (blocks_) statistics_.replacedBytes += blocks_->replaced();
        blocks_ = std::make_unique<TextBlocks>(*texts_, options_, position_.epoch, place);
    }

    bool nextBlock() {
        const std::optional<TextBlock> block = blocks_->next();
        if (!block) {
            if (!options_.shuffle) return false;
            requireExamples();
            position_ = {position_.epoch + 1, 0, {}};
            given_ = false;
            skip_ = 0;
            begin({});
            return true;
        }
        block_ = block->begin;
        blockEnd_ = block->end;
        statistics_.documents += block->documents.size();
        BlockExamples made = examplesOf(*block, texts_->kind, options_);
        statistics_.truncatedExamples += made.truncated;
        examples_ = std::move(made.examples);
        at_ = 0;
        given_ = given_ || !examples_.empty();
        return true;
    }

    /// An epoch from its beginning to its end without an example would go on for ever.
    void requireExamples() const {
        if (given_ || position_.example > 0) return;
        throw Error(ErrorKind::BadInput,
                    fmt::format("data source '{}' has not enough text for one example to train on",
                                printable(texts_->name)),
                    "give more text, or shorter inputs: --set text.inputs_length=N");
    }

    std::shared_ptr<const TextSource> texts_;
    const TextLoaderOptions& options_;
    DataPosition position_;
    std::unique_ptr<TextBlocks> blocks_;
    TextPlace block_, blockEnd_;
    std::vector<TextExample> examples_;
    std::size_t at_ = 0;
    std::int64_t skip_ = 0;
    bool given_ = false;
    TextStatistics statistics_;
};

class SyntheticExamples final : public ExampleStream {
  public:
    SyntheticExamples(const std::string& source, const TextLoaderOptions& options,
                      const DataPosition& start)
        : spec_(parseSyntheticTokens(source)), options_(options), position_(start) {}

    std::optional<Given> next() override {
        if (static_cast<std::int64_t>(position_.example) == spec_.examples) {
            if (!options_.shuffle) return std::nullopt;
            position_ = {position_.epoch + 1, 0, {}};
        }
        TextExample example = syntheticExample(spec_, options_.part, options_.seed, position_.epoch,
                                               position_.example);
        ++position_.example;
        return Given{std::move(example), position_};
    }

  private:
    SyntheticTokens spec_;
    const TextLoaderOptions& options_;
    DataPosition position_;
};

std::unique_ptr<ExampleStream> openStream(const std::string& source,
                                          const TextLoaderOptions& options,
                                          const DataPosition& start) {
    if (source.starts_with("synthetic:"))
        return std::make_unique<SyntheticExamples>(source, options, start);
    return std::make_unique<FileExamples>(source, options, start);
}

}  // namespace

class TextBatchLoader::Impl {
  public:
    Impl(const std::string& source, const TextLoaderOptions& options, const DataPosition& start)
        : options_(options), position_(start), stream_(openStream(source, options_, start)) {
        worker_ = std::thread([this] { work(); });
    }

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        changed_.notify_all();
        worker_.join();
    }

    std::optional<HostBatch> next() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !ready_.empty() || ended_; });
        if (ready_.empty()) {
            if (error_) std::rethrow_exception(error_);
            return std::nullopt;
        }
        Ready ready = std::move(ready_.front());
        ready_.pop_front();
        position_ = ready.after;
        changed_.notify_all();
        return std::move(ready.batch);
    }

    DataPosition position() const {
        const std::lock_guard lock(mutex_);
        return position_;
    }

    TextStatistics statistics() const {
        const std::lock_guard lock(mutex_);
        return statistics_;
    }

  private:
    struct Ready {
        HostBatch batch;
        DataPosition after;
    };

    /// The sizes that a batch is padded to.
    struct Longest {
        std::size_t inputs = 0, targets = 0;
        Longest with(const TextExample& example) const {
            return {std::max(inputs, example.inputs.size()),
                    std::max(targets, example.targets.size())};
        }
    };

    /// Whether a batch of `examples` has room for one more, padding counted.
    bool hasRoom(std::size_t examples, const Longest& longest) const {
        if (examples == 0) return true;
        if (options_.text.batchTokens > 0)
            return static_cast<std::int64_t>((examples + 1) * (longest.inputs + longest.targets)) <=
                   options_.text.batchTokens;
        return static_cast<std::int64_t>(examples) < options_.batch;
    }

    std::optional<ExampleStream::Given> draw() {
        if (options_.mostExamples > 0 && drawn_ == options_.mostExamples) return std::nullopt;
        std::optional<ExampleStream::Given> given = stream_->next();
        if (given) ++drawn_;
        return given;
    }

    std::optional<Ready> make() {
        std::vector<TextExample> examples;
        DataPosition after;
        Longest longest;
        for (;;) {
            if (!kept_) kept_ = draw();
            if (!kept_ || !hasRoom(examples.size(), longest.with(kept_->example))) break;
            longest = longest.with(kept_->example);
            after = std::move(kept_->after);
            examples.push_back(std::move(kept_->example));
            kept_.reset();
        }
        if (examples.empty()) return std::nullopt;
        return Ready{batchOf(examples, options_.pad, options_.decoderStart), std::move(after)};
    }

    void work() {
        try {
            while (std::optional<Ready> ready = make()) {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [&] { return ready_.size() < kAhead || stop_; });
                if (stop_) return;
                ready_.push_back(std::move(*ready));
                statistics_ = stream_->statistics();
                changed_.notify_all();
            }
        } catch (...) {
            const std::lock_guard lock(mutex_);
            error_ = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        ended_ = true;
        changed_.notify_all();
    }

    TextLoaderOptions options_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool stop_ = false, ended_ = false;
    std::exception_ptr error_;
    std::deque<Ready> ready_;
    DataPosition position_;
    TextStatistics statistics_;
    std::unique_ptr<ExampleStream> stream_;
    std::optional<ExampleStream::Given> kept_;  ///< drawn, without room in the batch before
    std::int64_t drawn_ = 0;
    std::thread worker_;
};

TextBatchLoader::TextBatchLoader(const std::string& source, const TextLoaderOptions& options,
                                 const DataPosition& start)
    : impl_(std::make_unique<Impl>(source, options, start)) {}

TextBatchLoader::~TextBatchLoader() = default;

std::optional<HostBatch> TextBatchLoader::next() { return impl_->next(); }

DataPosition TextBatchLoader::position() const { return impl_->position(); }

TextStatistics TextBatchLoader::statistics() const { return impl_->statistics(); }

}  // namespace core
