/* SPDX-License-Identifier: Apache-2.0 */
/* What the Intent names, held against what the card shows, before anything is
 * opened. */
#include "agent/icc.h"
#include "tests/support/check.h"
#include "tests/support/reader_world.h"

#define SLOT 0x9A

/* The world's card has a key of this issuer in slot 9A; what is it asked about? */
static void
what_there_is(struct cw_intent *intent)
{
	(void)intent;
}

static void
another_certificate(struct cw_intent *intent)
{
	intent->objects[0].leaf_hash[31] ^= 1;
}

static void
the_right_one_in_another_slot(struct cw_intent *intent)
{
	intent->objects[0].slot = 0x9C;
}

static void
another_and_the_right_one(struct cw_intent *intent)
{
	intent->objects[1] = intent->objects[0];
	intent->objects[0].leaf_hash[0] ^= 1;
	intent->objects[1].id++;
	intent->n_objects = 2;
}

static void
another_and_one_outside_the_slots(struct cw_intent *intent)
{
	another_and_the_right_one(intent);
	intent->objects[1].slot = 0;
}

static void
two_others(struct cw_intent *intent)
{
	another_and_the_right_one(intent);
	intent->objects[1].leaf_hash[0] ^= 2;
}

static void
what_is_deleted(struct cw_intent *intent)
{
	another_certificate(intent);
	intent->action = CW_ACTION_MANAGE;
}

static void
nothing_by_name(struct cw_intent *intent)
{
	another_certificate(intent);
	intent->n_objects = 0;
}

static const struct {
	const char *name;
	void (*edit)(struct cw_intent *intent);
	bool is_card_empty;
	enum cw_err want;
} rows[] = {
	{ "what there is", what_there_is, false, CW_OK },
	{ "another certificate", another_certificate, false,
	    CW_ERR_NOTHING_THERE },
	{ "in another slot", the_right_one_in_another_slot, false,
	    CW_ERR_NOTHING_THERE },
	{ "one of two", another_and_the_right_one, false, CW_OK },
	{ "one that shows itself to nobody", another_and_one_outside_the_slots,
	    false, CW_OK },
	{ "two others", two_others, false, CW_ERR_NOTHING_THERE },
	{ "what is deleted, and gone", what_is_deleted, false, CW_OK },
	{ "no names at all", nothing_by_name, false, CW_OK },
	{ "an empty card", what_there_is, true, CW_ERR_NOTHING_THERE },
};

static void
name_objects(struct cw_world *w, void (*edit)(struct cw_intent *intent))
{
	struct cw_intent *intent = &w->intent;

	intent->action = CW_ACTION_RENEW; /* unless it is changed below */
	intent->n_objects = 1;
	intent->objects[0] = (struct cw_intent_object){ .id = SLOT,
		.slot = SLOT,
		.name = cw_bytes_str("CN=Ada Lovelace") };
	cw_hash(cw_buf_bytes(&w->issuer.certificate),
	    intent->objects[0].leaf_hash);
	edit(intent);
	intent->scope.n_objects = intent->n_objects;
	for (size_t i = 0; i < intent->n_objects; i++)
		intent->scope.objects[i] = intent->objects[i].id;
}

/* The person was asked, as every time; the issuer hears of nothing. */
static void
a_card_that_holds_nothing_that_is_named_is_told_before_message_2(void **state)
{
	(void)state;
	for (unsigned looks = 0; looks <= 1; looks++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			struct cw_world *w = test_calloc(1, sizeof(*w));
			enum cw_err err;

			cw_world_init(w, cw_world_vendor());
			assert_err(cw_world_enroll_anew(w), CW_OK);
			if (rows[i].is_card_empty) {
				cw_test_card_wipe(&w->card);
				cw_test_card_init(&w->card, cw_world_vendor());
			}
			name_objects(w, rows[i].edit);
			w->env.wants_changes = looks == 1;
			cw_world_new_session(w);
			cw_world_new_run(w);
			err = cw_run_begin(w->run,
			    cw_buf_bytes(&w->intent_bytes), &w->out);
			if (err != rows[i].want)
				fail_msg("%s: %s", rows[i].name,
				    cw_err_name(err));
			assert_int_equal(w->out.to,
			    err == CW_OK ? CW_RUN_TO_ISSUER : CW_RUN_TO_NOBODY);
			assert_int_equal(w->out.bytes.len > 0, err == CW_OK);
			assert_int_equal(w->consents, 2);
			cw_world_wipe(w);
			test_free(w);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_card_that_holds_nothing_that_is_named_is_told_before_message_2),
	};

	return cmocka_run_group_tests(tests, cw_world_before_all,
	    cw_world_after_all);
}
