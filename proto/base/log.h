/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured log: one line an event on stderr, `time level event key=value …`,
 * written with one write(2). Control bytes become question marks, so that a
 * value cannot forge a line. Never a secret, a PIN, a plaintext or an APDU's data.
 */
#ifndef CW_BASE_LOG_H
#define CW_BASE_LOG_H

#include "proto/base/err.h"

enum cw_log_level { CW_LOG_ERROR, CW_LOG_WARN, CW_LOG_INFO, CW_LOG_DEBUG };

/* What is above the level is not written; CW_LOG_INFO at start. */
void cw_log_set_level(enum cw_log_level level);

/* The program's name in every line; borrowed for ever. "cardwright" at start. */
void cw_log_set_program(const char *name);

/*
 * One event: a dotted name, then `fmt` as printf makes it, which should read
 * `key=%s other=%d`. Thread-safe.
 */
void cw_log(enum cw_log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The place that knows the cause logs it, once: event, error number and name,
 * then details. Returns `err`, so that `return cw_log_fail(…)` reads well.
 */
enum cw_err cw_log_fail(enum cw_err err, const char *event, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

#endif
