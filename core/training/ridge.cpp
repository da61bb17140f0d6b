// SPDX-License-Identifier: Apache-2.0
#include "core/training/ridge.h"

#include "core/base/error.h"
#include "core/base/parallel.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

constexpr double kConstantFeature = 100.0;
constexpr double kStdEpsilon = 1e-5;

/// a^T b of a [n, p], b [n, q].
Matrix transposedProduct(const Matrix& a, const Matrix& b) {
    Matrix c(a.columns, b.columns);
    parallelFor(a.columns, 8, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t n = 0; n < a.rows; ++n)
            for (std::int64_t i = begin; i < end; ++i) {
                const double factor = a.row(n)[i];
                const double* from = b.row(n);
                double* into = c.row(i);
                for (std::int64_t j = 0; j < b.columns; ++j) into[j] += factor * from[j];
            }
    });
    return c;
}

/// a b^T of a [p, d], b [q, d].
Matrix productTransposed(const Matrix& a, const Matrix& b) {
    Matrix c(a.rows, b.rows);
    parallelFor(a.rows, 8, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t i = begin; i < end; ++i)
            for (std::int64_t j = 0; j < b.rows; ++j) {
                double sum = 0;
                for (std::int64_t k = 0; k < a.columns; ++k) sum += a.row(i)[k] * b.row(j)[k];
                c.row(i)[j] = sum;
            }
    });
    return c;
}

/// The lower triangle becomes L of a = L L^T.
void decompose(Matrix& a) {
    for (std::int64_t j = 0; j < a.rows; ++j) {
        const double* rowJ = a.row(j);
        double pivot = rowJ[j];
        for (std::int64_t k = 0; k < j; ++k) pivot -= rowJ[k] * rowJ[k];
        CORE_CHECK(pivot > 0, "a positive definite matrix");
        const double root = std::sqrt(pivot);
        a.row(j)[j] = root;
        parallelFor(a.rows - j - 1, 64, [&](std::int64_t begin, std::int64_t end, int) {
            for (std::int64_t i = j + 1 + begin; i < j + 1 + end; ++i) {
                double* rowI = a.row(i);
                double sum = rowI[j];
                for (std::int64_t k = 0; k < j; ++k) sum -= rowI[k] * rowJ[k];
                rowI[j] = sum / root;
            }
        });
    }
}

/// L L^T x = b in place.
void substitute(const Matrix& lower, Matrix& b) {
    const auto subtract = [&](std::int64_t i, std::int64_t k, double factor) {
        for (std::int64_t j = 0; j < b.columns; ++j) b.row(i)[j] -= factor * b.row(k)[j];
    };
    const auto divide = [&](std::int64_t i) {
        for (std::int64_t j = 0; j < b.columns; ++j) b.row(i)[j] /= lower.row(i)[i];
    };
    for (std::int64_t i = 0; i < b.rows; ++i) {
        for (std::int64_t k = 0; k < i; ++k) subtract(i, k, lower.row(i)[k]);
        divide(i);
    }
    for (std::int64_t i = b.rows; i-- > 0;) {
        for (std::int64_t k = i + 1; k < b.rows; ++k) subtract(i, k, lower.row(k)[i]);
        divide(i);
    }
}

}  // namespace

RidgeSolver::RidgeSolver(const Matrix& x, const Matrix& y) : dual_(x.rows < x.columns) {
    CORE_CHECK(x.rows == y.rows && x.rows > 0, "as many targets as features");
    gram_ = dual_ ? productTransposed(x, x) : transposedProduct(x, x);
    right_ = dual_ ? y : transposedProduct(x, y);
    if (dual_) x_ = x;
}

Matrix RidgeSolver::solve(double l2) const {
    Matrix regularized = gram_;
    for (std::int64_t i = 0; i < regularized.rows; ++i) regularized.row(i)[i] += l2;
    decompose(regularized);
    Matrix w = right_;
    substitute(regularized, w);
    return dual_ ? transposedProduct(x_, w) : w;
}

Whitening whiteningOf(const Matrix& features) {
    const auto width = static_cast<std::size_t>(features.columns);
    const double count = static_cast<double>(features.rows);
    Whitening result{std::vector<double>(width), std::vector<double>(width)};
    for (std::int64_t i = 0; i < features.rows; ++i)
        for (std::size_t j = 0; j < width; ++j) result.mean[j] += features.row(i)[j] / count;
    for (std::int64_t i = 0; i < features.rows; ++i)
        for (std::size_t j = 0; j < width; ++j) {
            const double centred = features.row(i)[j] - result.mean[j];
            result.scale[j] += centred * centred / count;
        }
    for (double& scale : result.scale) scale = 1.0 / (std::sqrt(scale) + kStdEpsilon);
    return result;
}

Matrix whiten(const Matrix& features, const Whitening& whitening) {
    Matrix result(features.rows, features.columns + 1);
    for (std::int64_t i = 0; i < features.rows; ++i) {
        double* into = result.row(i);
        for (std::size_t j = 0; j < whitening.mean.size(); ++j)
            into[j] = (features.row(i)[j] - whitening.mean[j]) * whitening.scale[j];
        into[features.columns] = kConstantFeature;
    }
    return result;
}

}  // namespace core
