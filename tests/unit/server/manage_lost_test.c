/* SPDX-License-Identifier: Apache-2.0 */
/* Results that never come: what the issuer then says of old and new certificates,
 * and how a later invitation finds out what the card holds. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/command.h"
#include "proto/rfc4648.h"
#include "server/sweep.h"
#include "tests/support/manage_world.h"
#include "tests/support/server_forge.h"

#define PERSON "person"      /* slot 9A */
#define OWN "person-ed25519" /* outside the slots */

/* The session runs out, and what was pending is taken back. */
static void
run_out(struct cw_server_world *w)
{
	w->clock.fixed_s += w->config.session_minutes * 60;
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_err(cw_sweep_once(&w->engine), CW_OK);
}

/* Whatever the account's keys are now, one of them is replaced. */
static void
renew_what_is_there(struct cw_server_world *w, struct cw_server_play *play)
{
	assert_err(cw_manage_invite(w,
		       (struct cw_admin){ .action = "renew",
			   .account = "ada",
			   .profile = PERSON }),
	    CW_OK);
	cw_server_card_select(w);
	cw_server_play_begin(w, play, 1);
	assert_int_equal(cw_server_play_finish(w, play, 2), 4);
	assert_int_equal(cw_server_play_status(w, play), CW_CERT_ACTIVE);
}

/* With the message 7 that the card may or may not have heard. */
static void
a_renewal_without_result_is_done_again_whichever_key_is_there(void **state)
{
	struct cw_server_world *w = *state;

	for (unsigned heard = 0; heard <= 1; heard++) {
		uint64_t now_s = w->clock.fixed_s;
		char old[CW_MANAGE_SERIAL];
		struct cw_server_play lost;
		struct cw_server_play play;

		cw_server_card_new(w);
		cw_manage_enroll(w, PERSON, old);
		cw_manage_about(w, "renew", old, false);
		cw_server_play_begin(w, &lost, 3);
		if (heard == 1)
			cw_server_play_message(w, &lost, 4);
		run_out(w);
		/* Nobody knows which of the two is there. */
		assert_int_equal(cw_manage_status(w, old, NULL),
		    CW_CERT_ACTIVE);
		assert_int_equal(cw_server_play_status(w, &lost),
		    CW_CERT_REVOKED);
		w->clock.fixed_s = now_s;
		if (heard == 0)
			cw_server_card_abort(w);
		renew_what_is_there(w, &play);
		assert_int_equal(cw_manage_status(w, old, NULL),
		    CW_CERT_SUSPENDED);
		cw_server_play_wipe(&play);
		/* Once more: there is no doubt left, and the question names one. */
		renew_what_is_there(w, &play);
		cw_server_play_wipe(&play);
		cw_server_play_wipe(&lost);
		assert_err(cw_sweep_once(&w->engine), CW_OK);
	}
}

static void
an_enrolment_without_result_is_mended_by_a_renewal(void **state)
{
	struct cw_server_world *w = *state;
	uint64_t now_s = w->clock.fixed_s;
	struct cw_admin ada = { .subject = "CN=Ada Lovelace,O=Example",
		.account = "ada",
		.profile = PERSON,
		.mode = CW_MODE_PSEUDONYMOUS };
	struct cw_server_play lost;
	struct cw_server_play play;

	assert_err(cw_manage_invite(w, ada), CW_OK);
	cw_server_play_begin(w, &lost, 2);
	cw_server_play_message(w, &lost, 3);
	run_out(w);
	w->clock.fixed_s = now_s;
	/* The slot is not free. */
	assert_err(cw_manage_invite(w, ada), CW_OK);
	cw_server_card_select(w);
	cw_server_play_begin(w, &play, 1);
	cw_server_play_message(w, &play, 2);
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_SLOT_OCCUPIED);
	cw_server_play_wipe(&play);
	renew_what_is_there(w, &play);
	cw_server_play_wipe(&play);
	cw_server_play_wipe(&lost);
}

