// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/cell_tensors.h"

#include "tests/ui/opened_document.h"
#include "ui/models/tensor_model.h"

#include <QAbstractItemModelTester>
#include <QSortFilterProxyModel>

namespace ui {
namespace {

struct Case {
    core::Family family;
    const char* tensor;
    const char* place;
    Part part;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.tensor; }

class CellOfTensor : public ::testing::TestWithParam<Case> {};

TEST_P(CellOfTensor, IsTheOneThatShowsIt) {
    const Case& c = GetParam();
    EXPECT_EQ(cellOfTensor(c.family, c.tensor), (CellId{c.place, c.part})) << c.tensor;
}

constexpr auto kVit = core::Family::Vit;
constexpr auto kT5 = core::Family::T5;
constexpr auto kLlama = core::Family::Llama;
INSTANTIATE_TEST_SUITE_P(
    Names, CellOfTensor,
    ::testing::Values(
        Case{kVit, "vit.embeddings.cls_token", "encoder", Part::Embedding},
        Case{kVit, "vit.encoder.layer.3.layernorm_before.weight", "encoder.3", Part::AttentionNorm},
        Case{kVit, "vit.encoder.layer.3.attention.attention.query.weight", "encoder.3",
             Part::Attention},
        Case{kVit, "encoder.layer.11.layernorm_after.bias", "encoder.11", Part::MlpNorm},
        Case{kVit, "vit.encoder.layer.0.intermediate.dense.weight", "encoder.0", Part::Mlp},
        Case{kVit, "vit.encoder.layer.0.output.dense.bias", "encoder.0", Part::Mlp},
        Case{kVit, "vit.encoder.layer.5.mlp.router.classifier.weight", "encoder.5", Part::Mlp},
        Case{kVit, "vit.layernorm.weight", "encoder", Part::FinalNorm},
        Case{kVit, "classifier.weight", "encoder", Part::Head},
        Case{kT5, "shared.weight", "encoder", Part::Embedding},
        Case{kT5, "encoder.block.2.layer.0.SelfAttention.q.weight", "encoder.2", Part::Attention},
        Case{kT5, "encoder.block.2.layer.1.layer_norm.weight", "encoder.2", Part::MlpNorm},
        Case{kT5, "encoder.block.2.layer.1.DenseReluDense.wi.weight", "encoder.2", Part::Mlp},
        Case{kT5, "decoder.block.7.layer.1.EncDecAttention.k.weight", "decoder.7",
             Part::CrossAttention},
        Case{kT5, "decoder.block.7.layer.1.layer_norm.weight", "decoder.7", Part::CrossNorm},
        Case{kT5, "decoder.block.7.layer.2.mlp.experts.expert_3.wo.weight", "decoder.7", Part::Mlp},
        Case{kT5, "decoder.final_layer_norm.weight", "decoder", Part::FinalNorm},
        Case{kT5, "lm_head.weight", "decoder", Part::Head},
        Case{kLlama, "model.layers.30.self_attn.q_proj.weight", "decoder.30", Part::Attention},
        Case{kLlama, "model.layers.30.mlp.up_proj.weight", "decoder.30", Part::Mlp},
        Case{kLlama, "model.embed_tokens.weight", "decoder", Part::Embedding},
        Case{kLlama, "model.norm.weight", "decoder", Part::FinalNorm}));

TEST(CellOfTensorUnknown, BelongsNowhere) {
    for (const char* name : {"", "vit.encoder.layer.", "vit.encoder.layer.x.attention.a",
                             "vit.encoder.layer.99999999999999.attention.a", "optimizer.step",
                             "vit.encoder.layer.1", "vit.encoder.layer.1.unheard_of.weight"})
        EXPECT_FALSE(cellOfTensor(core::Family::Vit, name).has_value()) << name;
}

class TensorModelTest : public testing::OpenedDocument {};

TEST_F(TensorModelTest, EveryTensorOfTheCheckpointIsInOneCell) {
    const OpenedModel& model = document.model();
    std::size_t found = 0;
    for (const CellId& cell : cellsOf(model.spec)) found += model.cells.of(cell).size();
    EXPECT_EQ(found, model.checkpoint->tensors().size());
}

TEST_F(TensorModelTest, IsASoundModelBeforeDuringAndAfterChanges) {
    TensorModel model(nullptr);
    QSortFilterProxyModel proxy;
    proxy.setSourceModel(&model);
    proxy.setSortRole(TensorModel::kSortRole);
    const auto mode = QAbstractItemModelTester::FailureReportingMode::Fatal;
    const QAbstractItemModelTester tester(&model, mode);
    const QAbstractItemModelTester proxyTester(&proxy, mode);
    const auto of = document.model().cells.of({"encoder.1", Part::Mlp});
    model.setTensors(document.model().checkpoint, {of.begin(), of.end()});
    ASSERT_EQ(model.rowCount(), 4);
    EXPECT_EQ(model.prefix(), QStringLiteral("vit.encoder.layer.1."));
    EXPECT_EQ(model.index(0, TensorModel::Name).data(TensorModel::kWholeNameRole).toString(),
              model.prefix() + model.index(0, TensorModel::Name).data().toString());
    proxy.sort(TensorModel::Size, Qt::DescendingOrder);
    const QString biggest = proxy.index(0, TensorModel::Shape).data().toString();
    EXPECT_TRUE(biggest == QStringLiteral("32 × 16") || biggest == QStringLiteral("16 × 32"));
    EXPECT_EQ(proxy.index(0, TensorModel::Type).data().toString(), QStringLiteral("F32"));
    EXPECT_EQ(proxy.index(0, TensorModel::Size).data(TensorModel::kSortRole).toULongLong(), 2048U);
    model.setTensors(document.model().checkpoint, {of.front()});
    EXPECT_TRUE(model.prefix().isEmpty());
    model.setTensors({}, {});
    EXPECT_EQ(proxy.rowCount(), 0);
}

}  // namespace
}  // namespace ui
