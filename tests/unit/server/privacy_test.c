/* SPDX-License-Identifier: Apache-2.0 */
/* What an issuer learns of a card in mode 2, and what two of them learn together;
 * and session secrets, which nobody learns from the issuer's disk. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/base/fdio.h"
#include "proto/base/secret.h"
#include "proto/base/log.h"
#include "proto/grant.h"
#include "proto/rfc4648.h"
#include "server/admin.h"
#include "server/step.h"
#include "tests/support/server_world.h"

static struct cw_keys_tree trees[2]; /* two issuers; the first's vendor */

static int
begin(void **state)
{
	struct cw_buf roots;

	(void)state;
	if (!cw_secret_process_init())
		return -1;
	cw_keys_tree_make(&trees[0], 2);
	cw_keys_tree_make(&trees[1], 1); /* its card is not used */
	cw_buf_init(&roots, 1 << 16);
	assert_err(cw_file_load(cw_keys_tree_path(&trees[0], "vendor-root.pem"),
		       &roots),
	    CW_OK);
	assert_err(cw_file_store(cw_keys_tree_path(&trees[1],
				     "vendor-root.pem"),
		       cw_buf_bytes(&roots), 0644),
	    CW_OK);
	cw_buf_wipe(&roots);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	cw_keys_tree_free(&trees[0]);
	cw_keys_tree_free(&trees[1]);
	return 0;
}

static int
setup(void **state)
{
	*state = cw_server_world_open(&trees[0]);
	return 0;
}

/* ---- pseudonyms ---- */

/* All that an issuer is told of a card in one session. */
struct seen {
	struct cw_buf plain;
	struct cw_token token;
	struct cw_verdict verdict;
};

static void
look(struct cw_server_world *w, struct seen *seen)
{
	struct cw_server_play play;
	struct cw_session s;

	cw_server_world_invite(w, CW_MODE_PSEUDONYMOUS, 1);
	cw_server_play_begin(w, &play, 1);
	cw_server_play_session(w, &play, &s);
	cw_buf_init(&seen->plain, CW_BODY_MAX);
	assert_err(w->store->step_load(w->store, play.id, 1, NULL, NULL,
		       &seen->plain),
	    CW_OK);
	assert_err(cw_token_decode(cw_buf_bytes(&seen->plain), &seen->token),
	    CW_OK);
	assert_err(cw_verdict_decode(cw_buf_bytes(&s.verdict), &seen->verdict),
	    CW_OK);
	assert_true(seen->verdict.has_pseudonym);
	cw_session_wipe(&s);
	cw_server_play_wipe(&play);
	cw_card_power(w->card, false);
	cw_card_power(w->card, true);
	cw_server_card_select(w);
}

static bool
same_pseudonym(const struct seen *a, const struct seen *b)
{
	return memcmp(a->verdict.pseudonym, b->verdict.pseudonym,
		   CW_HASH_BYTES) == 0;
}

/* Besides the pseudonym two cards of a batch tell the same. */
static void
assert_alike(const struct seen *a, const struct seen *b)
{
	assert_int_equal(a->token.n_chain, b->token.n_chain);
	for (size_t i = 0; i < a->token.n_chain; i++)
		assert_true(
		    cw_bytes_equal(a->token.chain[i], b->token.chain[i]));
	assert_true(cw_bytes_equal(a->token.card_info, b->token.card_info));
	assert_memory_equal(a->verdict.attestation.leaf_hash,
	    b->verdict.attestation.leaf_hash, CW_HASH_BYTES);
}

static void
swap_cards(struct cw_server_world *a, struct cw_server_world *b)
{
	struct cw_card *card = a->card;

	a->card = b->card;
	b->card = card;
}

static void
an_issuer_knows_a_card_again_and_two_issuers_cannot_link_it(void **state)
{
	struct cw_server_world *one = *state;
	struct cw_server_world *two;
	struct seen seen[6]; /* card 1 twice, card 2; the same at issuer two */
	void *second;

	two = cw_server_world_open(&trees[1]);
	look(one, &seen[0]);
	swap_cards(one, two);
	look(two, &seen[3]);
	look(two, &seen[5]);
	swap_cards(one, two);
	look(one, &seen[2]);
	one->card_number = 2;
	cw_server_card_new(one);
	look(one, &seen[1]);
	swap_cards(one, two);
	look(two, &seen[4]);
	swap_cards(one, two);
	/* 0, 2: card 1 at one; 1: card 2 at one; 3, 5: card 1 at two; 4: 2. */
	assert_true(same_pseudonym(&seen[0], &seen[2]));
	assert_true(same_pseudonym(&seen[3], &seen[5]));
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < i; k++) {
			bool same = (i == 2 && k == 0) || (i == 5 && k == 3);

			assert_true(same_pseudonym(&seen[i], &seen[k]) == same);
			assert_alike(&seen[i], &seen[k]);
		}
	for (size_t i = 0; i < 6; i++)
		cw_buf_wipe(&seen[i].plain);
	second = two;
	cw_server_world_teardown(&second);
}

