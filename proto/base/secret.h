/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for keys and PINs: guarded, locked, never swapped or dumped, wiped
 * when it is freed. The one file that uses libsodium's memory functions.
 */
#ifndef CW_BASE_SECRET_H
#define CW_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/bytes.h"

/*
 * Zeroed guarded memory (sodium_malloc: guard pages, canary, mlock), or NULL.
 * One call costs several system calls: for what lives long, such as a key.
 */
void *cw_secret_new(size_t len) __attribute__((malloc, warn_unused_result));

/* Wipes and frees what cw_secret_new gave, and nulls the pointer. */
void cw_secret_free(void *pointer_to_pointer);

/* Overwrites memory in a way that the compiler does not remove. */
void cw_wipe(void *ptr, size_t len);

/* True if equal; the time depends only on the lengths. */
bool cw_secret_equal(struct cw_bytes a, struct cw_bytes b);

/*
 * For every program's main, first thing: starts libsodium, switches core dumps
 * and ptrace by others off, and ignores SIGPIPE. False if libsodium fails.
 */
bool cw_secret_process_init(void) __attribute__((warn_unused_result));

#endif
