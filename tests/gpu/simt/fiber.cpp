// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/simt/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define SIMT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIMT_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(SIMT_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace simt {
namespace {

constexpr std::size_t kPage = 4096;
#if defined(SIMT_ADDRESS_SANITIZER)
constexpr std::size_t kStackBytes = 256 << 10;
#else
constexpr std::size_t kStackBytes = 64 << 10;
#endif

Fiber* leaving = nullptr;  ///< who passed control on last

}  // namespace

#if defined(__x86_64__) && !defined(SIMT_UCONTEXT)
extern "C" void simtSwitchStacks(void** keep, void* next);

// Keeps what the System V ABI says a called function keeps, on the old stack, and takes up the new
// one where it was left.
asm(R"(
.text
.globl simtSwitchStacks
.type simtSwitchStacks,@function
simtSwitchStacks:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size simtSwitchStacks,.-simtSwitchStacks
)");
#endif

Fiber::Fiber() = default;

Fiber::~Fiber() {
    if (stack_ != nullptr) ::munmap(static_cast<std::byte*>(stack_) - kPage, kStackBytes + kPage);
}

void Fiber::makeStack() {
    void* mapped = ::mmap(nullptr, kStackBytes + kPage, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    ::mprotect(mapped, kPage, PROT_NONE);
    stack_ = static_cast<std::byte*>(mapped) + kPage;
}

void Fiber::start(Entry entry, unsigned colour) {
    if (stack_ == nullptr) makeStack();
#if defined(SIMT_ADDRESS_SANITIZER)
    ASAN_UNPOISON_MEMORY_REGION(stack_, kStackBytes);
    fakeStack_ = nullptr;
#endif
    const std::size_t usable = kStackBytes - std::size_t{64} * (colour % 32);
#if defined(__x86_64__) && !defined(SIMT_UCONTEXT)
    constexpr int kKept = 6;
    auto* top = reinterpret_cast<void**>(static_cast<std::byte*>(stack_) + usable);
    *--top = nullptr;  // where the entry would return to; keeps the stack aligned as after a call
    *--top = reinterpret_cast<void*>(entry);
    for (int i = 0; i < kKept; ++i) *--top = nullptr;
    stackPointer_ = top;
#else
    ::getcontext(&context_);
    context_.uc_stack.ss_sp = stack_;
    context_.uc_stack.ss_size = usable;
    context_.uc_link = nullptr;
    ::makecontext(&context_, entry, 0);
#endif
}

void Fiber::switchTo(Fiber& next, [[maybe_unused]] bool last) {
    leaving = this;
#if defined(SIMT_ADDRESS_SANITIZER)
    const bool own = next.stack_ != nullptr;
    __sanitizer_start_switch_fiber(last ? nullptr : &fakeStack_,
                                   own ? next.stack_ : next.callerStack_,
                                   own ? kStackBytes : next.callerStackBytes_);
#endif
#if defined(__x86_64__) && !defined(SIMT_UCONTEXT)
    simtSwitchStacks(&stackPointer_, next.stackPointer_);
#else
    ::swapcontext(&context_, &next.context_);
#endif
}

void Fiber::passOnTo(Fiber& next) {
    switchTo(next, false);
#if defined(SIMT_ADDRESS_SANITIZER)
    __sanitizer_finish_switch_fiber(fakeStack_, nullptr, nullptr);
#endif
}

void Fiber::endAt(Fiber& next) {
    switchTo(next, true);
    std::abort();
}

void Fiber::arrived() {
#if defined(SIMT_ADDRESS_SANITIZER)
    const void* stack = nullptr;
    std::size_t bytes = 0;
    __sanitizer_finish_switch_fiber(nullptr, &stack, &bytes);
    if (leaving->stack_ == nullptr) {
        leaving->callerStack_ = stack;
        leaving->callerStackBytes_ = bytes;
    }
#endif
}

}  // namespace simt
