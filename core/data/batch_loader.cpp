// SPDX-License-Identifier: Apache-2.0
#include "core/data/batch_loader.h"

#include "core/base/error.h"
#include "core/data/augmentation.h"
#include "core/data/subset.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

namespace core {
namespace {

constexpr std::uint64_t kAhead = 4;

using Order = std::shared_ptr<const std::vector<std::int64_t>>;

/// One batch to make: the examples [begin, begin + count) of an epoch's order.
struct Ticket {
    std::uint64_t number = 0;
    std::uint64_t epoch = 0;
    std::uint64_t begin = 0;
    std::uint64_t count = 0;
    Order order;
    DataPosition after;
};

struct Ready {
    HostBatch batch;
    DataPosition after;
    std::exception_ptr failure;
};

void requireNormalization(const Normalization& normalization, std::int64_t channels) {
    for (const auto* values : {&normalization.mean, &normalization.std}) {
        const auto count = static_cast<std::int64_t>(values->size());
        if (count != 1 && count != channels)
            throw Error(ErrorKind::BadInput,
                        fmt::format("the normalisation has {} values, the images have {} channels",
                                    count, channels),
                        "give one mean and std, or one for each channel");
    }
    const auto bad = [](float deviation) { return !(deviation > 0) || !std::isfinite(deviation); };
    const auto notFinite = [](float value) { return !std::isfinite(value); };
    if (std::any_of(normalization.std.begin(), normalization.std.end(), bad) ||
        std::any_of(normalization.mean.begin(), normalization.mean.end(), notFinite))
        throw Error(ErrorKind::BadInput,
                    "the normalisation's mean must be finite and its std larger than 0",
                    "the usual values are 0.5 and 0.5");
}

}  // namespace

class BatchLoader::Impl {
  public:
    Impl(std::shared_ptr<const ImageDataset> dataset, const LoaderOptions& options,
         const DataPosition& start)
        : dataset_(std::move(dataset)),
          options_(options),
          size_(static_cast<std::uint64_t>(dataset_->size())) {
        check(start);
        cursor_ = position_ = normalize(start);
        lastEpoch_ = start.epoch;
        const int workers = options_.workers > 0 ? options_.workers : dataset_->suggestedWorkers();
        ahead_ = std::max<std::uint64_t>(kAhead, static_cast<std::uint64_t>(workers) + 1);
        try {
            for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
        } catch (...) {
            shutDown();
            throw;
        }
    }

