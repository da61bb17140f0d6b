// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"
#include "core/run/run_directory.h"

#include <cstdint>
#include <optional>
#include <string>

namespace core {

/// Whether `order` is one of RunDirectory::order's and its argument has the right form; throws
/// Usage otherwise.
void validateOrder(const Order& order);

/// The number of a valid "lr=NUMBER"; Usage otherwise.
double orderedRate(const std::string& argument);

/// Appends one line {"command", "argument", "time"} to control.jsonl after `validateOrder`.
void appendOrder(const Path& controlFile, const Order& order);

/// Reads orders one by one as they are appended. A torn last line waits; a malformed line is
/// skipped; a file that became shorter is read again from its beginning.
class OrderReader {
  public:
    /// Lines before byte `offset` have been obeyed.
    OrderReader(Path controlFile, std::uint64_t offset);
    /// The next order, or empty when there is none yet.
    std::optional<Order> next();
    /// Just behind the last line that `next` gave or skipped.
    std::uint64_t offset() const noexcept { return offset_; }
    /// Passes over all whole lines that are there now.
    void skipToEnd();

  private:
    std::optional<std::string> nextLine();

    Path path_;
    std::uint64_t offset_;
};

}  // namespace core
