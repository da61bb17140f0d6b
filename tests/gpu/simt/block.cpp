// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/simt/block.h"

#include "tests/gpu/simt/fiber.h"
#include "tests/gpu/simt/order.h"
#include "tests/gpu/simt/shared_memory.h"
#include "tests/gpu/simt/symbol.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace simt {
namespace {

enum class State { Ready, AtBarrier, Exchanging, Done };

struct Thread {
    Fiber fiber;
    uint3 index{};
    State state = State::Ready;
    std::optional<Location> where;  ///< of the barrier or exchange that it waits at
    std::uint64_t value = 0;        ///< what it gives to an exchange, then what it gets
    int source = 0;
    void* brought = nullptr;  ///< to what the warp does together
    WarpWork work = nullptr;
};

struct Warp {
    std::vector<unsigned> ready;  ///< threads
    unsigned mask = 0;            ///< of the exchange that lanes wait for; 0 = none
    unsigned arrived = 0;
};

std::string placeOf(const Location& where) {
    return std::string(where.file) + ":" + std::to_string(where.line);
}

bool same(const Location& a, const Location& b) {
    return a.line == b.line && (a.file == b.file || std::string_view(a.file) == b.file);
}

std::string indexOf(const uint3& i) {
    std::string text = std::to_string(i.x);
    text.append(", ").append(std::to_string(i.y)).append(", ").append(std::to_string(i.z));
    return "(" + text + ")";
}

/// The block that runs now: its threads, who is ready, what each waits for.
class Scheduler {
  public:
    void begin(const void* kernel, dim3 block, const Work& body);
    void runBlock();
    void barrier(const Location& where);
    std::uint64_t exchange(unsigned mask, std::uint64_t value, int source, const Location& where);
    unsigned ballot(unsigned mask, bool predicate, const Location& where);
    void together(void* mine, WarpWork work, const Location& where);
    unsigned rank() const { return current_; }

  private:
    static void entry();
    Thread& self() { return *threads_[current_]; }
    Warp& join(unsigned mask, const Location& where);
    void release(unsigned firstThread, unsigned mask);
    void waitInTurn();
    void makeReady(unsigned thread);
    Warp& pick();
    /// The next ready thread, or the caller of runBlock when there is none.
    Fiber& next();
    /// Notes what the running thread did wrong; leave() then ends the block.
    void blame(const std::string& text);
    [[noreturn]] void leave() { self().fiber.endAt(caller_); }
    std::string deadlock() const;
    std::string describe(unsigned thread) const;

