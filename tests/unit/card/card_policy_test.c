/* SPDX-License-Identifier: Apache-2.0 */
/* PUK and PIN policies: rules, limits, groups, and who chooses the value. */
#include "proto/card_link.h"
#include "tests/support/card_play.h"

#define SIGN CW_USAGE_SIGN
#define BOTH (CW_USAGE_SIGN | CW_USAGE_AUTHENTICATE)
#define AGREE CW_USAGE_AGREE

/* ---- rules and their limits ---- */

static const struct {
	const char *name;
	struct cw_pin_rule rule;
	const char *value;
	enum cw_err want;
} limits[] = {
	{ "shortest", { CW_PIN_DIGITS, 4, 4, 3, 0 }, "7314", CW_OK },
	{ "one digit less", { CW_PIN_DIGITS, 4, 4, 3, 0 }, "731",
	    CW_ERR_BAD_POLICY },
	{ "one digit more", { CW_PIN_DIGITS, 4, 4, 3, 0 }, "73141",
	    CW_ERR_BAD_POLICY },
	{ "length below 4", { CW_PIN_DIGITS, 3, 8, 3, 0 }, "7314",
	    CW_ERR_OUT_OF_RANGE },
	{ "longest", { CW_PIN_ALPHANUMERIC, 32, 32, 3, 0 },
	    "abcdefghijklmnopqrstuvwxyz012345", CW_OK },
	{ "length above 32", { CW_PIN_DIGITS, 4, 33, 3, 0 }, "7314",
	    CW_ERR_OUT_OF_RANGE },
	{ "no try", { CW_PIN_DIGITS, 4, 8, 0, 0 }, "7314",
	    CW_ERR_OUT_OF_RANGE },
	{ "one try", { CW_PIN_DIGITS, 4, 8, 1, 0 }, "7314", CW_OK },
	{ "15 tries", { CW_PIN_DIGITS, 4, 8, 15, 0 }, "7314", CW_OK },
	{ "16 tries", { CW_PIN_DIGITS, 4, 8, 16, 0 }, "7314",
	    CW_ERR_OUT_OF_RANGE },
	{ "a format that is none", { (enum cw_pin_format)6, 4, 8, 3, 0 },
	    "7314", CW_ERR_OUT_OF_RANGE },
	{ "a pattern that is none", { CW_PIN_DIGITS, 4, 8, 3, 64 }, "7314",
	    CW_ERR_OUT_OF_RANGE },
	{ "groups of digits", { CW_PIN_DIGITS, 4, 8, 3, 32 }, "7314",
	    CW_ERR_BAD_POLICY },
	{ "all patterns", { CW_PIN_PRINTABLE, 4, 8, 3, CW_PIN_FORBIDDEN_ALL },
	    "aB3-", CW_OK },
	{ "a sequence", { CW_PIN_DIGITS, 4, 8, 3, 1 }, "4567",
	    CW_ERR_BAD_POLICY },
	{ "three in a row", { CW_PIN_DIGITS, 4, 8, 3, 2 }, "7771",
	    CW_ERR_BAD_POLICY },
	{ "two in a row", { CW_PIN_DIGITS, 4, 8, 3, 8 }, "7713",
	    CW_ERR_BAD_POLICY },
	{ "twice", { CW_PIN_DIGITS, 4, 8, 3, 16 }, "7173", CW_ERR_BAD_POLICY },
	{ "bytes", { CW_PIN_BINARY, 4, 8, 3, 0 }, "\x01\xff\x02\xfe", CW_OK },
};

