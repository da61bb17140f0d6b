// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/charts/series.h"

#include <QByteArray>
#include <QString>

#include <vector>

namespace ui {

/// One column of a table: a name and a series.
struct CsvColumn {
    QString name;
    SeriesPtr series;
};

/// RFC 4180: a field with a comma, a quote or a line break is quoted.
QByteArray csvField(const QString& text);

/// The shortest text that reads back as the same number; "nan", "inf", "-inf"; never localised.
QByteArray csvNumber(double value);
QByteArray csvNumber(float value);

/// Columns joined over x: one line for every x that any of them has, empty where a column has none.
QByteArray csvTable(const QString& xName, const std::vector<CsvColumn>& columns);

}  // namespace ui
