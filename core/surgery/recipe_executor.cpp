// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/recipe_executor.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/surgery/neuron_sums.h"
#include "core/tensor/convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <unordered_map>

namespace core {
namespace {

using Source = TensorRecipe::Source;

constexpr std::int64_t kPiece = std::int64_t{2} << 20;  ///< elements: 8 MiB of f32
constexpr std::int64_t kGrain = 1 << 14;

/// Elements [begin, begin + count) of one source tensor: as stored, and as f32 when asked.
struct Piece {
    std::int64_t begin = 0;
    std::size_t count = 0;
    DType dtype = DType::F32;
    std::span<const std::byte> raw;
    std::span<const float> floats;
    std::uint64_t overflowed = 0;  ///< F64 elements beyond f32
};

/// Outputs made from the same source tensor.
struct Group {
    const TensorInfo* input = nullptr;
    std::vector<std::size_t> outputs;
};

/// What a made output needs to know of its whole source tensor.
struct Making {
    Spread spread;
    std::vector<std::uint8_t> dropped;  ///< per neuron
};

std::span<std::byte> sized(std::vector<std::byte>& buffer, std::size_t bytes) {
    if (buffer.size() < bytes) buffer.resize(bytes);
    return std::span(buffer).first(bytes);
}

template <typename F>
void inParallel(std::size_t count, F body) {
    parallelFor(static_cast<std::int64_t>(count), kGrain,
                [&](std::int64_t begin, std::int64_t end, int) {
                    body(static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
                });
}

/// f32 to `dtype` on all threads; how many finite values became infinite.
std::uint64_t narrow(std::span<std::byte> into, DType dtype, std::span<const float> from) {
    const std::size_t width = dtypeBytes(dtype);
    std::atomic<std::uint64_t> overflowed{0};
    inParallel(from.size(), [&](std::size_t begin, std::size_t end) {
        overflowed +=
            fromFloats(into.data() + begin * width, dtype, from.subspan(begin, end - begin));
    });
    return overflowed;
}

std::uint64_t beyondFloat(std::span<const std::byte> raw, std::span<const float> floats) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < floats.size(); ++i) {
        if (!std::isinf(floats[i])) continue;
        double value = 0;
        std::memcpy(&value, raw.data() + i * sizeof(value), sizeof(value));
        count += std::isfinite(value) ? 1 : 0;
    }
    return count;
}

class Executor {
  public:
    Executor(const Checkpoint& source, std::span<const TensorRecipe> recipes,
             CheckpointWriter& writer, RecipeOrder order,
             const std::function<void(const ConvertProgress&)>& progress,
             const std::atomic<bool>& cancel)
        : source_(source),
          recipes_(recipes),
          writer_(writer),
          together_(order == RecipeOrder::TogetherBySource),
          report_(progress),
          cancel_(cancel) {
        for (const TensorRecipe& recipe : recipes) progress_.bytesTotal += recipe.output.bytes;
    }

    ConvertResult run() {
        for (const Group& group : groups())
            if (group.input == nullptr)
                generate(group.outputs.front());
            else
                transform(group);
        result_.tensors = recipes_.size();
        result_.bytes = progress_.bytesDone;
        return result_;
    }

  private:
    std::vector<Group> groups() const {
        std::vector<Group> groups;
        std::unordered_map<std::string_view, std::size_t> place;
        for (std::size_t i = 0; i < recipes_.size(); ++i) {
            const std::string& input = recipes_[i].input;
            const auto [found, isNew] = place.try_emplace(input, groups.size());
            if (!isNew && !input.empty() && together_) {
                groups[found->second].outputs.push_back(i);
                continue;
            }
            found->second = groups.size();
            const TensorInfo* tensor = input.empty() ? nullptr : source_.find(input);
            CORE_CHECK(tensor != nullptr || input.empty(),
                       "a tensor of the source, found " + input);
            groups.push_back({tensor, {i}});
        }
        return groups;
    }