static void
each_policy_is_held_to_its_limits(void **state)
{
	for (size_t i = 0; i < COUNT(limits); i++) {
		for (unsigned puk = 0; puk < 2; puk++) {
			struct cw_test_world *w = cw_test_world_renew(state);
			struct cw_create_puk_policy p = { .id = 5,
				.rule = limits[i].rule,
				.value = cw_bytes_str(limits[i].value) };
			struct cw_create_pin_policy q = { .id = 5,
				.rule = limits[i].rule,
				.issuer_set = true,
				.value = cw_bytes_str(limits[i].value) };
			struct cw_command c = puk ? cw_play_puk_command(&p) :
						    cw_test_policy_command(&q);

			print_message("%s\n", limits[i].name);
			assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
			if (limits[i].want == CW_OK)
				cw_test_must_run(&w->issuer, c);
			else
				cw_test_ends_with(w, c, limits[i].want);
		}
	}
}

static void
a_holder_is_not_asked_for_bytes(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_create_pin_policy p = { .id = 5,
		.rule = { CW_PIN_BINARY, 4, 8, 3, 0 } };

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_ends_with(w, cw_test_policy_command(&p), CW_ERR_BAD_POLICY);
}

static void
a_value_stands_exactly_where_it_belongs(void **state)
{
	static const struct {
		const char *name;
		bool issuer_set;
		enum cw_pin_grouping grouping;
		const char *value;
		enum cw_err want;
	} rows[] = {
		{ "shared, the issuer's", true, CW_PIN_SHARED, "7314", CW_OK },
		{ "shared, without", true, CW_PIN_SHARED, NULL,
		    CW_ERR_MISSING_FIELD },
		{ "each its own", true, CW_PIN_EACH, NULL, CW_OK },
		{ "each its own, but one for all", true, CW_PIN_EACH, "7314",
		    CW_ERR_UNKNOWN_FIELD },
		{ "the holder's", false, CW_PIN_UNIQUE, NULL, CW_OK },
		{ "the holder's, with a value", false, CW_PIN_SHARED, "7314",
		    CW_ERR_UNKNOWN_FIELD },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_create_pin_policy p = { .id = 5,
			.rule = { CW_PIN_DIGITS, 4, 8, 3, 0 },
			.issuer_set = rows[i].issuer_set,
			.grouping = rows[i].grouping };
		struct cw_command c;

		if (rows[i].value != NULL)
			p.value = cw_bytes_str(rows[i].value);
		c = cw_test_policy_command(&p);
		print_message("%s\n", rows[i].name);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		assert_err(cw_test_run(&w->issuer, &c), rows[i].want);
	}
}

/* ---- what belongs together ---- */

static void
a_pin_policy_names_a_puk_that_is_there(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_pin_policy p = cw_play_policy;

	/* Of this session. */
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_ends_with(w, cw_test_policy_command(&cw_play_policy),
	    CW_ERR_UNKNOWN_ID);
	/* Of an earlier one. */
	cw_play_base(&w->issuer);
	p.id = 21;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&p));
}

static void
what_nobody_uses_cannot_be_closed(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_puk_command(&cw_play_puk));
	cw_test_ends_with(w, cw_play_close(), CW_ERR_BAD_POLICY);
	/* A PUK with a PIN that has no key. */
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_puk_command(&cw_play_puk));
	cw_test_must_run(&w->issuer, cw_test_policy_command(&cw_play_policy));
	cw_test_ends_with(w, cw_play_close(), CW_ERR_BAD_POLICY);
}

static void
policies_and_puks_have_a_limit_of_32(void **state)
{
	for (unsigned puk = 0; puk < 2; puk++) {
		struct cw_test_world *w = cw_test_world_renew(state);

		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		for (uint32_t id = 1; id <= 33; id++) {
			struct cw_create_puk_policy p = cw_play_puk;
			struct cw_create_pin_policy q = cw_test_policy;
			struct cw_command c;

			p.id = q.id = id;
			c = puk ? cw_play_puk_command(&p) :
				  cw_test_policy_command(&q);
			assert_err(cw_test_run(&w->issuer, &c),
			    id <= 32 ? CW_OK : CW_ERR_CARD_FULL);
		}
	}
}