    ~Impl() { shutDown(); }

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    std::optional<HostBatch> next() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return ready_.contains(given_) || isAtEnd(given_); });
        const auto found = ready_.find(given_);
        if (found == ready_.end()) return std::nullopt;
        if (found->second.failure) std::rethrow_exception(found->second.failure);
        HostBatch batch = std::move(found->second.batch);
        position_ = found->second.after;
        ready_.erase(found);
        ++given_;
        lock.unlock();
        changed_.notify_all();
        return batch;
    }

    DataPosition position() const {
        const std::scoped_lock lock(mutex_);
        return position_;
    }

  private:
    void shutDown() {
        {
            const std::scoped_lock lock(mutex_);
            stop_ = true;
        }
        changed_.notify_all();
        for (std::thread& worker : workers_) worker.join();
    }

    void check(const DataPosition& start) const {
        CORE_CHECK(options_.batch > 0, "a batch has examples");
        requireNormalization(options_.normalization, options_.shape.channels);
        const auto batch = static_cast<std::uint64_t>(options_.batch);
        if (size_ == 0 || (options_.dropLast && batch > size_))
            throw Error(ErrorKind::BadInput,
                        fmt::format("a batch of {} needs more than the {} images of {}", batch,
                                    size_, dataset_->description()),
                        "choose a smaller batch");
        if (start.example > size_)
            throw Error(ErrorKind::BadInput,
                        fmt::format("the data position is image {} of an epoch, but {} has only {}",
                                    start.example, dataset_->description(), size_),
                        "the data have changed since the checkpoint was written");
    }

    std::uint64_t batchAt(std::uint64_t example) const {
        const std::uint64_t left = size_ - example;
        const auto batch = static_cast<std::uint64_t>(options_.batch);
        return left >= batch ? batch : options_.dropLast ? 0 : left;
    }

    DataPosition normalize(DataPosition position) const {
        if (batchAt(position.example) > 0) return position;
        return {.epoch = position.epoch + 1, .example = 0, .cursor = {}};
    }

    bool isAtEnd(std::uint64_t number) const {
        return !options_.shuffle && cursor_.epoch > lastEpoch_ && number == issued_;
    }

    Order orderOf(std::uint64_t epoch) {
        if (order_ && orderEpoch_ == epoch) return order_;
        std::vector<std::int64_t> order;
        if (options_.shuffle) {
            order = keyedPermutation(dataset_->size(), options_.seed, epoch);
        } else {
            order.resize(size_);
            std::iota(order.begin(), order.end(), 0);
        }
        orderEpoch_ = epoch;
        order_ = std::make_shared<const std::vector<std::int64_t>>(std::move(order));
        return order_;
    }

    std::optional<Ticket> issue() {
        if (isAtEnd(issued_)) return std::nullopt;
        Ticket ticket;
        ticket.number = issued_++;
        ticket.epoch = cursor_.epoch;
        ticket.begin = cursor_.example;
        ticket.count = batchAt(cursor_.example);
        ticket.order = orderOf(cursor_.epoch);
        cursor_ = normalize(
            {.epoch = cursor_.epoch, .example = cursor_.example + ticket.count, .cursor = {}});
        ticket.after = cursor_;
        return ticket;
    }

    void work() {
        std::unique_lock lock(mutex_);
        std::vector<float> scratch;
        while (true) {
            changed_.wait(lock, [&] { return stop_ || issued_ < given_ + ahead_; });
            if (stop_) return;
            const std::optional<Ticket> ticket = issue();
            if (!ticket) break;
            lock.unlock();
            Ready ready{.batch = {}, .after = ticket->after, .failure = nullptr};
            try {
                ready.batch = make(*ticket, scratch);
            } catch (...) {
                ready.failure = std::current_exception();
            }
            lock.lock();
            ready_.emplace(ticket->number, std::move(ready));
            changed_.notify_all();
        }
        changed_.notify_all();
    }

    HostBatch make(const Ticket& ticket, std::vector<float>& scratch) const {
        const ImageShape& shape = options_.shape;
        const std::int64_t floats = shape.channels * shape.height * shape.width;
        const auto count = static_cast<std::int64_t>(ticket.count);
        scratch.resize(static_cast<std::size_t>(floats));
        HostBatch batch;
        batch.pixels = Tensor::host({count, shape.channels, shape.height, shape.width});
        batch.labels = Tensor::host({count}, DType::I64);
        auto* pixels = batch.pixels.data<float>();
        auto* labels = batch.labels.data<std::int64_t>();
        for (std::uint64_t i = 0; i < ticket.count && !stop_; ++i, pixels += floats) {
            const std::int64_t example = (*ticket.order)[ticket.begin + i];
            labels[i] = dataset_->read(example, shape, scratch.data());
            const AugmentationDraw draw =
                drawAugmentation(options_.augmentation, options_.seed, ticket.epoch, example);
            prepareImage(scratch.data(), shape, options_.normalization, dataset_->isNormalized(),
                         draw, pixels);
        }
        return batch;
    }

    std::shared_ptr<const ImageDataset> dataset_;
    LoaderOptions options_;
    std::uint64_t size_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<bool> stop_{false};
    DataPosition cursor_;          ///< where the next ticket begins
    DataPosition position_;        ///< after the batches given
    std::uint64_t lastEpoch_ = 0;  ///< without shuffle: the one epoch there is
    std::uint64_t ahead_ = kAhead;
    std::uint64_t issued_ = 0;
    std::uint64_t given_ = 0;
    Order order_;
    std::uint64_t orderEpoch_ = 0;
    std::map<std::uint64_t, Ready> ready_;
    std::vector<std::thread> workers_;
};

LoaderOptions inOrder(LoaderOptions options) {
    options.shuffle = false;
    options.dropLast = false;
    options.augmentation = {};
    return options;
}

BatchLoader::BatchLoader(std::shared_ptr<const ImageDataset> dataset, const LoaderOptions& options,
                         const DataPosition& start)
    : impl_(std::make_unique<Impl>(std::move(dataset), options, start)) {}

BatchLoader::~BatchLoader() = default;

std::optional<HostBatch> BatchLoader::next() { return impl_->next(); }

DataPosition BatchLoader::position() const { return impl_->position(); }

}  // namespace core
