// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/csv_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace ui {

QByteArray csvField(const QString& text) {
    QByteArray field = text.toUtf8();
    if (!field.contains(',') && !field.contains('"') && !field.contains('\n') &&
        !field.contains('\r')) {
        return field;
    }
    field.replace("\"", "\"\"");
    return '"' + field + '"';
}

namespace {

template <typename T>
QByteArray shortest(T value) {
    if (std::isnan(value)) return QByteArrayLiteral("nan");
    if (std::isinf(value)) return value > 0 ? QByteArrayLiteral("inf") : QByteArrayLiteral("-inf");
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end - text.data()};
}

}  // namespace

QByteArray csvNumber(double value) { return shortest(value); }
QByteArray csvNumber(float value) { return shortest(value); }

QByteArray csvTable(const QString& xName, const std::vector<CsvColumn>& columns) {
    QByteArray table = csvField(xName);
    for (const CsvColumn& column : columns) table += ',' + csvField(column.name);
    table += '\n';
    std::vector<std::size_t> next(columns.size(), 0);
    for (;;) {
        double x = std::numeric_limits<double>::infinity();
        for (std::size_t c = 0; c < columns.size(); ++c) {
            const Series& series = *columns[c].series;
            if (next[c] < series.size()) x = std::min(x, series.x()[next[c]]);
        }
        if (std::isinf(x)) return table;
        table += csvNumber(x);
        for (std::size_t c = 0; c < columns.size(); ++c) {
            const Series& series = *columns[c].series;
            table += ',';
            if (next[c] < series.size() && series.x()[next[c]] == x) {
                table += csvNumber(series.y()[next[c]++]);
            }
        }
        table += '\n';
    }
}

}  // namespace ui