static void
the_result_names_each_policy(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	static struct cw_result_statement result;

	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	cw_test_must_run(issuer, cw_play_puk_command(&cw_play_puk));
	cw_test_must_run(issuer, cw_test_policy_command(&cw_play_policy));
	cw_play_make(issuer, &cw_play_key);
	assert_err(cw_test_issuer_close(issuer, &result), CW_OK);
	assert_int_equal(result.n_items, 3);
	assert_int_equal(result.items[0].done, CW_DONE_PUK_POLICY);
	assert_int_equal(result.items[0].object_id, CW_PLAY_PUK_ID);
	assert_int_equal(result.items[1].done, CW_DONE_PIN_POLICY);
	assert_int_equal(result.items[2].done, CW_DONE_KEY);
}

/* ---- groups ---- */

/* Three keys under one policy: how often is the issuer's value wanted? */
static void
each_group_has_one_value(void **state)
{
	static const struct {
		enum cw_pin_grouping grouping;
		unsigned usage[3];
		const char *pin[3]; /* NULL: must not be given */
		enum cw_err want;   /* of the last key */
	} rows[] = {
		{ CW_PIN_EACH, { SIGN, SIGN, SIGN }, { "1111", "1111", "2222" },
		    CW_OK },
		{ CW_PIN_EACH, { SIGN, SIGN, SIGN }, { "1111", "1111", NULL },
		    CW_ERR_BAD_POLICY },
		{ CW_PIN_SIGNATURE, { SIGN, BOTH, SIGN },
		    { "1111", "2222", NULL }, CW_OK },
		{ CW_PIN_SIGNATURE, { SIGN, BOTH, AGREE },
		    { "1111", "2222", NULL }, CW_OK },
		{ CW_PIN_SIGNATURE, { BOTH, AGREE, SIGN },
		    { "1111", NULL, "1111" }, CW_ERR_BAD_POLICY },
		{ CW_PIN_SIGNATURE, { BOTH, AGREE, SIGN },
		    { "1111", NULL, "2222" }, CW_OK },
		{ CW_PIN_UNIQUE, { SIGN, BOTH, AGREE },
		    { "1111", "2222", "3333" }, CW_OK },
		{ CW_PIN_UNIQUE, { SIGN, BOTH, AGREE },
		    { "1111", "2222", "1111" }, CW_ERR_BAD_POLICY },
		{ CW_PIN_UNIQUE, { SIGN, BOTH, SIGN }, { "1111", "2222", NULL },
		    CW_OK },
		{ CW_PIN_UNIQUE, { SIGN, BOTH, SIGN },
		    { "1111", "2222", "1111" }, CW_ERR_BAD_POLICY },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_create_pin_policy p = { .id = 20,
			.rule = { CW_PIN_DIGITS, 4, 8, 3, 0 },
			.issuer_set = true,
			.grouping = rows[i].grouping };

		print_message("row %zu\n", i);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_test_must_run(&w->issuer, cw_test_policy_command(&p));
		for (uint32_t j = 0; j < 3; j++) {
			struct cw_create_key key = { .id = j + 1,
				.type = CW_KEY_P256,
				.usage = rows[i].usage[j],
				.pin_policy = 20 };
			struct cw_command c;

			if (rows[i].pin[j] != NULL)
				key.pin = cw_bytes_str(rows[i].pin[j]);
			c = cw_test_key_command(&key);
			assert_err(cw_test_run(&w->issuer, &c),
			    j == 2 ? rows[i].want : CW_OK);
		}
	}
}

static void
a_shared_value_is_not_given_twice(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = cw_play_key;

	key.pin = cw_bytes_str(CW_PLAY_PIN);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_puk_command(&cw_play_puk));
	cw_test_must_run(&w->issuer, cw_test_policy_command(&cw_play_policy));
	cw_test_ends_with(w, cw_test_key_command(&key), CW_ERR_BAD_POLICY);
}

static void
a_value_without_a_policy_is_refused(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = cw_test_key_9a;

	key.pin = cw_bytes_str("471100");
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_ends_with(w, cw_test_key_command(&key), CW_ERR_BAD_POLICY);
}

