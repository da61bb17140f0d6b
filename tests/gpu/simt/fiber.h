// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#if !defined(__x86_64__) || defined(SIMT_UCONTEXT)
#include <ucontext.h>
#endif

namespace simt {

/// A thread of control that runs until it passes control on. One for the caller (no stack of its
/// own) and one for each thread of a block. Where there is no switch of our own, or with
/// SIMT_UCONTEXT, it is ucontext.h's, which is slow.
class Fiber {
  public:
    using Entry = void (*)();

    Fiber();
    ~Fiber();
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    /// Lets the next passOnTo begin `entry` on this fiber's stack, whatever it was doing. entry
    /// never returns. `colour` moves the stack's top by some cache lines, so that not all fibers
    /// use the same ones.
    void start(Entry entry, unsigned colour);

    /// Continues `next`; returns when someone passes on to this fiber.
    void passOnTo(Fiber& next);
    /// The same for the last time: this fiber does not come back.
    [[noreturn]] void endAt(Fiber& next);

    /// To be called first in an entry.
    static void arrived();

  private:
    void switchTo(Fiber& next, bool last);
    void makeStack();

    void* stack_ = nullptr;  ///< lowest usable byte
    void* stackPointer_ = nullptr;
    [[maybe_unused]] void* fakeStack_ = nullptr;  ///< AddressSanitizer's
    [[maybe_unused]] const void* callerStack_ =
        nullptr;  ///< of the fiber without a stack of its own
    [[maybe_unused]] std::size_t callerStackBytes_ = 0;
#if !defined(__x86_64__) || defined(SIMT_UCONTEXT)
    ucontext_t context_{};
#endif
};

}  // namespace simt
