// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/train/sample_panel.h"

#include "ui/theme/icon.h"
#include "ui/theme/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QTextCursor>
#include <QTextEdit>
#include <QTextTable>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {
namespace {

constexpr int kTextHeight = 180;  // seven spans, as 128 tokens have them
constexpr int kStackedHeight = 76;
constexpr int kSideBySide = 620;

QTextEdit* makeText(const QString& objectName, const QString& accessibleName) {
    auto* text = new QTextEdit;
    text->setObjectName(objectName);
    text->setAccessibleName(accessibleName);
    text->setReadOnly(true);
    text->setProperty("plain", true);
    text->setAcceptRichText(false);
    text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    text->setFrameShape(QFrame::NoFrame);
    text->setTabChangesFocus(true);
    text->setFixedHeight(kTextHeight);
    text->document()->setDocumentMargin(0);
    return text;
}

QString spanName(int number) {
    return number < 0 ? SamplePanel::tr("outside") : QStringLiteral("[%1]").arg(number);
}

/// A word that both sides have is underlined as well as coloured.
void insertWords(QTextCursor& cursor, const std::vector<SampleText::Word>& words) {
    QTextCharFormat plain;
    plain.setForeground(tokens().text);
    QTextCharFormat same;
    same.setForeground(tokens().success);
    same.setFontUnderline(true);
    QTextCharFormat nothing;
    nothing.setForeground(tokens().textFaint);
    if (words.empty()) cursor.insertText(SamplePanel::tr("nothing"), nothing);
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) cursor.insertText(QStringLiteral(" "), plain);
        cursor.insertText(words[i].text, words[i].same ? same : plain);
    }
}

QString verdict(const SampleText::Span& span) {
    if (span.same()) return QStringLiteral("✓ ") + SamplePanel::tr("same");
    return SamplePanel::tr("%1 of %n word(s)", nullptr, static_cast<int>(span.truth.size()))
        .arg(span.sameWords());
}

QTextTableFormat tableFormat() {
    QTextTableFormat format;
    format.setBorder(0);
    format.setCellSpacing(0);
    format.setCellPadding(3);
    format.setWidth(QTextLength(QTextLength::PercentageLength, 100));
    format.setHeaderRowCount(1);
    const auto share = [](double percent) {
        return QTextLength(QTextLength::PercentageLength, percent);
    };
    format.setColumnWidthConstraints({share(11), share(35), share(34), share(20)});
    return format;
}

}  // namespace

SamplePanel::SamplePanel(QWidget* parent)
    : QFrame(parent),
      step_(new QLabel),
      score_(new QLabel),
      earlier_(button(QStringLiteral("sample.earlier"), QStringLiteral("chevron-left"),
                      tr("Earlier sample"))),
      later_(button(QStringLiteral("sample.later"), QStringLiteral("chevron-right"),
                    tr("Later sample"))),
      newest_(button(QStringLiteral("sample.newest"), {}, tr("Newest"))),
      input_(makeText(QStringLiteral("sample.input"), tr("Input with masked spans"))),
      spans_(makeText(QStringLiteral("sample.spans"),
                      tr("What the model fills in, beside the truth"))) {
    setObjectName(QStringLiteral("samplePanel"));
    setCard(this);
    setAccessibleName(tr("Sample"));
    newest_->setText(tr("Newest"));
    newest_->setToolTip(tr("Follow the newest sample again"));
    auto* title = new QLabel(tr("Fills in the blanks"));
    setTextRole(title, TextRole::Strong);
    title->setToolTip(
        tr("A held-out input with masked spans, and what the model puts there now. "
           "Underlined words are those of the truth."));
    setTextRole(step_, TextRole::Caption, true);
    setTextRole(score_, TextRole::Caption, true);
    step_->setObjectName(QStringLiteral("sample.step"));
    auto* head = new QHBoxLayout;
    head->setSpacing(space::kS);
    head->addWidget(title);
    head->addWidget(score_);
    head->addStretch(1);
    head->addWidget(newest_);
    head->addWidget(step_);
    head->addWidget(earlier_);
    head->addWidget(later_);
    texts_ = new QBoxLayout(QBoxLayout::LeftToRight);
    texts_->setSpacing(space::kL);
    texts_->addWidget(input_, 2);
    texts_->addWidget(spans_, 3);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(space::kM, space::kS, space::kM, space::kM);
    column->setSpacing(space::kXs);
    column->addLayout(head);
    column->addLayout(texts_);
    connect(earlier_, &QToolButton::clicked, this, [this] { go(-1); });
    connect(later_, &QToolButton::clicked, this, [this] { go(1); });
    connect(newest_, &QToolButton::clicked, this, [this] {
        chosen_.reset();
        earlier_->setFocus();
        refresh(*metrics_);
    });
    auto* watcher = new ThemeWatcher(this);
    connect(watcher, &ThemeWatcher::changed, this, [this] {
        if (shown_) showSample();
    });
    hide();
}

