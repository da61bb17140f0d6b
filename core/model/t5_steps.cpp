// SPDX-License-Identifier: Apache-2.0
#include "core/model/t5.h"
#include "core/model/t5_batch.h"
#include "core/ops/embedding.h"
#include "core/ops/memory.h"

#include <utility>

namespace core {

/// Decoding with the keys and values of what came before: one row of the decoder a step.
class T5::Steps final : public Decoding {
  public:
    Steps(T5& model, const Batch& inputs, std::int64_t rows, std::int64_t steps)
        : model_(model),
          rows_(inputs.inputIds.size(0) * rows),
          kept_([&model](std::size_t bytes) { return model.backend().allocate(bytes); }) {
        const Pass pass = begin();
        const std::int64_t sequences = inputs.inputIds.size(0);
        const Tensor memory = pass.tensor({inputs.inputIds.elements(), model.spec_.t5.dModel});
        ForwardResult seen;  // what the encoder's routers did, not asked for
        const Tensor ids = inputs.inputIds.view({inputs.inputIds.elements()});
        model.encoder_.forward(pass, memory, {ids, sequences, inputs.inputMask, {}, {}, {}}, {},
                               seen);
        Tensor mask;
        if (inputs.inputMask.defined()) {
            mask = kept_.allocate(inputs.inputMask.shape(), DType::U8);
            model.backend().copy(mask, inputs.inputMask);
        }
        cache_ = model.decoder_.makeCache(pass, kept_, memory, mask, sequences, rows_, steps);
        ids_ = kept_.allocate({rows_}, DType::I64);
    }

    Tensor step(std::span<const std::int64_t> tokens) override {
        CORE_CHECK(std::ssize(tokens) == rows_, "one token a row");
        const Pass pass = begin();
        upload(tokens);
        const Tensor output = pass.tensor({rows_, model_.spec_.t5.dModel});
        model_.decoder_.step(pass, output, ids_, cache_);
        const Tensor logits = pass.tensor({rows_, model_.spec_.t5.vocab});
        model_.toLogits(pass, logits, output);
        return ops::hostFloats(model_.backend(), logits);
    }

    void reorder(std::span<const std::int64_t> from) override {
        CORE_CHECK(std::ssize(from) == rows_, "one source a row");
        bool stays = true;
        for (std::size_t row = 0; row < from.size(); ++row)
            stays = stays && std::cmp_equal(from[row], row);
        if (stays) return;
        upload(from);
        for (T5Block::Cache& block : cache_.blocks) {
            gather(block.self.k);
            gather(block.self.v);
        }
    }

  private:
    Pass begin() {
        model_.trace_.reset();
        model_.workspace().reset();
        model_.shown_.reset();
        return model_.pass(false);
    }

    void upload(std::span<const std::int64_t> values) {
        model_.backend().upload(ids_, Tensor::of<std::int64_t>({rows_}, values));
    }

    /// rows of the cache = its rows ids_; the copy's place is used in turns with the original's.
    void gather(Tensor& cache) {
        if (!spareCache_.defined()) spareCache_ = kept_.allocate(cache.shape(), cache.dtype());
        const Shape table{rows_, cache.elements() / rows_};
        ops::embeddingForward(model_.backend(), spareCache_.view(table), ids_, cache.view(table));
        std::swap(cache, spareCache_);
    }

    T5& model_;
    std::int64_t rows_;
    Workspace kept_;  ///< all that lives longer than a step
    T5Stack::Cache cache_;
    Tensor ids_, spareCache_;
};

std::unique_ptr<Decoding> T5::startDecoding(const Batch& inputs, std::int64_t rows,
                                            std::int64_t steps) {
    CORE_CHECK(rows >= 1 && steps >= 1, "at least one row and one step");
    checkT5Inputs(spec_.t5, inputs, backend());
    return std::make_unique<Steps>(*this, inputs, rows, steps);
}

}  // namespace core