/* Nor does the issuer choose where the holder does, who is not even asked. */
static void
a_value_under_the_holders_policy_is_refused(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_create_key key = { .id = 1,
		.type = CW_KEY_P256,
		.usage = SIGN,
		.pin_policy = cw_test_policy.id,
		.pin = cw_bytes_str("7314") };

	w->issuer.pin = NULL;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&cw_test_policy));
	cw_test_ends_with(w, cw_test_key_command(&key), CW_ERR_BAD_POLICY);
}

/* For the session that the issuer has open. */
static unsigned
set_pin(struct cw_test_world *w, struct cw_set_pin *set)
{
	memcpy(set->session_id, w->issuer.request.session_id,
	    sizeof(set->session_id));
	cw_buf_reset(&w->out);
	cw_set_pin_encode(set, &w->out);
	return cw_test_send(&w->issuer.wire, 0x8018, 0, cw_buf_bytes(&w->out),
	    NULL);
}

/* Two groups: two questions, with the usage that each is for. */
static void
the_holder_is_asked_once_for_each_group(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	const struct cw_create_pin_policy p = { .id = 20,
		.rule = { CW_PIN_DIGITS, 4, 8, 5, 0 },
		.grouping = CW_PIN_SIGNATURE };
	struct cw_create_key key = { .id = 1,
		.type = CW_KEY_P256,
		.usage = SIGN,
		.pin_policy = 20 };
	struct cw_command c = cw_test_key_command(&key);
	struct cw_set_pin set = { .policy = 20, .group = 2 };
	struct cw_pin_info info;

	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	cw_test_must_run(issuer, cw_test_policy_command(&p));
	issuer->pin = "7314";
	cw_test_must_run(issuer, c);
	key.id = 2;
	key.usage = BOTH;
	c = cw_test_key_command(&key);
	issuer->pin = NULL;
	assert_err(cw_test_run(issuer, &c), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6A88);
	assert_sw(cw_test_send(&issuer->wire, 0x8016, 0, CW_BYTES_NONE,
		      &w->out),
	    0x9000);
	assert_err(cw_pin_info_decode(cw_buf_bytes(&w->out), &info), CW_OK);
	assert_int_equal(info.policy, 20);
	assert_int_equal(info.group, 2);
	assert_int_equal(info.usage, BOTH);
	assert_int_equal(info.tries_left, 5);
	assert_false(info.is_set);
	/* The other group's value is refused, and may be given again. */
	issuer->pin = "7314";
	assert_err(cw_test_issuer_set_pin(issuer), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6A80);
	issuer->pin = "2718";
	assert_err(cw_test_issuer_set_pin(issuer), CW_OK);
	/* The answer was lost: given again. One that is refused leaves the one
	 * that was not. */
	set.pin = cw_bytes_str("2718");
	assert_sw(set_pin(w, &set), 0x9000);
	set.pin = cw_bytes_str("7314");
	assert_sw(set_pin(w, &set), 0x6A80);
	assert_err(cw_test_issuer_send(issuer, cw_buf_bytes(&issuer->command)),
	    CW_OK);
	/* A key depends on it now. */
	set.pin = cw_bytes_str("3141");
	assert_sw(set_pin(w, &set), 0x6985);
}

