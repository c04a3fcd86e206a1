/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of errors. errors.def holds number, name, category, what
 * happened and what to do; the enum, the texts, the HTTP status, the exit
 * status and docs/errors.md come from it.
 */
#ifndef CW_BASE_ERR_H
#define CW_BASE_ERR_H

#include <stdint.h>

enum cw_err {
	CW_OK = 0,
#define CW_ERR(number, name, category, what, remedy) CW_ERR_##name = (number),
#include "proto/base/errors.def"
#undef CW_ERR
};

/* The category decides what happens next. */
enum cw_err_category {
	CW_CAT_OK,       /* no error */
	CW_CAT_INPUT,    /* the peer's bytes are wrong: refuse them */
	CW_CAT_AUTH,     /* something is not genuine, or not allowed */
	CW_CAT_STATE,    /* right thing, wrong moment */
	CW_CAT_CARD,     /* the card or its reader says no */
	CW_CAT_PERSON,   /* the person said no, or made a mistake */
	CW_CAT_NETWORK,  /* the other end could not be reached */
	CW_CAT_BUSY,     /* try again later */
	CW_CAT_RESOURCE, /* out of memory, space or slots */
	CW_CAT_LOCAL,    /* this machine's set-up: files, configuration */
	CW_CAT_INTERNAL, /* our own fault */
};

/* An unknown number gives the texts and category of CW_ERR_INTERNAL. */
const char *cw_err_name(enum cw_err err);   /* "NOT_DETERMINISTIC" */
const char *cw_err_what(enum cw_err err);   /* what happened, a sentence */
const char *cw_err_remedy(enum cw_err err); /* what to do, a sentence */
enum cw_err_category cw_err_category(enum cw_err err);
const char *cw_err_category_name(enum cw_err_category cat);

/* HTTP status for an error that is answered over HTTP (RFC 9110). */
int cw_err_http_status(enum cw_err err);

/* Exit status of a command line program; 0 for CW_OK, 10..20 by category. */
int cw_err_exit_status(enum cw_err err);

/* The error with this number, or CW_ERR_PEER_UNKNOWN for a foreign one. */
enum cw_err cw_err_from_number(uint64_t number);

#endif
