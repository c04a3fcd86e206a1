/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of the Assuan protocol (libassuan manual, "Client
 * requests", "Server responses"), over a child's own pipes. Lines have at most
 * 1000 bytes; a child that sends more is not listened to.
 */
#ifndef CW_AGENT_ASSUAN_H
#define CW_AGENT_ASSUAN_H

#include <sys/types.h>

#include "proto/base/buf.h"

#define CW_ASSUAN_LINE_MAX 1000 /* without the line feed */

/* Lives in guarded memory: a PIN passes through its buffers. */
struct cw_assuan {
	pid_t child;
	int to, from;
	unsigned timeout_s;
	size_t have; /* bytes in `in` */
	char in[2 * CW_ASSUAN_LINE_MAX];
	char line[CW_ASSUAN_LINE_MAX + 1]; /* the last answer */
	uint8_t data[CW_ASSUAN_LINE_MAX];  /* of its D lines, unescaped */
	size_t data_len;
	unsigned error;    /* of its ERR line: the gpg-error code */
	bool was_repeated; /* it said "S PIN_REPEATED" */
};

/*
 * Starts the program (path or name in PATH) and waits for its greeting. It
 * inherits no descriptor but its pipes and standard error.
 * Errors: NO_PIN_ENTRY, REFUSED, PERSON_TIMEOUT.
 */
enum cw_err cw_assuan_open(struct cw_assuan *a, const char *program)
    __attribute__((warn_unused_result));

/* Says goodbye; a child that stays is killed. */
void cw_assuan_close(struct cw_assuan *a);

/*
 * One command with an argument (may be NULL), which is escaped and, if it must
 * be, cut behind a whole character; reads up to OK or ERR. *ok says which.
 * Errors: NO_PIN_ENTRY (the child is gone or talks nonsense), REFUSED (a
 * signal), PERSON_TIMEOUT.
 */
enum cw_err cw_assuan_call(struct cw_assuan *a, const char *command,
    const char *argument, bool *ok) __attribute__((warn_unused_result));

/* The escaped line that would be sent, without line feed, for tests. */
size_t cw_assuan_escape(const char *command, const char *argument,
    char out[CW_ASSUAN_LINE_MAX + 1]);

#endif