QToolButton* SamplePanel::button(const QString& name, const QString& iconName,
                                 const QString& text) {
    auto* made = new QToolButton(this);
    if (!iconName.isEmpty()) made->setIcon(icon(iconName));
    made->setObjectName(name);
    made->setToolTip(text);
    made->setAccessibleName(text);
    made->setFocusPolicy(Qt::StrongFocus);
    return made;
}

QString SamplePanel::stepText() const { return step_->text(); }
QString SamplePanel::inputText() const { return input_->toPlainText(); }
QString SamplePanel::spansText() const { return spans_->toPlainText(); }

void SamplePanel::resizeEvent(QResizeEvent* event) {
    QFrame::resizeEvent(event);
    const bool stacked = width() < kSideBySide;
    texts_->setDirection(stacked ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight);
    input_->setFixedHeight(stacked ? kStackedHeight : kTextHeight);
}

void SamplePanel::refresh(const RunMetrics& metrics) {
    metrics_ = &metrics;
    const auto& samples = metrics.samples();
    setVisible(!samples.empty());
    if (samples.empty()) {
        shown_.reset();
        return;
    }
    at_ = samples.size() - 1;
    if (chosen_) {
        const auto found =
            std::find_if(samples.begin(), samples.end(),
                         [this](const RunMetrics::Sample& s) { return s.number == *chosen_; });
        if (found == samples.end())
            chosen_.reset();
        else
            at_ = static_cast<std::size_t>(found - samples.begin());
    }
    earlier_->setEnabled(at_ > 0);
    later_->setEnabled(at_ + 1 < samples.size());
    newest_->setVisible(chosen_.has_value());
    step_->setText(tr("step %1 · %2 of %3")
                       .arg(QLocale().toString(static_cast<qlonglong>(samples[at_].step)))
                       .arg(at_ + 1)
                       .arg(samples.size()));
    if (shown_ == samples[at_].number) return;
    shown_ = samples[at_].number;
    showSample();
}

void SamplePanel::go(int steps) {
    if (metrics_ == nullptr || metrics_->samples().empty()) return;
    const auto& samples = metrics_->samples();
    const auto last = static_cast<std::ptrdiff_t>(samples.size()) - 1;
    const auto to = std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(at_) + steps, 0, last);
    chosen_.reset();
    if (to < last) chosen_ = samples[static_cast<std::size_t>(to)].number;
    refresh(*metrics_);
}

void SamplePanel::showSample() {
    const SampleText text = readSample(metrics_->samples()[at_].text);
    QString score = tr("%1 of %n span(s) right", nullptr, static_cast<int>(text.spans.size()))
                        .arg(text.right());
    if (text.isCut) score += tr(" · long text is cut");
    score_->setText(score);
    showInput(text);
    showSpans(text);
}

void SamplePanel::showInput(const SampleText& text) {
    input_->clear();
    QTextCursor cursor(input_->document());
    QTextCharFormat plain;
    plain.setForeground(tokens().text);
    QTextCharFormat mask;
    mask.setForeground(tokens().accentText);
    mask.setBackground(tokens().accentSoft);
    mask.setFontWeight(QFont::DemiBold);
    for (const SampleText::Piece& piece : text.input)
        piece.span < 0 ? cursor.insertText(piece.text, plain)
                       : cursor.insertText(spanName(piece.span), mask);
    input_->moveCursor(QTextCursor::Start);
}

void SamplePanel::showSpans(const SampleText& text) {
    spans_->clear();
    QTextCursor cursor(spans_->document());
    QTextTable* table =
        cursor.insertTable(static_cast<int>(text.spans.size()) + 1, 4, tableFormat());
    QTextCharFormat muted;
    muted.setForeground(tokens().textMuted);
    muted.setFontPointSize(textFont(TextRole::Caption).pointSizeF());
    QTextCharFormat mask;
    mask.setForeground(tokens().accentText);
    mask.setFontWeight(QFont::DemiBold);
    QTextTableCellFormat middle;
    middle.setVerticalAlignment(QTextCharFormat::AlignMiddle);
    const QStringList heads{tr("Span"), tr("The model"), tr("The truth"), {}};
    for (int column = 0; column < 4; ++column)
        table->cellAt(0, column).firstCursorPosition().insertText(heads[column], muted);
    for (int row = 1; row <= static_cast<int>(text.spans.size()); ++row) {
        const SampleText::Span& span = text.spans[static_cast<std::size_t>(row - 1)];
        const auto at = [&](int column) {
            return table->cellAt(row, column).firstCursorPosition();
        };
        at(0).insertText(spanName(span.number), mask);
        QTextCursor filled = at(1);
        insertWords(filled, span.filled);
        QTextCursor truth = at(2);
        insertWords(truth, span.truth);
        at(3).insertText(verdict(span), muted);
        for (int column = 0; column < 4; ++column) table->cellAt(row, column).setFormat(middle);
    }
    spans_->moveCursor(QTextCursor::Start);
}

}  // namespace ui
