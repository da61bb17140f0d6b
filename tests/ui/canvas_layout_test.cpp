// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/canvas/canvas_layout.h"

#include "ui/canvas/cell_painter.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ui {
namespace {

core::ModelSpec makeSpec(core::Family family, int encoders, int decoders) {
    core::ModelSpec spec;
    spec.family = family;
    for (int i = 0; i < encoders; ++i)
        spec.blocks.push_back({"encoder." + std::to_string(i), "encoder", i, {}});
    for (int i = 0; i < decoders; ++i)
        spec.blocks.push_back({"decoder." + std::to_string(i), "decoder", i, {}});
    return spec;
}

TEST(CanvasLayout, EveryCellStandsOnceAndNoneOverlap) {
    const core::ModelSpec spec = makeSpec(core::Family::T5, 6, 6);
    const CanvasLayout layout = layoutCanvas(spec);
    ASSERT_EQ(layout.cells.size(), cellsOf(spec).size());
    for (std::size_t i = 0; i < layout.cells.size(); ++i) {
        const QRectF& rect = layout.cells[i].rect;
        EXPECT_TRUE(QRectF(QPointF(0, 0), layout.size).contains(rect));
        for (std::size_t j = i + 1; j < layout.cells.size(); ++j)
            EXPECT_FALSE(rect.intersects(layout.cells[j].rect)) << i << " and " << j;
        EXPECT_EQ(layout.cellAt(rect.center()), &layout.cells[i]);
    }
}

TEST(CanvasLayout, CompactKeepsEveryCellApart) {
    const core::ModelSpec spec = makeSpec(core::Family::T5, 12, 12);
    const CanvasLayout layout = layoutCanvas(spec, CanvasDensity::Compact);
    ASSERT_EQ(layout.cells.size(), cellsOf(spec).size());
    for (std::size_t i = 0; i < layout.cells.size(); ++i) {
        EXPECT_TRUE(QRectF(QPointF(0, 0), layout.size).contains(layout.cells[i].rect));
        EXPECT_TRUE(isCompact(layout.cells[i].rect));
        for (std::size_t j = i + 1; j < layout.cells.size(); ++j)
            EXPECT_FALSE(layout.cells[i].rect.intersects(layout.cells[j].rect));
    }
    EXPECT_LT(layout.size.width(), 0.6 * layoutCanvas(spec).size.width());
    EXPECT_FALSE(isCompact(layoutCanvas(spec).cells.front().rect));
}

TEST(CanvasLayout, TheEncodersOutputReachesEveryCrossAttentionAndNothingElse) {
    for (const auto& [encoders, decoders] : {std::pair{12, 12}, {3, 2}, {2, 5}}) {
        for (const CanvasDensity density : {CanvasDensity::Roomy, CanvasDensity::Compact}) {
            const CanvasLayout layout =
                layoutCanvas(makeSpec(core::Family::T5, encoders, decoders), density);
            ASSERT_EQ(layout.memory.size(), 5U);
            EXPECT_EQ(layout.memory.front().x(),
                      layout.find({"encoder", Part::FinalNorm})->rect.right());
            for (const CanvasLayout::Cell& cell : layout.cells) {
                bool touched = false;
                for (std::size_t i = 1; i < layout.memory.size(); ++i) {
                    const QRectF piece =
                        QRectF(layout.memory[i - 1], layout.memory[i]).normalized();
                    touched |= piece.left() < cell.rect.right() &&
                               piece.right() > cell.rect.left() &&
                               piece.top() < cell.rect.bottom() && piece.bottom() > cell.rect.top();
                }
                EXPECT_EQ(touched, cell.id.part == Part::CrossAttention)
                    << cell.id.place << " " << static_cast<int>(cell.id.part);
            }
        }
    }
    EXPECT_TRUE(layoutCanvas(makeSpec(core::Family::Vit, 3, 0)).memory.empty());
}

TEST(CanvasLayout, StacksStandSideBySideAndDecodersHaveCrossAttention) {
    const CanvasLayout layout = layoutCanvas(makeSpec(core::Family::T5, 2, 3));
    ASSERT_EQ(layout.stacks.size(), 2U);
    EXPECT_EQ(layout.stacks[0].blocks, 2);
    EXPECT_EQ(layout.stacks[1].blocks, 3);
    EXPECT_GT(layout.stacks[1].header.left(), layout.stacks[0].header.right());
    EXPECT_EQ(layout.find({"encoder.0", Part::CrossAttention}), nullptr);
    EXPECT_NE(layout.find({"decoder.2", Part::CrossAttention}), nullptr);
    EXPECT_EQ(layout.labels.size(), 5U);
}

TEST(CanvasLayout, BlocksAreRowsFromTopToBottom) {
    const CanvasLayout layout = layoutCanvas(makeSpec(core::Family::Vit, 48, 0));
    double bottom = layout.find({"encoder", Part::Embedding})->rect.bottom();
    for (int i = 0; i < 48; ++i) {
        const CanvasLayout::Cell* cell = layout.find({"encoder." + std::to_string(i), Part::Mlp});
        ASSERT_NE(cell, nullptr);
        EXPECT_GT(cell->rect.top(), bottom);
        bottom = cell->rect.bottom();
    }
    EXPECT_GT(layout.find({"encoder", Part::Head})->rect.top(), bottom);
}

TEST(CanvasLayout, NeighboursKeepTheirColumn) {
    const CanvasLayout layout = layoutCanvas(makeSpec(core::Family::Vit, 3, 0));
    const CanvasLayout::Cell* mlp = layout.find({"encoder.1", Part::Mlp});
    EXPECT_EQ(layout.neighbour(*mlp, 0, -1)->id, (CellId{"encoder.0", Part::Mlp}));
    EXPECT_EQ(layout.neighbour(*mlp, 0, 1)->id, (CellId{"encoder.2", Part::Mlp}));
    EXPECT_EQ(layout.neighbour(*mlp, -1, 0)->id, (CellId{"encoder.1", Part::MlpNorm}));
    EXPECT_EQ(layout.neighbour(*mlp, 1, 0), nullptr);
    const CanvasLayout::Cell* head = layout.find({"encoder", Part::Head});
    EXPECT_EQ(layout.neighbour(*head, 0, 1), nullptr);
}

TEST(CanvasLayout, RangesStayInOneStackAndPart) {
    const CanvasLayout layout = layoutCanvas(makeSpec(core::Family::T5, 4, 4));
    EXPECT_EQ(layout.range({"encoder.1", Part::Mlp}, {"encoder.3", Part::Mlp}).size(), 3U);
    EXPECT_EQ(layout.range({"encoder.3", Part::Mlp}, {"encoder.1", Part::Mlp}).size(), 3U);
    EXPECT_EQ(layout.range({"encoder.1", Part::Mlp}, {"decoder.3", Part::Mlp}).size(), 1U);
    EXPECT_EQ(layout.range({"encoder.1", Part::Mlp}, {"encoder.3", Part::Attention}).size(), 1U);
}

TEST(ExpertTiles, OneTileAnExpertInsideTheAreaAsLongAsTheyFit) {
    const QRectF area(10, 20, 110, 30);
    for (const int experts : {1, 2, 7, 8, 16, 32, 64, 90}) {
        const std::vector<QRectF> tiles = expertTiles(area, experts);
        EXPECT_EQ(static_cast<int>(tiles.size()), experts);
        for (std::size_t i = 0; i < tiles.size(); ++i) {
            EXPECT_TRUE(area.contains(tiles[i])) << experts;
            for (std::size_t j = i + 1; j < tiles.size(); ++j)
                EXPECT_FALSE(tiles[i].intersects(tiles[j]));
        }
    }
    EXPECT_TRUE(expertTiles(area, 0).empty());
    const std::vector<QRectF> many = expertTiles(area, 4096);
    EXPECT_GE(many.size(), 64U);
    EXPECT_LT(many.size(), 4096U);
}

}  // namespace
}  // namespace ui
