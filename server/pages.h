/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The holder's pages: HTML from memory (www/, built in), with places {{name}}
 * that are filled with escaped text.
 */
#ifndef CW_SERVER_PAGES_H
#define CW_SERVER_PAGES_H

#include "proto/grant.h"
#include "proto/intent.h"
#include "keys/config.h"

#define CW_HTML_TYPE "text/html; charset=utf-8"

/* Asks for the click that exchanges the invitation. */
void cw_page_invitation(const struct cw_intent *intent, struct cw_buf *out);

/* Says what will happen, and how to begin. */
void cw_page_enroll(const struct cw_intent *intent,
    const struct cw_profile *profile, struct cw_buf *out);

/* How it ended. */
void cw_page_done(bool is_done, struct cw_buf *out);

/* Number, what happened, what to do. */
void cw_page_error(enum cw_err err, struct cw_buf *out);

struct cw_bytes cw_page_style(void); /* text/css, for ever */

#endif
