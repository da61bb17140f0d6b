// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace fuzz {

/// A file that holds an input's bytes, removed at its end.
class InputFile {
  public:
    explicit InputFile(std::span<const std::uint8_t> bytes);
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    ~InputFile();

    const core::Path& path() const { return path_; }

  private:
    core::Path path_;
};

/// Runs `action`. It may throw what a person can read: an Error of BadInput of one line, with a
/// hint. Anything else ends the program.
void expectRefusalAtMost(const std::function<void()>& action);

/// Names, shapes and notes of a checkpoint, and the elements of its first tensors, in pieces.
void look(const core::Checkpoint& checkpoint);

/// `expectRefusalAtMost` of opening the input as a checkpoint and looking at it.
void openAndLook(
    const std::uint8_t* data, std::size_t size,
    const std::function<std::shared_ptr<const core::Checkpoint>(const core::Path&)>& open);

/// The input as text.
std::string textOf(const std::uint8_t* data, std::size_t size);

}  // namespace fuzz
