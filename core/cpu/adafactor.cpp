// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace core::cpu {
namespace {

/// One entry of the batch axis: a parameter of its own.
struct Matrix {
    float* weight;
    const float* gradient;
    float* row;
    float* column;
    float* full;
};

double squareOf(float gradient, const AdafactorArgs& args) {
    const double g = static_cast<double>(gradient) * static_cast<double>(args.gradientScale);
    return g * g + static_cast<double>(args.epsilon1);
}

/// decay * moment + (1 - decay) * mean of squares, by row and by column.
void updateFactors(const Matrix& w, const AdafactorArgs& args, double decay) {
    std::vector<double> columns(static_cast<std::size_t>(args.columns), 0.0);
    for (std::int64_t r = 0; r < args.rows; ++r) {
        double total = 0.0;
        for (std::int64_t c = 0; c < args.columns; ++c) {
            const double square = squareOf(w.gradient[r * args.columns + c], args);
            total += square;
            columns[static_cast<std::size_t>(c)] += square;
        }
        const double mean = total / static_cast<double>(args.columns);
        w.row[r] = static_cast<float>(decay * static_cast<double>(w.row[r]) + (1.0 - decay) * mean);
    }
    for (std::int64_t c = 0; c < args.columns; ++c) {
        const double mean = columns[static_cast<std::size_t>(c)] / static_cast<double>(args.rows);
        w.column[c] =
            static_cast<float>(decay * static_cast<double>(w.column[c]) + (1.0 - decay) * mean);
    }
}

void updateFull(const Matrix& w, const AdafactorArgs& args, double decay) {
    for (std::int64_t i = 0; i < args.rows * args.columns; ++i)
        w.full[i] = static_cast<float>(decay * static_cast<double>(w.full[i]) +
                                       (1.0 - decay) * squareOf(w.gradient[i], args));
}

/// Calls body(index, update) with update = gradient / root of the second moment, before clipping.
template <typename F>
void forUpdates(const Matrix& w, const AdafactorArgs& args, const std::vector<float>& rowFactors,
                const std::vector<float>& columnFactors, F body) {
    for (std::int64_t r = 0; r < args.rows; ++r)
        for (std::int64_t c = 0; c < args.columns; ++c) {
            const std::int64_t i = r * args.columns + c;
            const float factor = args.factored ? rowFactors[static_cast<std::size_t>(r)] *
                                                     columnFactors[static_cast<std::size_t>(c)]
                                               : 1.0F / std::sqrt(w.full[i]);
            body(i, w.gradient[i] * args.gradientScale * factor);
        }
}

void stepMatrix(const Kernels& k, const Matrix& w, const AdafactorArgs& args) {
    const std::int64_t n = args.rows * args.columns;
    const double decay =
        1.0 - std::pow(static_cast<double>(args.step) + 1.0, -static_cast<double>(args.decayRate));
    std::vector<float> rowFactors;
    std::vector<float> columnFactors;
    if (args.factored) {
        updateFactors(w, args, decay);
        const double mean = k.sum(w.row, args.rows) / static_cast<double>(args.rows);
        for (std::int64_t r = 0; r < args.rows; ++r)
            rowFactors.push_back(
                static_cast<float>(1.0 / std::sqrt(static_cast<double>(w.row[r]) / mean)));
        for (std::int64_t c = 0; c < args.columns; ++c)
            columnFactors.push_back(1.0F / std::sqrt(w.column[c]));
    } else {
        updateFull(w, args, decay);
    }
    double squares = 0.0;
    forUpdates(w, args, rowFactors, columnFactors, [&](std::int64_t, float u) {
        squares += static_cast<double>(u) * static_cast<double>(u);
    });
    const double size = static_cast<double>(n);
    const double clip =
        std::max(1.0, std::sqrt(squares / size) / static_cast<double>(args.clippingThreshold));
    double scale = static_cast<double>(args.lr) / clip;
    if (args.multiplyByParameterScale)
        scale *= std::max(std::sqrt(k.sumOfSquares(w.weight, n) / size),
                          static_cast<double>(args.epsilon2));
    const auto rate = static_cast<float>(scale);
    const float keep = 1.0F - args.weightDecay;
    forUpdates(w, args, rowFactors, columnFactors,
               [&](std::int64_t i, float u) { w.weight[i] = keep * w.weight[i] - rate * u; });
}

}  // namespace

void CpuBackend::adafactorStep(InOut weight, InOut rowMoment, InOut columnMoment, InOut fullMoment,
                               const Tensor& gradient, const AdafactorArgs& args) {
    const Kernels& k = start();
    const std::int64_t n = args.rows * args.columns;
    parallelFor(args.batch, 1, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t b = begin; b < end; ++b)
            stepMatrix(k,
                       {weight.data<float>() + b * n, gradient.data<float>() + b * n,
                        args.factored ? rowMoment.data<float>() + b * args.rows : nullptr,
                        args.factored ? columnMoment.data<float>() + b * args.columns : nullptr,
                        args.factored ? nullptr : fullMoment.data<float>() + b * n},
                       args);
    });
}

}  // namespace core::cpu
