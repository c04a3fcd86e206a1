/* SPDX-License-Identifier: Apache-2.0 */
/* A management key that took the place of an older one: what stands in R, and
 * what a signer does not start with. */
#include <stdio.h>
#include <unistd.h>

#include "proto/base/fdio.h"
#include "proto/base/secret.h"
#include "proto/endorsement.h"
#include "tests/support/check.h"
#include "tests/support/keys_desk.h"

#define KEYS 10 /* the last of them is the signer's */

static struct cw_keys_desk *const desk = &cw_keys_desk;
static struct cw_private_key *keys[KEYS];

/* keys[from] endorses keys[to]; the last one is the signer's own. */
static void
endorse(int from, int to, unsigned epoch, struct cw_buf *out)
{
	struct cw_endorsement e = { .epoch = epoch,
		.not_after_s = desk->now_s + 3600 };

	if (to == KEYS - 1)
		e.to = desk->state.management_public;
	else
		cw_key_public(keys[to], &e.to);
	assert_err(cw_endorsement_make(&e, keys[from], out), CW_OK);
}

/* Ends the signer and starts it with this file. */
static enum cw_err
start_with(struct cw_bytes file)
{
	char *path = desk->tree.config.endorsements;

	snprintf(path, CW_PATH_MAX, "%s",
	    cw_keys_tree_path(&desk->tree, "chain.endorsements"));
	assert_err(cw_file_store(path, file, 0644), CW_OK);
	return cw_keys_desk_restart(desk);
}

/* And without one, as it must be for the next. */
static void
start_again(void)
{
	desk->tree.config.endorsements[0] = '\0';
	assert_err(cw_keys_desk_restart(desk), CW_OK);
}

static void
every_request_has_the_chain_to_the_signers_key(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_endorsements chain;
	struct cw_keys_session x;
	struct cw_request made;
	struct cw_buf file;

	(void)state;
	cw_buf_init(&file, CW_REQUEST_MAX);
	endorse(0, 1, 1, &file);
	endorse(1, KEYS - 1, 2, &file);
	assert_err(start_with(cw_buf_bytes(&file)), CW_OK);
	cw_keys_desk_signed(desk, &x, &grant, 0);
	assert_err(cw_request_verify(cw_buf_bytes(&x.request), &made), CW_OK);
	assert_int_equal(made.n_endorsements, 2);
	assert_err(cw_endorsements_verify(&made, &chain), CW_OK);
	assert_int_equal(chain.chain[0].epoch, 1);
	cw_keys_session_wipe(&x);
	cw_buf_wipe(&file);
	start_again();
}

static void
nothing(struct cw_buf *b)
{
	(void)b;
}

static void
another_key(struct cw_buf *b)
{
	endorse(0, 1, 1, b);
}

static void
wrong_order(struct cw_buf *b)
{
	endorse(1, KEYS - 1, 2, b);
	endorse(0, 1, 1, b);
}

static void
falling_epochs(struct cw_buf *b)
{
	endorse(0, 1, 2, b);
	endorse(1, KEYS - 1, 1, b);
}

static void
too_many(struct cw_buf *b)
{
	for (int i = 0; i + 1 < KEYS; i++)
		endorse(i, i + 1, (unsigned)i + 1, b);
}

static void
more_behind(struct cw_buf *b)
{
	endorse(0, KEYS - 1, 1, b);
	cw_buf_put_u8(b, 0xff);
}

static void
damaged(struct cw_buf *b)
{
	endorse(0, KEYS - 1, 1, b);
	b->ptr[b->len - 1] ^= 1;
}

static void
no_endorsement(struct cw_buf *b)
{
	cw_buf_put_str(b, "\x01\x02");
}

static void
a_chain_that_leads_elsewhere_keeps_the_signer_from_starting(void **state)
{
	static const struct {
		const char *name;
		void (*make)(struct cw_buf *b);
		enum cw_err want;
	} rows[] = {
		{ "an empty file", nothing, CW_ERR_BAD_ENDORSEMENT },
		{ "to another key", another_key, CW_ERR_BAD_ENDORSEMENT },
		{ "in another order", wrong_order, CW_ERR_BAD_ENDORSEMENT },
		{ "falling epochs", falling_epochs, CW_ERR_BAD_ENDORSEMENT },
		{ "nine of them", too_many, CW_ERR_TOO_LARGE },
		{ "more behind it", more_behind, CW_ERR_MALFORMED },
		{ "a changed byte", damaged, CW_ERR_BAD_SIGNATURE },
		{ "numbers", no_endorsement, CW_ERR_WRONG_TYPE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_buf file;
		enum cw_err err;

		cw_buf_init(&file, CW_REQUEST_MAX);
		rows[i].make(&file);
		err = start_with(cw_buf_bytes(&file));
		if (err != rows[i].want)
			fail_msg("%s: %s", rows[i].name, cw_err_name(err));
		cw_buf_wipe(&file);
		start_again();
	}
}

/* Cards go by epochs: it starts, and the agents that know the new key go on. */
static void
a_chain_that_has_run_out_is_still_for_cards(void **state)
{
	uint64_t now_s = desk->now_s;
	struct cw_buf file;

	(void)state;
	cw_buf_init(&file, CW_REQUEST_MAX);
	desk->now_s = 3600;
	endorse(0, KEYS - 1, 1, &file);
	desk->now_s = now_s;
	assert_err(start_with(cw_buf_bytes(&file)), CW_OK);
	cw_buf_wipe(&file);
	start_again();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_request_has_the_chain_to_the_signers_key),
		cmocka_unit_test(
		    a_chain_that_leads_elsewhere_keeps_the_signer_from_starting),
		cmocka_unit_test(a_chain_that_has_run_out_is_still_for_cards),
	};
	int failed;

	if (!cw_secret_process_init())
		return 1;
	for (size_t i = 0; i < KEYS; i++)
		if (cw_key_generate(CW_KEY_P256, &keys[i]) != CW_OK)
			return 1;
	failed =
	    cmocka_run_group_tests(tests, cw_keys_desk_begin, cw_keys_desk_end);
	for (size_t i = 0; i < KEYS; i++)
		cw_key_free(&keys[i]);
	return failed;
}