/* ---- modes ---- */

static void
a_mode_that_the_card_does_not_list_is_refused(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_capabilities c;
	struct cw_card_caps caps;
	struct cw_server_play play;
	struct cw_buf made;

	cw_server_play_init(&play);
	cw_server_play_message(w, &play, 0);
	assert_err(cw_capabilities_decode(cw_buf_bytes(&play.messages[0]), &c),
	    CW_OK);
	assert_err(cw_card_caps_decode(c.card_caps, &caps), CW_OK);
	caps.n_modes = 1;
	caps.modes[0] = CW_MODE_ANONYMOUS;
	cw_buf_init(&made, CW_BODY_MAX);
	cw_card_caps_encode(&caps, &made);
	c.card_caps = cw_buf_bytes(&made);
	cw_buf_reset(&play.messages[1]);
	cw_capabilities_encode(&c, &play.messages[1]);
	cw_buf_move(&play.messages[0], &play.messages[1]);
	assert_err(cw_server_play_post(w, &play, 0), CW_ERR_WRONG_MODE);
	cw_buf_wipe(&made);
	cw_server_play_wipe(&play);
}

static bool
take_newest(void *ctx, const struct cw_invitation *row)
{
	struct cw_grant g;

	assert_err(cw_grant_decode(cw_buf_bytes(&row->grant), &g), CW_OK);
	if (cw_bytes_is(g.subject, "CN=Mode"))
		*(unsigned *)ctx = g.mode;
	return !cw_bytes_is(g.subject, "CN=Mode");
}

/* The profile's modes decide, the least telling that still knows a card again
 * before the others; another than those is refused. */
static void
the_profile_chooses_the_mode(void **state)
{
	static const struct {
		unsigned modes, wanted, chosen;
		enum cw_err err;
	} rows[] = {
		{ 1u << 1 | 1u << 2 | 1u << 3, 0, 2, CW_OK },
		{ 1u << 1 | 1u << 3, 0, 3, CW_OK },
		{ 1u << 1, 0, 1, CW_OK },
		{ 1u << 1, 1, 1, CW_OK },
		{ 1u << 1, 2, 0, CW_ERR_PROFILE_REFUSES },
		{ 1u << 2 | 1u << 3, 1, 0, CW_ERR_PROFILE_REFUSES },
		{ 1u << 2, 4, 0, CW_ERR_PROFILE_REFUSES },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_server_world *w = cw_server_world_open(&trees[0]);
		struct cw_admin admin = { .config = &w->config,
			.store = w->store,
			.subject = "CN=Mode",
			.profile = "person",
			.mode = rows[i].wanted };
		unsigned mode = 0;
		void *world = w;

		w->config.profiles[0].modes = rows[i].modes;
		assert_err(cw_admin_invite(&admin), rows[i].err);
		assert_err(w->store->invitation_each(w->store, take_newest,
			       &mode),
		    CW_OK);
		assert_int_equal(mode, rows[i].chosen);
		cw_server_world_teardown(&world);
	}
	(void)state;
}

/* ---- secrets at rest ---- */

struct secret {
	const char *name;
	uint8_t bytes[CW_AEAD_KEY_BYTES];
};

static bool
contains(const struct cw_buf *file, struct cw_bytes what)
{
	return memmem(file->ptr, file->len, what.ptr, what.len) != NULL;
}

/* As it is, in hexadecimal, and in base64url. */
static void
assert_nowhere(const char *path, const struct secret *s)
{
	char hex[2 * CW_AEAD_KEY_BYTES + 1];
	char text[CW_BASE64URL_CHARS(CW_AEAD_KEY_BYTES) + 1];
	struct cw_buf file;

	if (access(path, F_OK) != 0)
		return;
	cw_buf_init(&file, 64 << 20);
	assert_err(cw_file_load(path, &file), CW_OK);
	cw_base16_encode(CW_BYTES_ARRAY(s->bytes), hex);
	cw_base64url_encode(CW_BYTES_ARRAY(s->bytes), text);
	if (contains(&file, CW_BYTES_ARRAY(s->bytes)) ||
	    contains(&file, cw_bytes_str(hex)) ||
	    contains(&file, cw_bytes_str(text)))
		fail_msg("%s in %s", s->name, path);
	cw_buf_wipe(&file);
}

