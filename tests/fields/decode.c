/* SPDX-License-Identifier: Apache-2.0 */
/* The decoders alone, by the rule of the CDDL: what a message may be, whoever it
 * is from. What must be signed is signed here before. */
#include "proto/approval.h"
#include "proto/evidence.h"
#include "proto/grant.h"
#include "proto/request.h"
#include "proto/statement.h"
#include "tests/fields/world.h"
#include "tests/support/samples.h"

static struct cw_sample_keys keys;
static bool has_keys;

static enum cw_err
decode_request(struct cw_bytes in)
{
	struct cw_request q;

	return cw_request_decode(in, &q);
}

static enum cw_err
decode_grant(struct cw_bytes in)
{
	struct cw_grant g;

	return cw_grant_decode(in, &g);
}

static enum cw_err
decode_key(struct cw_bytes in)
{
	struct cw_key_statement s;

	return cw_key_statement_decode(in, &s);
}

static enum cw_err
decode_approval(struct cw_bytes in)
{
	struct cw_approval a;

	return cw_approval_verify(in, &keys.signer_public, &a);
}

static enum cw_err
decode_evidence(struct cw_bytes in)
{
	static struct cw_evidence e;

	return cw_evidence_decode(in, &e);
}

/* Rules that tests/support/samples.c has under other names, or not at all. */
static const struct {
	const char *rule, *sample;
	enum cw_err (*decode)(struct cw_bytes in);
} others[] = {
	{ "session-request", NULL, decode_request },
	{ "grant", NULL, decode_grant },
	{ "signed-key", NULL, decode_key },
	{ "approval", NULL, decode_approval },
	{ "evidence", NULL, decode_evidence },
	{ "signed-token", "token-statement", NULL },
	{ "signed-result", "result-statement", NULL },
	{ "command", "create-key", NULL },
	{ "reply (create-key)", "create-key-result", NULL },
	{ "reply (list)", "list-result", NULL },
	{ "reply (close)", "close-result", NULL },
	{ "reply (empty)", "reply", NULL },
};

static const struct cw_sample *
find(const char *name)
{
	for (size_t i = 0; i < cw_samples_n; i++)
		if (strcmp(cw_samples[i].name, name) == 0)
			return &cw_samples[i];
	return NULL;
}

bool
cw_fields_decode(const char *rule, struct cw_buf *bytes, enum cw_err *err)
{
	const struct cw_sample *sample = find(rule);
	struct cw_buf again;

	if (!has_keys)
		cw_sample_keys_init(&keys);
	has_keys = true;
	cw_tap_sign(bytes, keys.signer);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(others[i].rule, rule) != 0)
			continue;
		if (others[i].decode != NULL) {
			*err = others[i].decode(cw_buf_bytes(bytes));
			return true;
		}
		sample = find(others[i].sample);
	}
	if (sample == NULL)
		return false;
	cw_buf_init(&again, CW_EVIDENCE_MAX);
	*err = sample->decode(&keys, cw_buf_bytes(bytes), &again);
	cw_buf_wipe(&again);
	return true;
}

void
cw_fields_decode_end(void)
{
	if (has_keys)
		cw_sample_keys_wipe(&keys);
}