static void
set_pin_is_for_groups_that_a_key_can_have(void **state)
{
	static const struct {
		enum cw_pin_grouping grouping;
		uint32_t group;
		unsigned sw;
	} rows[] = {
		{ CW_PIN_SHARED, 0, 0x9000 },
		{ CW_PIN_SHARED, 1, 0x6A80 },
		{ CW_PIN_EACH, 0, 0x6A80 },
		{ CW_PIN_EACH, 7, 0x9000 },
		{ CW_PIN_SIGNATURE, 1, 0x9000 },
		{ CW_PIN_SIGNATURE, 2, 0x9000 },
		{ CW_PIN_SIGNATURE, 3, 0x6A80 },
		{ CW_PIN_UNIQUE, 127, 0x9000 },
		{ CW_PIN_UNIQUE, 128, 0x6A80 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		const struct cw_create_pin_policy p = { .id = 20,
			.rule = { CW_PIN_DIGITS, 4, 8, 5, 0 },
			.grouping = rows[i].grouping };
		struct cw_set_pin set = { .policy = 20,
			.pin = cw_bytes_str("7314"),
			.group = rows[i].group };

		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_test_must_run(&w->issuer, cw_test_policy_command(&p));
		memcpy(set.session_id, w->issuer.request.session_id,
		    sizeof(set.session_id));
		cw_buf_reset(&w->out);
		cw_set_pin_encode(&set, &w->out);
		assert_sw(cw_test_send(&w->card.wire, 0x8018, 0,
			      cw_buf_bytes(&w->out), NULL),
		    rows[i].sw);
	}
}

static void
an_earlier_policy_takes_keys_of_its_groups_only(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = cw_play_key;
	struct cw_create_pin_policy p = { .id = 22,
		.rule = { CW_PIN_DIGITS, 4, 8, 3, 0 },
		.issuer_set = true,
		.grouping = CW_PIN_UNIQUE };

	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	key.id = 2;
	cw_play_make(&w->issuer, &key); /* shares key 1's PIN */
	cw_test_must_run(&w->issuer, cw_test_policy_command(&p));
	key = (struct cw_create_key){ .id = 3,
		.type = CW_KEY_P256,
		.usage = SIGN,
		.pin_policy = 22,
		.pin = cw_bytes_str("7314") };
	cw_play_make(&w->issuer, &key);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	/* The group is there; another one is not, and cannot be made. */
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	key.id = 4;
	key.pin = CW_BYTES_NONE;
	cw_test_must_run(&w->issuer, cw_test_key_command(&key));
	key.id = 5;
	key.usage = AGREE;
	key.pin = cw_bytes_str("2718");
	cw_test_must_run(&w->issuer, (struct cw_command){ .no = CW_LIST });
	{
		struct cw_command c = cw_test_key_command(&key);

		assert_err(cw_test_run(&w->issuer, &c), CW_ERR_BAD_POLICY);
	}
}

/* ---- LIST ---- */

static void
a_list_tells_the_tries_left(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_listed_key *k;

	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_sw(cw_test_verify(&w->card.wire, "404040"), 0x63C2);
	k = cw_play_listed(&w->issuer, CW_PLAY_KEY_ID);
	assert_non_null(k);
	assert_true(k->has_pin && k->has_puk);
	assert_int_equal(k->pin_tries, 3);
	assert_int_equal(k->puk_tries, 3);
	assert_int_equal(k->attributes.pin_policy, CW_PLAY_POLICY_ID);
	k = cw_play_listed(&w->issuer, 0x9A);
	assert_non_null(k);
	assert_int_equal(k->pin_tries, 2);
	assert_int_equal(k->puk_tries, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(each_policy_is_held_to_its_limits),
		world_test(a_holder_is_not_asked_for_bytes),
		world_test(a_value_stands_exactly_where_it_belongs),
		world_test(a_pin_policy_names_a_puk_that_is_there),
		world_test(what_nobody_uses_cannot_be_closed),
		world_test(policies_and_puks_have_a_limit_of_32),
		world_test(the_result_names_each_policy),
		world_test(each_group_has_one_value),
		world_test(a_shared_value_is_not_given_twice),
		world_test(a_value_without_a_policy_is_refused),
		world_test(a_value_under_the_holders_policy_is_refused),
		world_test(the_holder_is_asked_once_for_each_group),
		world_test(set_pin_is_for_groups_that_a_key_can_have),
		world_test(an_earlier_policy_takes_keys_of_its_groups_only),
		world_test(a_list_tells_the_tries_left),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