/* A list that lacks a key of this very card says that it is gone. */
static void
a_deletion_without_result_is_found_out_by_the_next_one(void **state)
{
	struct cw_server_world *w = *state;
	uint64_t now_s = w->clock.fixed_s;
	char serial[CW_MANAGE_SERIAL];
	struct cw_server_play play;
	unsigned wanted;

	cw_manage_enroll(w, PERSON, serial);
	cw_manage_about(w, "manage", serial, false);
	cw_server_play_begin(w, &play, 2);
	cw_server_play_message(w, &play, 3);
	cw_server_play_wipe(&play);
	run_out(w);
	assert_int_equal(cw_manage_status(w, serial, NULL), CW_CERT_ACTIVE);
	w->clock.fixed_s = now_s;
	cw_manage_about(w, "manage", serial, false);
	cw_server_card_select(w);
	cw_server_play_begin(w, &play, 1);
	cw_server_play_message(w, &play, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_err(cw_server_play_post(w, &play, 2),
		    CW_ERR_NOTHING_THERE);
	assert_int_equal(cw_manage_status(w, serial, &wanted),
	    CW_CERT_SUSPENDED);
	assert_int_equal(wanted, CW_REASON_CESSATION);
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_int_equal(cw_manage_status(w, serial, NULL), CW_CERT_REVOKED);
	cw_server_play_wipe(&play);
}

/* Another card says nothing of it, whoever holds it. */
static void
what_another_card_lacks_stays_valid(void **state)
{
	struct cw_server_world *w = *state;
	char serial[CW_MANAGE_SERIAL];
	struct cw_server_play play;

	for (unsigned number = 1; number <= 2; number++) {
		w->card_number = 1;
		cw_server_card_new(w);
		cw_manage_enroll(w, PERSON, serial);
		w->card_number = number;
		cw_server_card_new(w);
		cw_manage_about(w, "manage", serial, false);
		cw_server_play_begin(w, &play, 1);
		cw_server_play_message(w, &play, 2);
		assert_err(cw_server_play_post(w, &play, 2),
		    CW_ERR_NOTHING_THERE);
		/* The first was erased; by its pseudonym it is the same card. */
		assert_int_equal(cw_manage_status(w, serial, NULL),
		    number == 1 ? CW_CERT_SUSPENDED : CW_CERT_ACTIVE);
		cw_server_play_wipe(&play);
	}
}

/* ---- lists in parts ---- */

/* The certificate of this hash, of one of the two. */
static void
load_named(struct cw_server_world *w, char serials[2][CW_MANAGE_SERIAL],
    const uint8_t leaf_hash[CW_HASH_BYTES], struct cw_buf *der)
{
	uint8_t number[CW_SERIAL_BYTES], hash[CW_HASH_BYTES] = { 0 };
	struct cw_certificate c;

	for (size_t i = 0; i < 2 && memcmp(hash, leaf_hash, sizeof(hash)) != 0;
	     i++) {
		assert_true(cw_base16_decode(cw_bytes_str(serials[i]), number,
		    sizeof(number)));
		cw_buf_reset(der);
		assert_err(w->store->certificate_load(w->store, number, &c,
			       der),
		    CW_OK);
		cw_hash(cw_buf_bytes(der), hash);
	}
	assert_memory_equal(hash, leaf_hash, sizeof(hash));
}

/* What the card says next: this key alone, and whether others follow. */
static void
tell_part(struct cw_server_world *w, struct cw_server_play *play, unsigned step,
    struct cw_listed_key *key, bool more)
{
	const struct cw_reply reply = { .keys = key,
		.n_keys = 1,
		.more = more };
	struct cw_session_secret secret = cw_server_secret(w, play);
	struct cw_buf plain;

	cw_buf_init(&plain, CW_COMMAND_MAX);
	cw_reply_encode(CW_LIST, &reply, &plain);
	cw_server_forge(&secret, secret.first,
	    cw_buf_bytes(&play->answers[step - 1]), cw_buf_bytes(&plain),
	    &play->messages[step]);
	assert_err(cw_server_play_post(w, play, step), CW_OK);
	cw_buf_wipe(&plain);
}

/* A part tells of its own ids, and of no others: what comes later, or came
 * earlier, is not gone. */
static void
what_another_part_of_a_list_has_is_not_gone(void **state)
{
	struct cw_server_world *w = *state;
	char serials[2][CW_MANAGE_SERIAL], both[2 * CW_MANAGE_SERIAL];
	struct cw_listed_key *key = calloc(1, sizeof(*key));
	struct cw_server_play play;
	struct cw_intent intent;
	struct cw_grant grant;
	struct cw_buf der;

	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	for (size_t i = 0; i < 2; i++)
		cw_manage_enroll(w, OWN, serials[i]);
	snprintf(both, sizeof(both), "%s,%s", serials[0], serials[1]);
	cw_manage_about(w, "manage", both, false);
	cw_manage_read(w, &intent, &grant);
	assert_int_equal(intent.n_objects, 2);
	cw_server_play_begin(w, &play, 1);
	for (unsigned part = 0; part < 2; part++) {
		load_named(w, serials, intent.objects[part].leaf_hash, &der);
		*key = (struct cw_listed_key){ .id = intent.objects[part].id,
			.n_chain = 1 };
		key->attributes.type = CW_KEY_ED25519;
		key->attributes.usage = CW_USAGE_SIGN;
		key->attributes.origin = CW_ORIGIN_CARD;
		key->chain[0] = cw_buf_bytes(&der);
		tell_part(w, &play, part + 2, key, part == 0);
		for (size_t i = 0; i < 2; i++)
			assert_int_equal(cw_manage_status(w, serials[i], NULL),
			    CW_CERT_ACTIVE);
	}
	cw_buf_wipe(&der);
	cw_server_play_wipe(&play);
	free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(
		    a_renewal_without_result_is_done_again_whichever_key_is_there),
		cw_server_test(
		    an_enrolment_without_result_is_mended_by_a_renewal),
		cw_server_test(
		    a_deletion_without_result_is_found_out_by_the_next_one),
		cw_server_test(what_another_card_lacks_stays_valid),
		cw_server_test(what_another_part_of_a_list_has_is_not_gone),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
