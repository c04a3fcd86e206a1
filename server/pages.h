/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The holder's pages: HTML from memory (www/, built in), filled with escaped
 * text in one of the languages of the catalogue.
 */
#ifndef CW_SERVER_PAGES_H
#define CW_SERVER_PAGES_H

#include "keys/config.h"
#include "proto/grant.h"
#include "proto/intent.h"
#include "proto/message.h"
#include "proto/x509_about.h"
#include "server/deeds.h"
#include "server/store.h"

#define CW_HTML_TYPE "text/html; charset=utf-8"

/* Asks for the click that exchanges the invitation; `url` is its address. */
void cw_page_invitation(enum cw_language language,
    const struct cw_intent *intent, const char *url, struct cw_buf *out);

/* Says what will happen, begins it and follows it. */
void cw_page_enroll(enum cw_language language, const struct cw_intent *intent,
    const struct cw_profile *profile, struct cw_buf *out);

/* What came of an invitation, from the issuer's own records. */
struct cw_page_outcome {
	const struct cw_intent *intent;
	const struct cw_cert_about *about; /* NULL: nothing is confirmed yet */
	uint8_t slot;                      /* PIV key reference, or 0 */
	struct cw_bytes serial;            /* at most CW_SERIAL_MAX bytes */
	bool has_me; /* the holder has a page of its own */
	/* Of a session without a certificate: what was done; else NULL. */
	const struct cw_deeds_words *deeds;
};

void cw_page_done(enum cw_language language,
    const struct cw_page_outcome *outcome, struct cw_buf *out);

/* A holder's own certificates, of which one was just presented. */
#define CW_PAGE_OTHERS_MAX 16

struct cw_page_certificate {
	struct cw_cert_about about;
	enum cw_certificate_status status;
	uint8_t serial[CW_SERIAL_BYTES];
};

struct cw_page_me {
	struct cw_bytes issuer;
	uint64_t now_s;
	struct cw_page_certificate own;
	size_t n_others;
	struct cw_page_certificate others[CW_PAGE_OTHERS_MAX];
};

void cw_page_me(enum cw_language language, const struct cw_page_me *me,
    struct cw_buf *out);

/* Number, what happened, what to do. */
void cw_page_error(enum cw_language language, enum cw_err err,
    struct cw_buf *out);

/* A file that the pages load: by its path, "/style.css". */
struct cw_page_file {
	const char *media_type;
	struct cw_bytes content; /* for ever */
};

/* False if there is none at this path. */
bool cw_page_file(struct cw_bytes path, struct cw_page_file *out);

#endif
