// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace upcycle {

/// SIGINT and SIGTERM ask the running command to stop at the next safe place (nothing
/// half-written); a second SIGINT ends the process at once. Writing beyond a file size limit
/// becomes an error instead of a signal. Signals that came before, from the loading of the program
/// on, have waited for this call.
void catchSignals();

/// For the trainer: SIGTERM, SIGHUP and the first SIGINT = stop and save, the second SIGINT = stop
/// now; a closed stderr does not end it.
void catchSignalsForTraining();

/// Throws Stopped when a signal has come.
void throwIfStopped();

}  // namespace upcycle
