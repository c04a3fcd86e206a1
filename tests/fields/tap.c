/* SPDX-License-Identifier: Apache-2.0 */
/* Taps, and the lines to and from the script. */
#include "tests/fields/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/cose.h"
#include "proto/evidence.h"

#define TWICE_MAX ((size_t)2 * CW_EVIDENCE_MAX)
#define NAME_MAX_ 96
#define SEEN_MAX 64

static FILE *script; /* what the programs print goes elsewhere */

static struct {
	bool is_active, is_done, is_found;
	char wanted[NAME_MAX_]; /* "": list */
	char who[NAME_MAX_];
	unsigned number;
	size_t n_seen;
	char seen[SEEN_MAX][NAME_MAX_];
} tap;

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "taps: %s\n", what);
	abort();
}

void
cw_tap_init(void)
{
	int fd = dup(STDOUT_FILENO);

	script = fd < 0 ? NULL : fdopen(fd, "w");
	must(script != NULL && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0,
	    "standard output");
}

void
cw_tap_begin(const char *wanted)
{
	memset(&tap, 0, sizeof(tap));
	tap.is_active = true;
	if (wanted != NULL)
		snprintf(tap.wanted, sizeof(tap.wanted), "%s", wanted);
	snprintf(tap.who, sizeof(tap.who), "nobody");
}

void
cw_tap_end(void)
{
	tap.is_active = false;
	must(tap.wanted[0] == '\0' || tap.is_done, "never reached");
	fprintf(script, "found\t%s\t%u\n", tap.who, tap.number);
	fflush(script);
}

bool
cw_tap_is_done(void)
{
	return tap.is_active && tap.is_done;
}

void
cw_tap_found(const char *who, unsigned number)
{
	if (!tap.is_active || tap.is_found ||
	    (tap.wanted[0] != '\0' && !tap.is_done))
		return;
	tap.is_found = true;
	tap.number = number;
	snprintf(tap.who, sizeof(tap.who), "%s", who);
}

void
cw_tap_error(const char *who, enum cw_err err)
{
	if (err != CW_OK)
		cw_tap_found(who, (unsigned)err);
}

static void
print_hex(const struct cw_buf *bytes)
{
	for (size_t i = 0; i < bytes->len; i++)
		fprintf(script, "%02x", bytes->ptr[i]);
	fprintf(script, "\n");
	fflush(script);
}

void
cw_tap_read(struct cw_buf *bytes)
{
	int c;

	cw_buf_reset(bytes);
	while ((c = getchar()) != '\n') {
		char pair[3] = { (char)c, (char)getchar(), '\0' };
		char *end;

		must(c != EOF, "the script has gone");
		cw_buf_put_u8(bytes, (uint8_t)strtoul(pair, &end, 16));
		must(*end == '\0', "no hex");
	}
	must(bytes->err == CW_OK, "more bytes than the message may have");
}

/* True the first time that a name is seen. */
static bool
is_new(const char *name)
{
	for (size_t i = 0; i < tap.n_seen; i++)
		if (strcmp(tap.seen[i], name) == 0)
			return false;
	must(tap.n_seen < SEEN_MAX, "too many");
	snprintf(tap.seen[tap.n_seen++], NAME_MAX_, "%s", name);
	return true;
}

bool
cw_tap(const char *who, const char *rule, struct cw_buf *bytes)
{
	char name[NAME_MAX_];

	if (!tap.is_active)
		return false;
	snprintf(name, sizeof(name), "%s/%s", who, rule);
	if (!is_new(name))
		return false;
	if (tap.wanted[0] == '\0') {
		/* "card/reply 3" is of the rule "reply". */
		fprintf(script, "tap\t%s\t%.*s\t", name,
		    (int)strcspn(rule, " "), rule);
		print_hex(bytes);
		return false;
	}
	if (strcmp(name, tap.wanted) != 0)
		return false;
	fprintf(script, "at\t");
	print_hex(bytes);
	cw_tap_read(bytes);
	tap.is_done = true;
	return true;
}

void
cw_tap_sign(struct cw_buf *bytes, const struct cw_private_key *key)
{
	struct cw_bytes parts[4];
	struct cw_buf tbs, out, signature;
	struct cw_cbor_reader r;

	cw_cbor_init(&r, cw_buf_bytes(bytes));
	cw_cbor_array(&r, 4, 4);
	parts[0] = cw_cbor_bstr(&r, 0, CW_EVIDENCE_MAX);
	parts[1] = cw_cbor_item(&r);
	parts[2] = cw_cbor_bstr(&r, 0, CW_EVIDENCE_MAX);
	parts[3] = cw_cbor_bstr(&r, 0, CW_EVIDENCE_MAX);
	cw_cbor_array_end(&r);
	if (cw_cbor_finish(&r) != CW_OK)
		return;
	cw_buf_init(&tbs, TWICE_MAX);
	cw_buf_init(&out, TWICE_MAX);
	cw_buf_init(&signature, CW_SIGNATURE_MAX);
	cw_cose_sig_structure(parts[0], CW_BYTES_NONE, parts[2], &tbs);
	must(cw_sign(key, cw_buf_bytes(&tbs), &signature) == CW_OK, "sign");
	cw_cbor_put_array(&out, 4);
	cw_cbor_put_bstr(&out, parts[0]);
	cw_cbor_put_item(&out, parts[1]);
	cw_cbor_put_bstr(&out, parts[2]);
	cw_cbor_put_bstr(&out, cw_buf_bytes(&signature));
	cw_buf_reset(bytes);
	cw_buf_put(bytes, cw_buf_bytes(&out));
	must(bytes->err == CW_OK, "too long");
	cw_buf_wipe(&tbs);
	cw_buf_wipe(&out);
	cw_buf_wipe(&signature);
}

bool
cw_tap_signed(const char *who, const char *rule, struct cw_buf *bytes,
    const struct cw_private_key *key)
{
	if (!cw_tap(who, rule, bytes))
		return false;
	cw_tap_sign(bytes, key);
	return true;
}