    const void* kernel_ = nullptr;
    const Work* body_ = nullptr;
    std::vector<std::unique_ptr<Thread>> threads_;
    std::size_t readyCount_ = 0;
    std::vector<Warp> warps_;
    Fiber caller_;
    unsigned count_ = 0;
    unsigned current_ = 0;
    unsigned done_ = 0;
    unsigned atBarrier_ = 0;
    bool hurrying_ = false;
    Location barrierPlace_{};
    std::string fault_;
};

Scheduler& scheduler() {
    static Scheduler instance;
    return instance;
}

void Scheduler::begin(const void* kernel, dim3 block, const Work& body) {
    kernel_ = kernel;
    body_ = &body;
    count_ = block.x * block.y * block.z;
    while (threads_.size() < count_) threads_.push_back(std::make_unique<Thread>());
    for (unsigned i = 0; i < count_; ++i)
        threads_[i]->index = {i % block.x, i / block.x % block.y, i / block.x / block.y};
}

void Scheduler::runBlock() {
    warps_.resize((count_ + 31) / 32);
    for (Warp& warp : warps_) {
        warp.ready.clear();
        warp.mask = warp.arrived = 0;
    }
    readyCount_ = 0;
    done_ = 0;
    atBarrier_ = 0;
    hurrying_ = randomBelow(2) == 0;
    current_ = static_cast<unsigned>(randomBelow(count_));  // whose warp may hurry first
    fault_.clear();
    for (unsigned i = 0; i < count_; ++i) {
        makeReady(i);
        threads_[i]->fiber.start(&Scheduler::entry, i);
    }
    caller_.passOnTo(next());
    if (fault_.empty() && done_ < count_) fault_ = deadlock();
    if (!fault_.empty())
        throw Fault(symbolName(kernel_) + ", block " + indexOf(blockIdx) + ": " + fault_ +
                    " [UPCYCLER_SIMT_SEED=" + std::to_string(seed()) + "]");
}

void Scheduler::makeReady(unsigned thread) {
    threads_[thread]->state = State::Ready;
    warps_[thread / 32].ready.push_back(thread);
    ++readyCount_;
}

/// The warp of any ready thread; in a block of hurrying warps the one that ran last, as long as it
/// has some: that warp comes as far ahead of the others as barriers let it.
Warp& Scheduler::pick() {
    Warp& last = warps_[current_ / 32];
    if (hurrying_ && !last.ready.empty()) return last;
    std::size_t at = randomBelow(readyCount_);
    for (Warp& warp : warps_) {
        if (at < warp.ready.size()) return warp;
        at -= warp.ready.size();
    }
    return last;  // not reached: the counts add up
}

Fiber& Scheduler::next() {
    if (readyCount_ == 0) return caller_;
    std::vector<unsigned>& ready = pick().ready;
    const std::size_t at = randomBelow(ready.size());
    current_ = ready[at];
    ready[at] = ready.back();
    ready.pop_back();
    --readyCount_;
    threadIdx = self().index;
    return self().fiber;
}

void Scheduler::entry() {
    Fiber::arrived();
    Scheduler& s = scheduler();
    (*s.body_)();
    Thread& me = s.self();
    me.state = State::Done;
    ++s.done_;
    me.fiber.endAt(s.next());
}

void Scheduler::waitInTurn() {
    Thread& me = self();
    Fiber& other = next();
    if (&other != &me.fiber) me.fiber.passOnTo(other);
}

void Scheduler::blame(const std::string& text) {
    fault_ = "thread ";
    fault_.append(indexOf(self().index)).append(" ").append(text);
}

void Scheduler::barrier(const Location& where) {
    if (atBarrier_ > 0 && !same(where, barrierPlace_)) {
        blame("is at the barrier " + placeOf(where) + " while others wait at the barrier " +
              placeOf(barrierPlace_));
        leave();
    }
    barrierPlace_ = where;
    if (++atBarrier_ == count_) {
        atBarrier_ = 0;
        for (unsigned i = 0; i < count_; ++i) {
            if (i != current_) makeReady(i);
        }
        // Whoever came last is no more likely to go on first than the others.
        makeReady(current_);
    } else {
        self().state = State::AtBarrier;
        self().where = where;
    }
    waitInTurn();
}

Warp& Scheduler::join(unsigned mask, const Location& where) {
    Warp& warp = warps_[current_ / 32];
    const unsigned lane = 1U << (current_ % 32);
    if ((mask & lane) == 0) {
        blame("does not name itself in the mask of " + placeOf(where));
        leave();
    }
    if (warp.mask != 0) {
        const Thread& other =
            *threads_[current_ / 32 * 32 + static_cast<unsigned>(__builtin_ctz(warp.arrived))];
        if (warp.mask != mask || !same(*other.where, where)) {
            blame("is at the exchange " + placeOf(where) +
                  " with another mask or place than lanes that wait at " + placeOf(*other.where));
            leave();
        }
    }
    warp.mask = mask;
    warp.arrived |= lane;
    self().state = State::Exchanging;
    self().where = where;
    return warp;
}

void Scheduler::release(unsigned firstThread, unsigned mask) {
    for (unsigned lane = 0; lane < 32; ++lane) {
        if ((mask >> lane & 1U) == 0) continue;
        makeReady(firstThread + lane);
    }
    Warp& warp = warps_[firstThread / 32];
    warp.mask = warp.arrived = 0;
}

std::uint64_t Scheduler::exchange(unsigned mask, std::uint64_t value, int source,
                                  const Location& where) {
    self().value = value;
    self().source = source;
    if (source < 0 || source > 31 || (mask >> source & 1U) == 0) {
        blame("reads lane " + std::to_string(source) + " at " + placeOf(where) +
              ", which is not in the mask");
        leave();
    }
    if (const Warp& warp = join(mask, where); warp.arrived == mask) {
        const unsigned first = current_ / 32 * 32;
        std::uint64_t given[32] = {};
        for (unsigned lane = 0; lane < 32 && first + lane < count_; ++lane)
            given[lane] = threads_[first + lane]->value;
        for (unsigned lane = 0; lane < 32; ++lane)
            if ((mask >> lane & 1U) != 0)
                threads_[first + lane]->value = given[threads_[first + lane]->source];
        release(first, mask);
    }
    waitInTurn();
    return self().value;
}

unsigned Scheduler::ballot(unsigned mask, bool predicate, const Location& where) {
    self().value = predicate ? 1U : 0U;
    if (const Warp& warp = join(mask, where); warp.arrived == mask) {
        const unsigned first = current_ / 32 * 32;
        unsigned votes = 0;
        for (unsigned lane = 0; lane < 32; ++lane)
            if ((mask >> lane & 1U) != 0 && threads_[first + lane]->value != 0) votes |= 1U << lane;
        for (unsigned lane = 0; lane < 32; ++lane)
            if ((mask >> lane & 1U) != 0) threads_[first + lane]->value = votes;
        release(first, mask);
    }
    waitInTurn();
    return static_cast<unsigned>(self().value);
}

void Scheduler::together(void* mine, WarpWork work, const Location& where) {
    constexpr unsigned kAll = 0xFFFFFFFFU;
    self().brought = mine;
    self().work = work;
    if (const Warp& warp = join(kAll, where); warp.arrived == kAll) {
        const unsigned first = current_ / 32 * 32;
        void* lanes[32];
        const char* wrong = nullptr;
        for (unsigned lane = 0; lane < 32; ++lane) {
            lanes[lane] = threads_[first + lane]->brought;
            if (threads_[first + lane]->work != work) wrong = "meets lanes that do something else";
        }
        if (wrong == nullptr) wrong = work(lanes);
        if (wrong != nullptr) {
            blame(std::string(wrong) + " at " + placeOf(where));
            leave();
        }
        release(first, kAll);
    }
    waitInTurn();
}

std::string Scheduler::describe(unsigned thread) const {
    const Thread& t = *threads_[thread];
    switch (t.state) {
        case State::Ready:
            return "is ready";
        case State::Done:
            return "has left the kernel";
        case State::AtBarrier:
            return "waits at the barrier " + placeOf(*t.where);
        case State::Exchanging:
            return "waits at the exchange " + placeOf(*t.where);
    }
    return {};
}

std::string Scheduler::deadlock() const {
    std::string text = "deadlock:";
    std::string last;
    int shown = 0;
    for (unsigned i = 0; i < count_ && shown < 6; ++i) {
        const std::string state = describe(i);
        if (state == last) continue;
        text +=
            (shown++ > 0 ? ", thread " : " thread ") + indexOf(threads_[i]->index) + " " + state;
        last = state;
    }
    return text;
}

}  // namespace