static void
search(struct cw_server_world *w, const struct secret *secrets, size_t n)
{
	static const char *const files[] = { "store.db", "store.db-wal",
		"store.db-shm", "store.db-steps", "copy.db", "stderr" };

	unlink(cw_server_world_path(w, "copy.db"));
	cw_server_world_copy_store(w, "copy.db");
	fflush(stderr);
	for (size_t i = 0; i < n; i++) {
		for (size_t f = 0; f < COUNT(files); f++)
			assert_nowhere(cw_server_world_path(w, files[f]),
			    &secrets[i]);
		assert_nowhere(w->config.log, &secrets[i]);
	}
}

static size_t
collect(struct cw_server_world *w, const struct cw_server_play *play,
    struct secret *out)
{
	struct cw_session_secret secret;
	struct cw_session s;

	cw_server_play_session(w, play, &s);
	assert_err(cw_session_secret_open(&secret, w->seal, &s), CW_OK);
	if (s.stage == CW_STAGE_OPENED) {
		out[0].name = "ephemeral key";
		memcpy(out[0].bytes, secret.scalar, sizeof(out[0].bytes));
	} else {
		out[0].name = "down key";
		memcpy(out[0].bytes, secret.channel.down_key,
		    sizeof(out[0].bytes));
		out[1].name = "up key";
		memcpy(out[1].bytes, secret.channel.up_key,
		    sizeof(out[1].bytes));
	}
	cw_session_wipe(&s);
	return s.stage == CW_STAGE_OPENED ? 1 : 2;
}

/* What is over has none, sealed or not (docs/protocol.md 9). */
static void
assert_no_secrets(struct cw_server_world *w, const struct cw_server_play *play)
{
	struct cw_session s;

	cw_server_play_session(w, play, &s);
	assert_int_equal(s.stage, CW_STAGE_DONE);
	assert_int_equal(s.sealed.len, 0);
	cw_session_wipe(&s);
}

static void
no_session_secret_is_in_store_log_or_backup(void **state)
{
	struct cw_server_world *w = *state;
	struct secret secrets[3];
	struct cw_server_play play;
	int err = dup(STDERR_FILENO);
	size_t n;

	assert_non_null(
	    freopen(cw_server_world_path(w, "stderr"), "w", stderr));
	cw_log_set_level(CW_LOG_DEBUG);
	cw_server_play_begin(w, &play, 0);
	n = collect(w, &play, &secrets[2]);
	assert_int_equal(n, 1);
	search(w, &secrets[2], 1);
	for (unsigned step = 1; step < 4; step++) {
		cw_server_play_message(w, &play, step);
		assert_err(cw_server_play_post(w, &play, step), CW_OK);
		if (step == 1)
			(void)collect(w, &play, secrets);
		search(w, secrets, 3);
	}
	assert_no_secrets(w, &play);
	cw_server_world_restart(w);
	assert_no_secrets(w, &play);
	search(w, secrets, 3);
	fflush(stderr);
	assert_true(dup2(err, STDERR_FILENO) >= 0);
	close(err);
	cw_log_set_level(CW_LOG_INFO);
	/* The search finds what is there. */
	memcpy(secrets[0].bytes, play.messages[1].ptr + 100, 32);
	{
		struct cw_buf file;

		cw_buf_init(&file, 64 << 20);
		assert_err(cw_file_load(cw_server_world_path(w, "copy.db"),
			       &file),
		    CW_OK);
		assert_true(contains(&file, CW_BYTES_ARRAY(secrets[0].bytes)));
		cw_buf_wipe(&file);
	}
	cw_server_play_wipe(&play);
}

#define sentence(s) \
	cmocka_unit_test_setup_teardown(s, setup, cw_server_world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		sentence(
		    an_issuer_knows_a_card_again_and_two_issuers_cannot_link_it),
		sentence(a_mode_that_the_card_does_not_list_is_refused),
		sentence(the_profile_chooses_the_mode),
		sentence(no_session_secret_is_in_store_log_or_backup),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
