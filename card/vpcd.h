/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card in a virtual PC/SC reader (vsmartcard's vpcd). vpcd listens, the
 * card connects; what follows are messages of a 16-bit big-endian length and
 * data: one byte is a control (off, on, reset, ATR), more is a command APDU.
 */
#ifndef CW_CARD_VPCD_H
#define CW_CARD_VPCD_H

#include <signal.h>

#include "card/card.h"

#define CW_VPCD_PORT 35963 /* of the first slot */

struct cw_vpcd_config {
	const char *host;
	uint16_t port;
	const volatile sig_atomic_t *stop; /* set by a signal handler */
};

/*
 * Serves until *stop: connects, again and again while no reader is there, and
 * connects anew when the reader goes away. Signals must interrupt system calls
 * (no SA_RESTART). Errors: USAGE (no such host).
 */
enum cw_err cw_vpcd_run(struct cw_card *card,
    const struct cw_vpcd_config *config) __attribute__((warn_unused_result));

/* One connection, until it ends. Errors: CLOSED, IO, OUT_OF_RANGE. */
enum cw_err cw_vpcd_serve(struct cw_card *card, int fd,
    const volatile sig_atomic_t *stop) __attribute__((warn_unused_result));

#endif