void runGrid(const void* kernel, dim3 grid, dim3 block, std::size_t sharedBytes,
             const Work& thread) {
    gridDim = grid;
    blockDim = block;
    scheduler().begin(kernel, block, thread);
    std::vector<std::uint64_t> order(std::size_t{grid.x} * grid.y * grid.z);
    std::iota(order.begin(), order.end(), std::uint64_t{0});
    for (std::size_t left = order.size(); left > 0; --left) {
        std::swap(order[randomBelow(left)], order[left - 1]);
        const std::uint64_t at = order[left - 1];
        blockIdx = {static_cast<unsigned>(at % grid.x), static_cast<unsigned>(at / grid.x % grid.y),
                    static_cast<unsigned>(at / grid.x / grid.y)};
        SharedMemory shared(sharedBytes);
        scheduler().runBlock();
        if (const std::string damage = shared.damage(); !damage.empty())
            throw Fault(symbolName(kernel) + ", block " + indexOf(blockIdx) + ": " + damage);
    }
}

void blockBarrier(const Location& where) { scheduler().barrier(where); }

std::uint64_t exchange(unsigned mask, std::uint64_t value, int source, const Location& where) {
    return scheduler().exchange(mask, value, source, where);
}

unsigned ballot(unsigned mask, bool predicate, const Location& where) {
    return scheduler().ballot(mask, predicate, where);
}

void together(void* mine, WarpWork work, const Location& where) {
    scheduler().together(mine, work, where);
}

int laneOfThread() { return static_cast<int>(scheduler().rank() % 32); }

int shuffledLane(int lane, int width) {
    const int me = laneOfThread();
    return me / width * width + lane % width;
}

int loweredLane(int delta, int width) {
    const int me = laneOfThread();
    return me % width >= delta ? me - delta : me;
}

int raisedLane(int delta, int width) {
    const int me = laneOfThread();
    return me % width + delta < width ? me + delta : me;
}

int crossedLane(int laneMask, int width) {
    const int me = laneOfThread();
    const int other = me ^ laneMask;
    return other / width > me / width ? me : other;
}

}  // namespace simt
