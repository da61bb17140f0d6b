// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/icon.h"

#include "ui/theme/theme.h"

#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QPixmapCache>
#include <QPushButton>
#include <QSvgRenderer>

#include <algorithm>

namespace ui {
namespace {

constexpr QSize kButtonIcon(20, 16);  // the style itself leaves too little before the text

QColor toneColor(IconTone tone) {
    const Tokens& t = tokens();
    switch (tone) {
        case IconTone::Text:
            return t.text;
        case IconTone::Muted:
            return t.textMuted;
        case IconTone::Faint:
            return t.textFaint;
        case IconTone::Accent:
            return t.accentText;
        case IconTone::OnAccent:
            return t.onAccent;
        case IconTone::Success:
            return t.success;
        case IconTone::Warning:
            return t.warning;
        case IconTone::Danger:
            return t.danger;
    }
    return t.text;
}

QPixmap renderTinted(const QString& file, const QSize& pixels, const QColor& color) {
    if (pixels.isEmpty()) return {};  // a button that has no room yet
    const QString key = QStringLiteral("ui/%1/%2x%3/%4")
                            .arg(file)
                            .arg(pixels.width())
                            .arg(pixels.height())
                            .arg(color.rgba());
    QPixmap pixmap;
    if (QPixmapCache::find(key, &pixmap)) return pixmap;
    pixmap = QPixmap(pixels);
    pixmap.fill(Qt::transparent);
    QSvgRenderer renderer(file);
    renderer.setAspectRatioMode(Qt::KeepAspectRatio);
    QPainter painter(&pixmap);
    const int side = std::min(pixels.width(), pixels.height());
    renderer.render(&painter, QRectF(0, 0, side, side));  // what is wider is room before a text
    painter.setCompositionMode(QPainter::CompositionMode_SourceIn);
    painter.fillRect(pixmap.rect(), color);
    painter.end();
    QPixmapCache::insert(key, pixmap);
    return pixmap;
}

class SymbolicIconEngine final : public QIconEngine {
  public:
    SymbolicIconEngine(QString file, IconTone tone) : file_(std::move(file)), tone_(tone) {}

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode,
               QIcon::State state) override {
        const qreal ratio = painter->device()->devicePixelRatioF();
        QPixmap image = pixmap((QSizeF(rect.size()) * ratio).toSize(), mode, state);
        if (image.isNull()) return;
        image.setDevicePixelRatio(ratio);
        painter->drawPixmap(rect, image);
    }

    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State) override {
        const QColor color =
            mode == QIcon::Disabled ? toneColor(IconTone::Faint) : toneColor(tone_);
        return renderTinted(file_, size, color);
    }

    QIconEngine* clone() const override { return new SymbolicIconEngine(*this); }
    bool isNull() override { return !QFile::exists(file_); }

  private:
    QString file_;
    IconTone tone_;
};

}  // namespace

QIcon icon(const QString& name, IconTone tone) {
    return QIcon(new SymbolicIconEngine(QStringLiteral(":/icons/%1.svg").arg(name), tone));
}

void setButtonIcon(QPushButton& button, const QString& name, IconTone tone) {
    button.setIcon(icon(name, tone));
    button.setIconSize(kButtonIcon);
}

}  // namespace ui
