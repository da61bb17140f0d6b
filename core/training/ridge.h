// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace core {

/// Row-major matrix in double.
struct Matrix {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::vector<double> values;

    Matrix() = default;
    Matrix(std::int64_t r, std::int64_t c)
        : rows(r), columns(c), values(static_cast<std::size_t>(r * c)) {}
    double* row(std::int64_t i) { return values.data() + i * columns; }
    const double* row(std::int64_t i) const { return values.data() + i * columns; }
};

/// Ridge regression of targets y [n, k] on features x [n, d] for many penalties:
/// w [d, k] = argmin |x w - y|^2 + l2 |w|^2 = (x^T x + l2 I)^-1 x^T y, or, where n < d, the same
/// x^T (x x^T + l2 I)^-1 y. The Gram matrix is made once; each l2 > 0 is one Cholesky
/// decomposition.
class RidgeSolver {
  public:
    RidgeSolver(const Matrix& x, const Matrix& y);
    Matrix solve(double l2) const;

  private:
    bool dual_;
    Matrix gram_;
    Matrix right_;  ///< x^T y, or y
    Matrix x_;      ///< kept for the dual form
};

/// What makes features of mean 0 and deviation 1: (x - mean) / (std + 1e-5), population std.
struct Whitening {
    std::vector<double> mean;
    std::vector<double> scale;
};
Whitening whiteningOf(const Matrix& features);

/// Whitened features with a constant 100 appended: [n, d + 1].
Matrix whiten(const Matrix& features, const Whitening& whitening);

}  // namespace core
