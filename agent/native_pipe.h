/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link to the browser over two descriptors: a thread takes messages, so
 * that a cancel and the end of the other side are heard while the card works.
 * One per process: it ends the process as a signal does (stop.h).
 */
#ifndef CW_AGENT_NATIVE_PIPE_H
#define CW_AGENT_NATIVE_PIPE_H

#include "agent/native.h"

struct cw_native_pipe;

/*
 * Takes both descriptors and the reader, which is watched. NULL when memory is
 * out; all three are closed then, too.
 */
struct cw_native_pipe *cw_native_pipe_open(int from, int to,
    struct cw_reader *watched);
struct cw_native_link *cw_native_pipe_link(struct cw_native_pipe *pipe);

/* Waits for the threads: a second at most where `from` has ended, otherwise
 * the thread that reads is left behind. Nulls the pointer. */
void cw_native_pipe_close(struct cw_native_pipe **pipe);

/*
 * Keeps standard input and output for the browser alone: gives copies of both,
 * and points 0 at nothing and 1 at standard error, so that nothing else that
 * is printed gets into a frame. Errors: IO.
 */
enum cw_err cw_native_guard(int *from, int *to)
    __attribute__((warn_unused_result));

#endif
