// SPDX-License-Identifier: Apache-2.0
#include "gpu/readback.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gpu {

class PinnedReadback final : public core::Readback {
  public:
    PinnedReadback(Readbacks& home, const core::Tensor& device)
        : home_(home),
          slot_(home.take(sizeof(BadIndex) + device.bytes())),
          shape_(device.shape()),
          dtype_(device.dtype()) {
        auto* const bad = static_cast<BadIndex*>(slot_.pinned.get());
        home_.indices_.copyTo(bad);
        if (device.bytes() > 0)
            check(cudaMemcpyAsync(bad + 1, device.raw(), device.bytes(), cudaMemcpyDeviceToHost,
                                  home_.stream_.get()),
                  "copying from the device");
        slot_.copied.record(home_.stream_);
    }
    ~PinnedReadback() override { home_.spare_.push_back(std::move(slot_)); }
    PinnedReadback(const PinnedReadback&) = delete;
    PinnedReadback& operator=(const PinnedReadback&) = delete;

    bool ready() override { return slot_.copied.isReached(); }

    core::Tensor take() override {
        slot_.copied.wait();
        const auto* const bad = static_cast<const BadIndex*>(slot_.pinned.get());
        home_.indices_.raise(*bad);
        const core::Tensor values = core::Tensor::zeros(shape_, dtype_);
        if (values.bytes() > 0) std::memcpy(values.raw(), bad + 1, values.bytes());
        return values;
    }

  private:
    Readbacks& home_;
    Readbacks::Slot slot_;
    core::Shape shape_;
    core::DType dtype_;
};

Readbacks::Slot Readbacks::take(std::size_t bytes) {
    constexpr std::size_t kLeast = 4096;
    const auto found = std::find_if(spare_.begin(), spare_.end(),
                                    [&](const Slot& slot) { return slot.pinned.bytes() >= bytes; });
    if (found == spare_.end()) return {PinnedMemory(std::max(bytes, kLeast)), Event()};
    std::swap(*found, spare_.back());
    Slot slot = std::move(spare_.back());
    spare_.pop_back();
    return slot;
}

std::unique_ptr<core::Readback> Readbacks::start(const core::Tensor& device) {
    return std::make_unique<PinnedReadback>(*this, device);
}

}  // namespace gpu
