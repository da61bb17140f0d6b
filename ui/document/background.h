// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/document/error_text.h"

#include <QFutureWatcher>
#include <QObject>
#include <QThreadPool>
#include <QtConcurrentRun>

#include <optional>
#include <type_traits>
#include <utility>

namespace ui {

/// What a piece of background work came to: a value, or why not.
template <typename T>
struct Outcome {
    std::optional<T> value;
    ErrorText error;
};

/// Runs `work` on a thread of `pool` and calls `done(Outcome<T>)` on the thread of `context` (which
/// must be the calling one). When `context` dies first the result is dropped; `work` must not touch
/// it.
template <typename Work, typename Done>
void runInBackground(QObject* context, QThreadPool* pool, Work work, Done done) {
    using Value = std::invoke_result_t<Work>;
    using Result = Outcome<Value>;
    auto* watcher = new QFutureWatcher<Result>(context);
    QObject::connect(watcher, &QFutureWatcher<Result>::finished, context,
                     [watcher, done = std::move(done)]() mutable {
                         Result result = watcher->result();
                         watcher->deleteLater();
                         done(std::move(result));
                     });
    watcher->setFuture(QtConcurrent::run(pool, [work = std::move(work)]() mutable {
        Result result;
        try {
            result.value = work();
        } catch (...) {
            result.error = errorTextOf(std::current_exception());
        }
        return result;
    }));
}

}  // namespace ui
