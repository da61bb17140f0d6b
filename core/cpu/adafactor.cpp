// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace core::cpu {
namespace {

using Index = std::int64_t;

/// One entry of the batch axis: a parameter of its own.
struct Matrix {
    float* weight;
    const float* gradient;
    float* rowMoment;
    float* columnMoment;
    float* fullMoment;
};

class AdafactorStep {
  public:
    AdafactorStep(const Kernels& kernels, const AdafactorArgs& args, float scale)
        : k_(kernels),
          args_(args),
          size_(args.rows * args.columns),
          gradientScale_(scale),
          scale_(static_cast<double>(scale)),
          decay_(1.0 - std::pow(static_cast<double>(args.step) + 1.0,
                                -static_cast<double>(args.decayRate))),
          keep_(1.0F - args.weightDecay) {}

    void run(const Matrix& w) const {
        if (args_.factored)
            factored(w);
        else
            full(w);
    }

  private:
    /// Sum of body(begin, end) over ranges of [0, n), added in order.
    template <typename F>
    double total(Index n, Index grain, F body) const {
        std::vector<double> parts(static_cast<std::size_t>(parallelParts(n, grain)), 0.0);
        parallelFor(n, grain, [&](Index begin, Index end, int part) {
            parts[static_cast<std::size_t>(part)] = body(begin, end);
        });
        return std::accumulate(parts.begin(), parts.end(), 0.0);
    }

    /// lr * parameter scale / clipping, for updates whose squares sum to this.
    double rate(const Matrix& w, double updateSquares) const {
        const auto n = static_cast<double>(size_);
        double rate = static_cast<double>(args_.lr);
        if (args_.clippingThreshold > 0.0F)
            rate /= std::max(
                1.0, std::sqrt(updateSquares / n) / static_cast<double>(args_.clippingThreshold));
        if (!args_.multiplyByParameterScale) return rate;
        const double squares = total(size_, kElementGrain, [&](Index begin, Index end) {
            return k_.sumOfSquares(w.weight + begin, end - begin);
        });
        return rate * std::max(std::sqrt(squares / n), static_cast<double>(args_.epsilon2));
    }

    /// moment = decay * moment + (1 - decay) * (mean of squares + epsilon1)
    void blend(float* moment, const double* squares, Index n, Index averaged) const {
        for (Index i = 0; i < n; ++i) {
            const double mean = squares[i] * scale_ * scale_ / static_cast<double>(averaged);
            moment[i] =
                static_cast<float>(decay_ * static_cast<double>(moment[i]) +
                                   (1.0 - decay_) * (mean + static_cast<double>(args_.epsilon1)));
        }
    }

    void updateFactors(const Matrix& w) const {
        const Index grain = rowGrain(args_.columns);
        const auto columns = static_cast<std::size_t>(args_.columns);
        const auto parts = static_cast<std::size_t>(parallelParts(args_.rows, grain));
        std::vector<double> rowSums(static_cast<std::size_t>(args_.rows));
        std::vector<double> columnSums(parts * columns, 0.0);
        parallelFor(args_.rows, grain, [&](Index begin, Index end, int part) {
            k_.squareSums(rowSums.data() + begin,
                          columnSums.data() + static_cast<std::size_t>(part) * columns,
                          w.gradient + begin * args_.columns, end - begin, args_.columns);
        });
        for (std::size_t i = columns; i < columnSums.size(); ++i)
            columnSums[i % columns] += columnSums[i];
        blend(w.rowMoment, rowSums.data(), args_.rows, args_.columns);
        blend(w.columnMoment, columnSums.data(), args_.columns, args_.rows);
    }

    void factored(const Matrix& w) const {
        updateFactors(w);
        const Index columns = args_.columns;
        const double mean = k_.f32.sum(w.rowMoment, args_.rows) / static_cast<double>(args_.rows);
        std::vector<double> rowFactors(static_cast<std::size_t>(args_.rows));
        std::vector<float> columnFactors(static_cast<std::size_t>(columns));
        for (std::size_t r = 0; r < rowFactors.size(); ++r)
            rowFactors[r] = scale_ / std::sqrt(static_cast<double>(w.rowMoment[r]) / mean);
        for (std::size_t c = 0; c < columnFactors.size(); ++c)
            columnFactors[c] = 1.0F / std::sqrt(w.columnMoment[c]);
        const double squares = total(args_.rows, rowGrain(columns), [&](Index begin, Index end) {
            double sum = 0.0;
            for (Index r = begin; r < end; ++r) {
                const double factor = rowFactors[static_cast<std::size_t>(r)];
                sum += factor * factor *
                       k_.weightedSquares(w.gradient + r * columns, columnFactors.data(), columns);
            }
            return sum;
        });
        const double step = rate(w, squares);
        parallelFor(args_.rows, rowGrain(columns), [&](Index begin, Index end, int) {
            for (Index r = begin; r < end; ++r)
                k_.adafactorRow(
                    w.weight + r * columns, w.gradient + r * columns, columnFactors.data(), keep_,
                    static_cast<float>(step * rowFactors[static_cast<std::size_t>(r)]), columns);
        });
    }

    void full(const Matrix& w) const {
        const AdafactorScalars scalars{gradientScale_, static_cast<float>(decay_),
                                       static_cast<float>(1.0 - decay_), args_.epsilon1};
        const double squares = total(size_, kElementGrain, [&](Index begin, Index end) {
            return k_.adafactorMoment(w.fullMoment + begin, w.gradient + begin, scalars,
                                      end - begin);
        });
        const auto step = static_cast<float>(rate(w, squares) * scale_);
        parallelFor(size_, kElementGrain, [&](Index begin, Index end, int) {
            k_.adafactorFull(w.weight + begin, w.gradient + begin, w.fullMoment + begin, keep_,
                             step, end - begin);
        });
    }

    const Kernels& k_;
    const AdafactorArgs& args_;
    Index size_;
    float gradientScale_;
    double scale_;
    double decay_;
    float keep_;
};

}  // namespace

void CpuBackend::adafactorStep(InOut weight, InOut rowMoment, InOut columnMoment, InOut fullMoment,
                               const Tensor& gradient, const Tensor& scale,
                               const AdafactorArgs& args) {
    const float gradientScale = *scale.data<float>();
    if (!std::isfinite(gradientScale)) return;
    const AdafactorStep step(start(), args, gradientScale);
    const Index n = args.rows * args.columns;
    for (Index b = 0; b < args.batch; ++b)
        step.run({weight.data<float>() + b * n, gradient.data<float>() + b * n,
                  args.factored ? rowMoment.data<float>() + b * args.rows : nullptr,
                  args.factored ? columnMoment.data<float>() + b * args.columns : nullptr,
                  args.factored ? nullptr : fullMoment.data<float>() + b * n});
}

}  // namespace core::cpu