    /// Router and Random: amount * N(0, 1).
    void generate(std::size_t index) {
        const TensorRecipe& recipe = recipes_[index];
        const CounterRandom random(recipe.key);
        const std::int64_t elements = recipe.output.shape.elements();
        for (std::int64_t begin = 0; begin < elements; begin += kPiece) {
            const auto count = static_cast<std::size_t>(std::min(kPiece, elements - begin));
            made_.assign(count, 0.0F);
            if (recipe.amount != 0) {
                const auto std = static_cast<float>(recipe.amount);
                inParallel(count, [&](std::size_t first, std::size_t last) {
                    const std::span<float> part = std::span(made_).subspan(first, last - first);
                    random.normals(static_cast<std::uint64_t>(begin) + first, part);
                    for (float& value : part) value *= std;
                });
            }
            writeFloats(index, made_);
        }
    }

    void transform(const Group& group) {
        const std::vector<Making> makings = prepare(group);
        bool floats = false;
        for (const std::size_t index : group.outputs)
            floats = floats || recipes_[index].source == Source::Noise ||
                     recipes_[index].output.dtype != group.input->dtype;
        forEachPiece(*group.input, floats, [&](const Piece& piece) {
            converted_.reset();
            for (std::size_t i = 0; i < group.outputs.size(); ++i) {
                const std::size_t index = group.outputs[i];
                switch (recipes_[index].source) {
                    case Source::Noise:
                        addNoise(index, piece, makings[i]);
                        break;
                    case Source::Drop:
                        redraw(index, piece, makings[i]);
                        break;
                    default:
                        write(index, asStored(piece, recipes_[index].output.dtype));
                }
            }
        });
    }

    /// One pass over the source when an output asks for its deviation.
    std::vector<Making> prepare(const Group& group) {
        std::vector<Making> makings(group.outputs.size());
        const TensorRecipe& first = recipes_[group.outputs.front()];
        if (first.source == Source::Copy) return makings;
        const int axisNumber = first.source == Source::Drop ? first.neuronAxis : -1;
        const NeuronAxis axis(group.input->shape, axisNumber);
        NeuronSums sums(axis);
        forEachPiece(*group.input, true,
                     [&](const Piece& piece) { sums.add(piece.begin, piece.floats); });
        for (std::size_t i = 0; i < makings.size(); ++i) {
            const TensorRecipe& recipe = recipes_[group.outputs[i]];
            if (recipe.source == Source::Drop) {
                makings[i].dropped = dropSet(recipe.neuronKey, axis.neurons(), recipe.amount);
                makings[i].spread = sums.spread(makings[i].dropped);
            } else {
                makings[i].spread = sums.spreadOfAll();
            }
        }
        return makings;
    }

    template <typename F>
    void forEachPiece(const TensorInfo& tensor, bool floats, F body) {
        const std::int64_t elements = tensor.shape.elements();
        for (std::int64_t begin = 0; begin < elements; begin += kPiece) {
            checkCancel();
            Piece piece;
            piece.begin = begin;
            piece.count = static_cast<std::size_t>(std::min(kPiece, elements - begin));
            piece.dtype = tensor.dtype;
            const std::span<std::byte> raw = sized(raw_, piece.count * dtypeBytes(tensor.dtype));
            source_.read(tensor, begin, static_cast<std::int64_t>(piece.count), raw);
            piece.raw = raw;
            if (floats) widen(piece);
            body(piece);
        }
    }

    void widen(Piece& piece) {
        floats_.resize(piece.count);
        const std::size_t width = dtypeBytes(piece.dtype);
        inParallel(piece.count, [&](std::size_t begin, std::size_t end) {
            toFloats(std::span(floats_).subspan(begin, end - begin),
                     piece.raw.data() + begin * width, piece.dtype);
        });
        piece.floats = floats_;
        if (piece.dtype == DType::F64) piece.overflowed = beyondFloat(piece.raw, piece.floats);
    }

