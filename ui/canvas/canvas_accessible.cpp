// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/canvas/canvas_accessible.h"

#include "ui/canvas/canvas_view.h"

#include <QAccessible>
#include <QAccessibleWidget>

#include <map>

namespace ui {
namespace {

int indexOf(const CanvasView& canvas, const CellId& cell) {
    const auto& cells = canvas.layoutOfCells().cells;
    for (std::size_t i = 0; i < cells.size(); ++i)
        if (cells[i].id == cell) return static_cast<int>(i);
    return -1;
}

/// One cell, found by its number: it stays valid while the canvas lives, whatever model is open.
class CellInterface final : public QAccessibleInterface, public QAccessibleActionInterface {
  public:
    CellInterface(CanvasView& canvas, int index) : canvas_(&canvas), index_(index) {}

    bool isValid() const override { return canvas_ != nullptr && cell() != nullptr; }
    QObject* object() const override { return nullptr; }
    QAccessibleInterface* parent() const override {
        return QAccessible::queryAccessibleInterface(canvas_);
    }
    QAccessibleInterface* child(int) const override { return nullptr; }
    QAccessibleInterface* childAt(int, int) const override { return nullptr; }
    int childCount() const override { return 0; }
    int indexOfChild(const QAccessibleInterface*) const override { return -1; }

    QAccessible::Role role() const override {
        return isSwitch() ? QAccessible::CheckBox : QAccessible::ListItem;
    }

    QAccessible::State state() const override {
        QAccessible::State state;
        const CanvasLayout::Cell* shown = cell();
        if (shown == nullptr) {
            state.invalid = true;
            return state;
        }
        const Document& document = canvas_->document();
        state.focusable = true;
        state.selectable = true;
        state.multiSelectable = true;
        state.focused = canvas_->hasFocus() && canvas_->focusCell() == shown->id;
        state.selected = document.selection().contains(shown->id);
        if (shown->id.part != Part::Mlp) return state;
        state.checkable = true;
        state.checked = moeOf(document.model().spec, document.plan(), shown->id.place).has_value();
        state.readOnly = !isSwitchable(document.model().spec, shown->id.place);
        return state;
    }

    QString text(QAccessible::Text kind) const override {
        const CanvasLayout::Cell* shown = cell();
        if (shown == nullptr) return {};
        if (kind == QAccessible::Name) return cellName(shown->id);
        if (kind == QAccessible::Description) return canvas_->cellLabel(shown->id);
        return {};
    }
    void setText(QAccessible::Text, const QString&) override {}

    QRect rect() const override {
        const CanvasLayout::Cell* shown = cell();
        if (shown == nullptr) return {};
        const QRect inView = canvas_->cellRect(shown->id).toRect();
        return {canvas_->viewport()->mapToGlobal(inView.topLeft()), inView.size()};
    }

    void* interface_cast(QAccessible::InterfaceType type) override {
        if (type == QAccessible::ActionInterface)
            return static_cast<QAccessibleActionInterface*>(this);
        return nullptr;
    }

    QStringList actionNames() const override {
        QStringList names{setFocusAction()};
        if (isSwitch() && !state().readOnly) names.prepend(toggleAction());
        return names;
    }
    void doAction(const QString& name) override {
        const CanvasLayout::Cell* shown = cell();
        if (shown == nullptr) return;
        const CellId id = shown->id;
        if (name == toggleAction()) canvas_->toggleCell(id);
        if (name == setFocusAction()) {
            canvas_->setFocus(Qt::OtherFocusReason);
            canvas_->setFocusCell(id);
        }
    }
    QStringList keyBindingsForAction(const QString& name) const override {
        return name == toggleAction() ? QStringList{QStringLiteral("Space")} : QStringList();
    }

  private:
    const CanvasLayout::Cell* cell() const {
        const auto& cells = canvas_->layoutOfCells().cells;
        const auto index = static_cast<std::size_t>(index_);
        return index < cells.size() ? &cells[index] : nullptr;
    }
    bool isSwitch() const {
        const CanvasLayout::Cell* shown = cell();
        return shown != nullptr && shown->id.part == Part::Mlp;
    }

    CanvasView* canvas_;
    int index_;
};

class CanvasInterface final : public QAccessibleWidget {
  public:
    explicit CanvasInterface(CanvasView* canvas)
        : QAccessibleWidget(canvas, QAccessible::List), canvas_(canvas) {}
    ~CanvasInterface() override {
        for (const auto& [index, id] : ids_) QAccessible::deleteAccessibleInterface(id);
    }

    int childCount() const override {
        return static_cast<int>(canvas_->layoutOfCells().cells.size());
    }
    QAccessibleInterface* child(int index) const override {
        if (index < 0 || index >= childCount()) return nullptr;
        auto found = ids_.find(index);
        if (found == ids_.end()) {
            // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): Qt's registry owns it
            const QAccessible::Id id =
                QAccessible::registerAccessibleInterface(new CellInterface(*canvas_, index));
            found = ids_.emplace(index, id).first;
        }
        return QAccessible::accessibleInterface(found->second);
    }
    int indexOfChild(const QAccessibleInterface* child) const override {
        for (const auto& [index, id] : ids_)
            if (QAccessible::accessibleInterface(id) == child) return index;
        return -1;
    }
    QAccessibleInterface* childAt(int x, int y) const override {
        for (int i = 0; i < childCount(); ++i)
            if (QAccessibleInterface* cell = child(i); cell->rect().contains(x, y)) return cell;
        return nullptr;
    }
    QAccessibleInterface* focusChild() const override {
        const auto& focus = canvas_->focusCell();
        if (!focus || !canvas_->hasFocus()) return nullptr;
        return child(indexOf(*canvas_, *focus));
    }

  private:
    CanvasView* canvas_;
    mutable std::map<int, QAccessible::Id> ids_;
};

QAccessibleInterface* makeInterface(const QString&, QObject* object) {
    auto* canvas = qobject_cast<CanvasView*>(object);
    return canvas != nullptr ? new CanvasInterface(canvas) : nullptr;
}

}  // namespace

void installCanvasAccessibility() { QAccessible::installFactory(makeInterface); }

void announceCellFocus(CanvasView& canvas, const CellId& cell) {
    QAccessibleEvent event(&canvas, QAccessible::Focus);
    event.setChild(indexOf(canvas, cell));
    QAccessible::updateAccessibility(&event);
}

void announceSwitch(CanvasView& canvas, const CellId& cell) {
    QAccessible::State changed;
    changed.checked = true;
    QAccessibleStateChangeEvent event(&canvas, changed);
    event.setChild(indexOf(canvas, cell));
    QAccessible::updateAccessibility(&event);
}

}  // namespace ui
