/* SPDX-License-Identifier: Apache-2.0 */
/* Texts and consequences of the error table. */
#include "proto/base/err.h"

#include <stddef.h>

struct row {
	enum cw_err err;
	enum cw_err_category category;
	const char *name;
	const char *what;
	const char *remedy;
};

static const struct row rows[] = {
	{ CW_OK, CW_CAT_OK, "OK", "All is well.", "Nothing needs to be done." },
#define CW_ERR(number, name, category, what, remedy) \
	{ CW_ERR_##name, CW_CAT_##category, #name, what, remedy },
#include "proto/base/errors.def"
#undef CW_ERR
};

struct consequence {
	const char *name;
	int http_status;
	int exit_status;
};

static const struct consequence consequences[] = {
	[CW_CAT_OK] = { "ok", 200, 0 },
	[CW_CAT_INPUT] = { "input", 400, 10 },
	[CW_CAT_AUTH] = { "auth", 403, 11 },
	[CW_CAT_STATE] = { "state", 409, 12 },
	[CW_CAT_CARD] = { "card", 409, 13 },
	[CW_CAT_PERSON] = { "person", 403, 14 },
	[CW_CAT_NETWORK] = { "network", 502, 15 },
	[CW_CAT_BUSY] = { "busy", 503, 16 },
	[CW_CAT_RESOURCE] = { "resource", 507, 17 },
	[CW_CAT_LOCAL] = { "local", 500, 18 },
	[CW_CAT_INTERNAL] = { "internal", 500, 19 },
};

static const struct row *
find(enum cw_err err)
{
	const struct row *internal = &rows[0];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].err == err)
			return &rows[i];
		if (rows[i].err == CW_ERR_INTERNAL)
			internal = &rows[i];
	}
	return internal;
}

const char *
cw_err_name(enum cw_err err)
{
	return find(err)->name;
}

const char *
cw_err_what(enum cw_err err)
{
	return find(err)->what;
}

const char *
cw_err_remedy(enum cw_err err)
{
	return find(err)->remedy;
}

enum cw_err_category
cw_err_category(enum cw_err err)
{
	return find(err)->category;
}

const char *
cw_err_category_name(enum cw_err_category cat)
{
	return consequences[cat].name;
}

/* What HTTP has a word of its own for. */
static const struct {
	enum cw_err err;
	int http_status;
} statuses[] = {
	{ CW_ERR_NO_SESSION, 404 },
	{ CW_ERR_NOT_FOUND, 404 },
	{ CW_ERR_METHOD, 405 },
	{ CW_ERR_TOO_LARGE, 413 },
	{ CW_ERR_MEDIA_TYPE, 415 },
	{ CW_ERR_REQUEST_TOO_SLOW, 408 },
	{ CW_ERR_LENGTH_REQUIRED, 411 },
	{ CW_ERR_EXPECTATION, 417 },
	{ CW_ERR_HTTP_VERSION, 505 },
};

int
cw_err_http_status(enum cw_err err)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].err == err)
			return statuses[i].http_status;
	return consequences[cw_err_category(err)].http_status;
}

int
cw_err_exit_status(enum cw_err err)
{
	return consequences[cw_err_category(err)].exit_status;
}

enum cw_err
cw_err_from_number(uint64_t number)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((uint64_t)rows[i].err == number)
			return rows[i].err;
	return CW_ERR_PEER_UNKNOWN;
}