    /// The piece in `dtype`; converted once for all outputs of a group.
    std::span<const std::byte> asStored(const Piece& piece, DType dtype) {
        if (dtype == piece.dtype) return piece.raw;
        if (!converted_) {
            const std::span<std::byte> into = sized(narrowed_, piece.count * dtypeBytes(dtype));
            converted_ = piece.overflowed + narrow(into, dtype, piece.floats);
        }
        result_.overflowed += *converted_;
        return std::span<const std::byte>(narrowed_).first(piece.count * dtypeBytes(dtype));
    }

    void addNoise(std::size_t index, const Piece& piece, const Making& making) {
        const TensorRecipe& recipe = recipes_[index];
        const CounterRandom random(recipe.key);
        const auto std = static_cast<float>(recipe.amount * making.spread.std);
        made_.resize(piece.count);
        inParallel(piece.count, [&](std::size_t begin, std::size_t end) {
            const std::span<float> part = std::span(made_).subspan(begin, end - begin);
            random.normals(static_cast<std::uint64_t>(piece.begin) + begin, part);
            for (std::size_t i = 0; i < part.size(); ++i)
                part[i] = piece.floats[begin + i] + std * part[i];
        });
        writeFloats(index, made_);
    }

    void redraw(std::size_t index, const Piece& piece, const Making& making) {
        const TensorRecipe& recipe = recipes_[index];
        const NeuronAxis axis(recipe.output.shape, recipe.neuronAxis);
        const CounterRandom random(recipe.key);
        const auto mean = static_cast<float>(making.spread.mean);
        const auto std = static_cast<float>(making.spread.std);
        const std::span<const std::byte> kept = asStored(piece, recipe.output.dtype);
        const std::size_t width = dtypeBytes(recipe.output.dtype);
        const std::span<std::byte> bytes = sized(redrawn_, kept.size());
        inParallel(piece.count, [&](std::size_t begin, std::size_t end) {
            std::memcpy(bytes.data() + begin * width, kept.data() + begin * width,
                        (end - begin) * width);
            for (std::size_t i = begin; i < end; ++i) {
                const std::int64_t element = piece.begin + static_cast<std::int64_t>(i);
                if (making.dropped[axis.neuronOf(element)] == 0) continue;
                const float value = mean + std * random.normal(static_cast<std::uint64_t>(element));
                fromFloats(bytes.data() + i * width, recipe.output.dtype, std::span(&value, 1));
            }
        });
        write(index, bytes);
    }

    void writeFloats(std::size_t index, std::span<const float> values) {
        const DType dtype = recipes_[index].output.dtype;
        if (dtype == DType::F32) return write(index, std::as_bytes(values));
        const std::span<std::byte> bytes = sized(narrowed_, values.size() * dtypeBytes(dtype));
        result_.overflowed += narrow(bytes, dtype, values);
        write(index, bytes);
    }

    void write(std::size_t index, std::span<const std::byte> bytes) {
        checkCancel();
        writer_.write(index, bytes);
        progress_.bytesDone += bytes.size();
        progress_.tensor = recipes_[index].output.name;
        if (report_) report_(progress_);
    }

    void checkCancel() const {
        if (cancel_)
            throw Error(ErrorKind::Stopped, "stopped before the checkpoint was whole",
                        "nothing was written; start again when ready");
    }

    const Checkpoint& source_;
    std::span<const TensorRecipe> recipes_;
    CheckpointWriter& writer_;
    bool together_;
    const std::function<void(const ConvertProgress&)>& report_;
    const std::atomic<bool>& cancel_;
    ConvertProgress progress_;
    ConvertResult result_;
    std::vector<std::byte> raw_, narrowed_, redrawn_;
    std::vector<float> floats_, made_;
    std::optional<std::uint64_t> converted_;
};

}  // namespace

ConvertResult executeRecipes(const Checkpoint& source, std::span<const TensorRecipe> recipes,
                             CheckpointWriter& writer, RecipeOrder order,
                             const std::function<void(const ConvertProgress&)>& progress,
                             const std::atomic<bool>& cancel) {
    return Executor(source, recipes, writer, order, progress, cancel).run();
}

}  // namespace core
