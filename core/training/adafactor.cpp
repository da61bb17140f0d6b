// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/ops/optimizer.h"
#include "core/training/optimizer_internal.h"

#include <algorithm>
#include <utility>

namespace core {
namespace {

/// Neighbouring parts of one shape inside a parameter: `batch` parameters of their own in one call.
struct Segment {
    std::size_t parameter;
    std::int64_t begin;  ///< first element
    std::int64_t batch;
    std::int64_t rows;
    std::int64_t columns;
    bool factored;
    std::size_t state;  ///< index of "row" (then "column" follows) or "full"
};

/// [first size, product of the others] without sizes of 1: [n, 1] for vectors.
std::pair<std::int64_t, std::int64_t> matrixSizes(const Shape& shape) {
    std::int64_t rows = 0;
    std::int64_t columns = 1;
    for (const std::int64_t size : shape.sizes()) {
        if (size == 1) continue;
        if (rows == 0)
            rows = size;
        else
            columns *= size;
    }
    return {std::max<std::int64_t>(rows, 1), columns};
}

bool isMatrix(const Shape& shape) {
    return std::count_if(shape.sizes().begin(), shape.sizes().end(),
                         [](std::int64_t size) { return size != 1; }) == 2;
}

/// Elements [begin, begin + shape.elements()) as a tensor of that shape.
Tensor slice(const Tensor& whole, std::int64_t begin, const Shape& shape) {
    return whole.view({whole.elements()}).rows(begin, begin + shape.elements()).view(shape);
}

std::vector<ParameterPart> partsWithShape(const std::vector<ParameterPart>& parts,
                                          const Shape& shape) {
    std::vector<ParameterPart> result;
    for (const ParameterPart& part : parts) result.push_back({part.tensor, shape});
    return result;
}

class Adafactor final : public Optimizer {
  public:
    Adafactor(const OptimizerSpec& spec, const std::vector<Parameter>& parameters,
              std::shared_ptr<Backend> backend)
        : Optimizer(spec, parameters.size()), spec_(spec), backend_(std::move(backend)) {
        for (std::size_t i = 0; i < parameters.size(); ++i) addSegments(parameters[i], i);
    }

    void update(std::vector<Parameter>& parameters, double lr, const Tensor& scale,
                std::int64_t step) override {
        for (const Segment& segment : segments_) {
            const Parameter& parameter = parameters[segment.parameter];
            const AdafactorArgs args{
                .lr = static_cast<float>(lr),
                .decayRate = static_cast<float>(spec_.decayRate),
                .weightDecay = parameter.decay ? static_cast<float>(spec_.weightDecay) : 0.0F,
                .factored = segment.factored,
                .batch = segment.batch,
                .rows = segment.rows,
                .columns = segment.columns,
                .step = step - starts()[segment.parameter]};
            const Shape shape{segment.batch, segment.rows, segment.columns};
            const Tensor weight = slice(parameter.value, segment.begin, shape);
            const Tensor gradient = slice(parameter.gradient, segment.begin, shape);
            if (segment.factored)
                ops::adafactorStep(*backend_, weight, state_[segment.state].value,
                                   state_[segment.state + 1].value, {}, gradient, scale, args);
            else
                ops::adafactorStep(*backend_, weight, {}, {}, state_[segment.state].value, gradient,
                                   scale, args);
        }
    }

  private:
    void addSegments(const Parameter& parameter, std::size_t index) {
        std::int64_t begin = 0;
        for (auto first = parameter.parts.begin(); first != parameter.parts.end();) {
            const auto last = std::find_if(first, parameter.parts.end(), [&](const auto& part) {
                return part.shape != first->shape;
            });
            const std::int64_t batch = last - first;
            addSegment({first, last}, index, begin);
            begin += batch * first->shape.elements();
            first = last;
        }
        CORE_CHECK(begin == parameter.shape.elements(), "the parts fill " + parameter.name);
    }

    void addSegment(const std::vector<ParameterPart>& parts, std::size_t index,
                    std::int64_t begin) {
        const Shape& shape = parts.front().shape;
        const auto [rows, columns] = matrixSizes(shape);
        Segment segment{.parameter = index,
                        .begin = begin,
                        .batch = static_cast<std::int64_t>(parts.size()),
                        .rows = rows,
                        .columns = columns,
                        .factored = isMatrix(shape) && rows >= spec_.minDimToFactor &&
                                    columns >= spec_.minDimToFactor,
                        .state = state_.size()};
        const auto add = [&](const char* slot, const Shape& partShape, const Shape& stateShape) {
            state_.push_back(
                {slot, index, partsWithShape(parts, partShape), zeroState(*backend_, stateShape)});
        };
        if (segment.factored) {
            add("row", {rows}, {segment.batch, rows});
            add("column", {columns}, {segment.batch, columns});
        } else {
            add("full", shape, {segment.batch, rows, columns});
        }
        segments_.push_back(segment);
    }

    OptimizerSpec spec_;
    std::shared_ptr<Backend> backend_;
    std::vector<Segment> segments_;
};

}  // namespace

std::unique_ptr<Optimizer> makeAdafactor(const OptimizerSpec& spec,
                                         const std::vector<Parameter>& parameters,
                                         std::shared_ptr<Backend> backend) {
    return std::make_unique<Adafactor>(spec, parameters, std::move(backend));
}

}  // namespace core
