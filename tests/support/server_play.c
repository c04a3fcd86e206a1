/* SPDX-License-Identifier: Apache-2.0 */
/* Whole sessions on the issuer in this process. */
#include "tests/support/server_world.h"

#include <stdlib.h>

#include "server/evidence.h"

void
cw_server_play_init(struct cw_server_play *play)
{
	memset(play, 0, sizeof(*play));
	for (size_t i = 0; i < CW_SERVER_PLAY_MAX; i++) {
		cw_buf_init(&play->messages[i], CW_BODY_MAX);
		cw_buf_init(&play->answers[i], CW_BODY_MAX);
	}
}

void
cw_server_play_wipe(struct cw_server_play *play)
{
	for (size_t i = 0; i < CW_SERVER_PLAY_MAX; i++) {
		cw_buf_wipe(&play->messages[i]);
		cw_buf_wipe(&play->answers[i]);
	}
}

void
cw_server_play_message(struct cw_server_world *w, struct cw_server_play *play,
    unsigned step)
{
	struct cw_bytes before =
	    step == 0 ? CW_BYTES_NONE : cw_buf_bytes(&play->answers[step - 1]);

	if (step == 0)
		cw_server_card_capabilities(w, &play->messages[0]);
	else if (step == 1)
		cw_server_card_token(w, before, &play->messages[1]);
	else
		cw_server_card_replies(w, before, &play->messages[step]);
}

enum cw_err
cw_server_play_post(struct cw_server_world *w, struct cw_server_play *play,
    unsigned step)
{
	struct cw_bytes message = cw_buf_bytes(&play->messages[step]);

	cw_buf_reset(&play->answers[step]);
	return step == 0 ? cw_session_open(&w->engine, &w->invitation, message,
			       &play->answers[0], play->id) :
			   cw_session_message(&w->engine, play->id, message,
			       &play->answers[step], &play->ended);
}

void
cw_server_play_until(struct cw_server_world *w, struct cw_server_play *play,
    unsigned last)
{
	for (unsigned step = 0; step <= last; step++) {
		cw_server_play_message(w, play, step);
		assert_err(cw_server_play_post(w, play, step), CW_OK);
	}
}

unsigned
cw_server_play_finish(struct cw_server_world *w, struct cw_server_play *play,
    unsigned from)
{
	unsigned step = from;

	do {
		assert_true(step < CW_SERVER_PLAY_MAX);
		cw_server_play_message(w, play, step);
		assert_err(cw_server_play_post(w, play, step), CW_OK);
	} while (play->answers[step++].len > 0);
	return step - 1;
}

void
cw_server_play_begin(struct cw_server_world *w, struct cw_server_play *play,
    unsigned last)
{
	cw_server_play_init(play);
	cw_server_play_until(w, play, last);
}

void
cw_server_play_session(struct cw_server_world *w,
    const struct cw_server_play *play, struct cw_session *s)
{
	cw_session_init(s);
	assert_err(w->store->session_load(w->store, play->id, s), CW_OK);
}

bool
cw_server_play_revoked(struct cw_server_world *w,
    const struct cw_server_play *play)
{
	struct cw_signer_entry entries[16];
	struct cw_session s;
	bool revoked = false;
	uint64_t from = 0;
	size_t n;

	cw_server_play_session(w, play, &s);
	do {
		assert_err(cw_signer_log_read(w->tree->signer, from, entries,
			       COUNT(entries), &n),
		    CW_OK);
		for (size_t i = 0; i < n; i++)
			if (memcmp(entries[i].serial, s.serial,
				sizeof(s.serial)) == 0)
				revoked = entries[i].revoked;
		from += n;
	} while (n > 0);
	cw_session_wipe(&s);
	return revoked;
}

enum cw_certificate_status
cw_server_play_status(struct cw_server_world *w,
    const struct cw_server_play *play)
{
	struct cw_certificate c;
	struct cw_session s;
	enum cw_certificate_status status = 0;

	cw_server_play_session(w, play, &s);
	if (w->store->certificate_load(w->store, s.serial, &c, NULL) == CW_OK)
		status = c.status;
	cw_session_wipe(&s);
	return status;
}

static enum cw_err
add_root(void *trust, struct cw_bytes der)
{
	return cw_trust_add_root(trust, der);
}

struct cw_trust *
cw_server_world_trust(struct cw_server_world *w, const char *name)
{
	struct cw_trust *trust = cw_trust_new();

	assert_err(cw_pem_certificates(cw_keys_tree_path(w->tree, name),
		       add_root, trust),
	    CW_OK);
	return trust;
}

void
cw_server_play_evidence(struct cw_server_world *w,
    const struct cw_server_play *play,
    void (*check)(struct cw_evidence *e, struct cw_trust *vendor,
	struct cw_trust *issuer))
{
	struct cw_evidence *e = calloc(1, sizeof(*e));
	struct cw_trust *vendor = cw_server_world_trust(w, "vendor-root.pem");
	struct cw_trust *issuer = cw_server_world_trust(w, "issuer-root.pem");
	struct cw_session s;
	struct cw_buf file;

	cw_buf_init(&file, CW_EVIDENCE_MAX);
	cw_server_play_session(w, play, &s);
	assert_err(cw_evidence_export(w->store, s.serial, &file), CW_OK);
	assert_err(cw_evidence_decode(cw_buf_bytes(&file), e), CW_OK);
	check(e, vendor, issuer);
	cw_trust_free(&vendor);
	cw_trust_free(&issuer);
	cw_buf_wipe(&file);
	cw_session_wipe(&s);
	free(e);
}
