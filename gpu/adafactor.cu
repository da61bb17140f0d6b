// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/device/adafactor.cuh"
#include "gpu/packs.h"
#include "gpu/scratch_layout.h"
#include "gpu/tensors.h"

#include <algorithm>
#include <cmath>

namespace gpu {
namespace {

constexpr std::size_t kSumShared = kMostWarps * sizeof(double);

/// The update's step for every batch entry from the sums of squares of its update and its weight.
class StepSizes {
  public:
    StepSizes(const core::AdafactorArgs& args, std::int64_t partials)
        : rule_{args.lr,
                args.clippingThreshold,
                args.epsilon2,
                args.multiplyByParameterScale,
                static_cast<double>(args.rows * args.columns)},
          batch_(args.batch),
          partials_(partials) {}

    void run(cudaStream_t stream, double* steps, const double* updates,
             const double* weights) const {
        launch(stream, adafactorSteps, static_cast<unsigned>(batch_), kBlock, kSumShared, steps,
               updates, weights, partials_, rule_);
    }

  private:
    AdafactorStepRule rule_;
    std::int64_t batch_;
    std::int64_t partials_;
};

}  // namespace

void CudaBackend::adafactorFactored(float* weight, float* rowMoment, float* columnMoment,
                                    const float* gradient, const float* scale,
                                    const AdafactorArgs& args, double decay) {
    const std::int64_t rows = args.batch * args.rows;
    const std::int64_t columns = args.batch * args.columns;
    const std::int64_t rowsPerPart = std::max<std::int64_t>(64, divideUp(args.rows, 128));
    const std::int64_t parts = divideUp(args.rows, rowsPerPart);
    ScratchLayout layout;
    const std::size_t rowSquaresAt = layout.place<double>(rows);
    const std::size_t weightSquaresAt = layout.place<double>(rows);
    const std::size_t rowFactorsAt = layout.place<double>(rows);
    const std::size_t partialsAt = layout.place<double>(columns * parts);
    const std::size_t columnFactorsAt = layout.place<float>(columns);
    const std::size_t stepsAt = layout.place<double>(args.batch);
    void* const memory = scratch(layout.bytes());
    auto* const rowSquares = layoutPiece<double>(memory, rowSquaresAt);
    auto* const weightSquares = layoutPiece<double>(memory, weightSquaresAt);
    auto* const rowFactors = layoutPiece<double>(memory, rowFactorsAt);
    auto* const partials = layoutPiece<double>(memory, partialsAt);
    auto* const columnFactors = layoutPiece<float>(memory, columnFactorsAt);
    auto* const steps = layoutPiece<double>(memory, stepsAt);
    const AdafactorBlend blend{decay, static_cast<double>(args.epsilon1), scale};

    launch(stream(), rowSquareSums, warpsFor(rows), kBlock, 0, rowSquares, weightSquares, gradient,
           weight, rows, args.columns);
    launch(stream(), columnSquareSums,
           dim3(static_cast<unsigned>(divideUp(args.columns, kSquareColumns)),
                static_cast<unsigned>(parts), static_cast<unsigned>(args.batch)),
           dim3(kSquareColumns, kSquareRows), sizeof(double) * kSquareColumns * kSquareRows,
           partials, gradient, args.rows, args.columns, rowsPerPart);
    launch(stream(), blendRows, static_cast<unsigned>(args.batch), kBlock, kSumShared, rowMoment,
           rowFactors, rowSquares, args.rows, args.columns, blend);
    launch(stream(), blendColumns, blocksFor(columns), kBlock, 0, columnMoment, columnFactors,
           partials, columns, args.columns, parts, args.rows, blend);
    launch(stream(), updateSquareSums, warpsFor(rows), kBlock, 0, rowSquares, gradient, rowFactors,
           columnFactors, rows, args.rows, args.columns);
    StepSizes(args, args.rows).run(stream(), steps, rowSquares, weightSquares);
    launch(stream(), applyFactored, elementBlocks(rows * args.columns), kElementThreads, 0, weight,
           gradient, rowFactors, columnFactors, steps, rows, args.rows, args.columns,
           1.0F - args.weightDecay, scale);
}

void CudaBackend::adafactorFull(float* weight, float* moment, const float* gradient,
                                const float* scale, const AdafactorArgs& args, double decay) {
    const std::int64_t n = args.rows * args.columns;
    const std::int64_t share = std::max<std::int64_t>(4096, divideUp(n, 1024));
    const std::int64_t parts = divideUp(n, share);
    ScratchLayout layout;
    const std::size_t updatesAt = layout.place<double>(args.batch * parts);
    const std::size_t weightsAt = layout.place<double>(args.batch * parts);
    const std::size_t stepsAt = layout.place<double>(args.batch);
    void* const memory = scratch(layout.bytes());
    auto* const updates = layoutPiece<double>(memory, updatesAt);
    auto* const weights = layoutPiece<double>(memory, weightsAt);
    auto* const steps = layoutPiece<double>(memory, stepsAt);

    launch(stream(), blendFull,
           dim3(static_cast<unsigned>(parts), static_cast<unsigned>(args.batch)), kBlock,
           kSumShared, moment, updates, weights, gradient, weight, n, share,
           AdafactorMoment{scale, static_cast<float>(decay),
                           static_cast<float>(1.0 - decay), args.epsilon1});
    StepSizes(args, parts).run(stream(), steps, updates, weights);
    launch(stream(), applyFull, elementBlocks(args.batch * n), kElementThreads, 0, weight, gradient,
           moment, steps, args.batch * n, n, 1.0F - args.weightDecay, scale);
}

void CudaBackend::adafactorStep(InOut weight, InOut rowMoment, InOut columnMoment, InOut fullMoment,
                                const Tensor& gradient, const Tensor& scale,
                                const AdafactorArgs& args) {
    const double decay =
        1.0 - std::pow(static_cast<double>(args.step) + 1.0, -static_cast<double>(args.decayRate));
    if (args.factored)
        adafactorFactored(data<float>(weight), data<float>(rowMoment), data<float>(columnMoment),
                          data<float>(gradient), data<float>(scale), args, decay);
    else
        adafactorFull(data<float>(weight), data<float>(fullMoment), data<float>(gradient),
                      data<float>(scale), args, decay);
}

}  // namespace gpu
