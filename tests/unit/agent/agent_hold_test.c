/* SPDX-License-Identifier: Apache-2.0 */
/* The holder at the card: what each operation asks for, and every refusal. */
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "tests/support/hold_world.h"

#define PIN CW_PLAY_PIN
#define PUK CW_PLAY_PUK

/* ---- stories ---- */

static enum cw_err
mac(struct cw_hold *hold, struct cw_buf *out)
{
	return cw_hold_use(hold, CW_OP_MAC, 0, cw_bytes_str("text"), out);
}

static enum cw_err
decrypt(struct cw_hold *hold, struct cw_buf *out)
{
	return cw_hold_use(hold, CW_OP_DECRYPT, 0,
	    cw_bytes_str("not what this key has encrypted"), out);
}

static enum cw_err
too_much(struct cw_hold *hold, struct cw_buf *out)
{
	static const uint8_t much[CW_USE_MAX + 1];

	return cw_hold_use(hold, CW_OP_MAC, 0, CW_BYTES_ARRAY(much), out);
}

static enum cw_err delete (struct cw_hold *hold, struct cw_buf *out) {
	(void)out; return cw_hold_delete(hold);
}

static enum cw_err
change_key(struct cw_hold *hold, struct cw_buf *out)
{
	(void)out;
	return cw_hold_change_key_pin(hold);
}

static enum cw_err
unblock_key(struct cw_hold *hold, struct cw_buf *out)
{
	(void)out;
	return cw_hold_unblock_key(hold, false);
}

static enum cw_err
keep_key(struct cw_hold *hold, struct cw_buf *out)
{
	(void)out;
	return cw_hold_unblock_key(hold, true);
}

static enum cw_err
change_pin(struct cw_hold *hold, struct cw_buf *out)
{
	(void)out;
	return cw_hold_change(hold, CW_ICC_PIN);
}

static enum cw_err
change_puk(struct cw_hold *hold, struct cw_buf *out)
{
	(void)out;
	return cw_hold_change(hold, CW_ICC_PUK);
}

static enum cw_err
unblock(struct cw_hold *hold, struct cw_buf *out)
{
	(void)out;
	return cw_hold_unblock(hold);
}

static enum cw_err
reset(struct cw_hold *hold, struct cw_buf *out)
{
	(void)out;
	return cw_hold_reset(hold);
}

static const struct story {
	const char *name;
	bool slot;         /* with a key in 9A, and so a PIN of the card */
	bool once;         /* whoever is asked cannot be asked again */
	const char *which; /* key, or NULL */
	enum cw_err (*run)(struct cw_hold *hold, struct cw_buf *out);
	const char *answers[CW_HOLD_ANSWERS];
	enum cw_err want;
	int tries;
	size_t asked;
} stories[] = {
	{ "a key with a PIN", false, false, "Key 1", cw_hold_world_sign,
	    { PIN }, CW_OK, -1, 1 },
	{ "a key without", false, false, "Secret", mac, { NULL }, CW_OK, -1,
	    0 },
	{ "a key by its number", false, false, "1", cw_hold_world_sign, { PIN },
	    CW_OK, -1, 1 },
	{ "two keys of one name", false, false, "twin", mac, { NULL },
	    CW_ERR_KEY_NAME_TWICE, -1, 0 },
	{ "no such name", false, false, "Key", cw_hold_world_sign, { PIN },
	    CW_ERR_NO_SUCH_KEY, -1, 0 },
	{ "no such number", false, false, "99", cw_hold_world_sign, { PIN },
	    CW_ERR_NO_SUCH_KEY, -1, 0 },
	{ "a number that none can have", false, false, "4294967297",
	    cw_hold_world_sign, { PIN }, CW_ERR_NO_SUCH_KEY, -1, 0 },
	{ "wrong, then right", false, false, "Key 1", cw_hold_world_sign,
	    { "1111", PIN }, CW_OK, 2, 2 },
	{ "too short: costs no try", false, false, "Key 1", cw_hold_world_sign,
	    { "11", PIN }, CW_OK, -1, 2 },
	{ "wrong, from a script", false, true, "Key 1", cw_hold_world_sign,
	    { "1111", PIN }, CW_ERR_PIN_WRONG, 2, 1 },
	{ "wrong until it is blocked", false, false, "Key 1",
	    cw_hold_world_sign, { "1111", "2222", "3333", PIN },
	    CW_ERR_PIN_BLOCKED, 0, 3 },
	{ "the person refuses", false, false, "Key 1", cw_hold_world_sign,
	    { NULL }, CW_ERR_REFUSED, -1, 0 },
	{ "a key for something else", false, false, "Secret",
	    cw_hold_world_sign, { PIN }, CW_ERR_WRONG_USE, -1, 0 },
	{ "nothing that it has encrypted", false, false, "1", decrypt, { PIN },
	    CW_ERR_WRONG_USE, -1, 0 },
	{ "more than fits", false, false, "Secret", too_much, { NULL },
	    CW_ERR_TOO_LARGE, -1, 0 },
	{ "a copy with the PIN", false, false, "free", cw_hold_export, { PIN },
	    CW_OK, -1, 1 },
	{ "a copy of what cannot leave", false, false, "Key 1", cw_hold_export,
	    { PIN }, CW_ERR_NOT_EXPORTABLE, -1, 0 },
	{ "deletion by the PUK", false, false, "free", delete, { PUK }, CW_OK,
	    -1, 1 },
	{ "deletion by a wrong PUK", false, true, "free", delete,
	    { "11112222" }, CW_ERR_PUK_WRONG, 2, 1 },
	{ "deletion without a PIN", false, false, "Secret", delete, { NULL },
	    CW_OK, -1, 0 },
	{ "deletion of what is the issuer's", false, false, "kept", delete,
	    { NULL }, CW_ERR_ISSUER_DELETES, -1, 0 },
	{ "another PIN for a key", false, false, "Key 1", change_key,
	    { PIN, "8642" }, CW_OK, -1, 2 },
	{ "one that is too long", false, true, "Key 1", change_key,
	    { PIN, "864286428" }, CW_ERR_PIN_LENGTH, -1, 2 },
	{ "one of letters", false, true, "Key 1", change_key, { PIN, "abcd" },
	    CW_ERR_PIN_FORMAT, -1, 2 },
	{ "the old one wrong first", false, false, "Key 1", change_key,
	    { "1111", "8642", PIN }, CW_OK, 2, 3 },
	{ "a PIN that stays", false, false, "fixed", change_key,
	    { PIN, "8642" }, CW_ERR_PIN_FIXED, -1, 0 },
	{ "no PIN to change", false, false, "Secret", change_key, { PIN },
	    CW_ERR_NO_SUCH_PIN, -1, 0 },
	{ "unblocking with a new PIN", false, false, "Key 1", unblock_key,
	    { PUK, "8642" }, CW_OK, -1, 2 },
	{ "unblocking, the PIN kept", false, false, "Key 1", keep_key, { PUK },
	    CW_OK, -1, 1 },
	{ "unblocking a PIN that stays", false, false, "fixed", unblock_key,
	    { PUK }, CW_OK, -1, 1 },
	{ "unblocking without a PUK", false, false, "Secret", unblock_key,
	    { PUK }, CW_ERR_NO_SUCH_PIN, -1, 0 },
	{ "a PUK that gets blocked", false, false, "Key 1", keep_key,
	    { "11112222", "11112222", "11112222" }, CW_ERR_KEY_PUK_BLOCKED, 0,
	    3 },
	{ "no PIN on the card", false, false, NULL, change_pin, { "831942" },
	    CW_ERR_NO_SUCH_PIN, -1, 0 },
	{ "no PUK on the card", false, false, NULL, unblock, { "831942" },
	    CW_ERR_NO_SUCH_PIN, -1, 0 },
	{ "a statement without one", false, false, "Key 1",
	    cw_hold_world_attest, { "831942" }, CW_ERR_NO_SUCH_PIN, -1, 0 },
	{ "a card without a PIN is reset", false, false, NULL, reset, { NULL },
	    CW_OK, -1, 0 },

	{ "the card's PIN, then the key's", true, false, "Key 1",
	    cw_hold_world_sign, { CW_TEST_PIN, PIN }, CW_OK, -1, 2 },
	{ "the card's PIN wrong", true, true, "Key 1", cw_hold_world_sign,
	    { "271828", PIN }, CW_ERR_PIN_WRONG, 2, 1 },
	{ "the card's PIN wrong, then right", true, false, "Secret", mac,
	    { "271828", CW_TEST_PIN }, CW_OK, 2, 2 },
	{ "the card's PIN is asked for once", true, false, "Secret", delete,
	    { CW_TEST_PIN }, CW_OK, -1, 1 },
	{ "the card's PIN blocked", true, false, "Secret", mac,
	    { "271828", "271828", "271828" }, CW_ERR_PIN_BLOCKED, 0, 3 },
	{ "a key in a slot", true, false, "8", cw_hold_world_sign,
	    { CW_TEST_PIN }, CW_ERR_WRONG_USE, -1, 1 },
	{ "a statement", true, false, "Key 1", cw_hold_world_attest,
	    { CW_TEST_PIN }, CW_OK, -1, 1 },
	{ "a statement about a secret", true, false, "Secret",
	    cw_hold_world_attest, { CW_TEST_PIN }, CW_ERR_WRONG_USE, -1, 1 },
	{ "another PIN for the card", true, false, NULL, change_pin,
	    { CW_TEST_PIN, "602214" }, CW_OK, -1, 2 },
	{ "one that is easy", true, true, NULL, change_pin,
	    { CW_TEST_PIN, "123456" }, CW_ERR_PIN_WEAK, -1, 2 },
	{ "one that is easy, then a good one", true, false, NULL, change_pin,
	    { CW_TEST_PIN, "123456", "602214" }, CW_OK, -1, 3 },
	{ "another PUK", true, false, NULL, change_puk,
	    { CW_TEST_PUK, "66260701" }, CW_OK, -1, 2 },
	{ "another PUK for a wrong one", true, true, NULL, change_puk,
	    { "11112222", "66260701" }, CW_ERR_PUK_WRONG, 2, 2 },
	{ "the PUK unblocks", true, false, NULL, unblock,
	    { CW_TEST_PUK, "602214" }, CW_OK, -1, 2 },
	{ "a PUK wrong until it is blocked", true, false, NULL, unblock,
	    { "11112222", "602214", "11112222", "11112222" },
	    CW_ERR_PUK_BLOCKED, 0, 4 },
	{ "a card with a PIN is reset with it", true, false, NULL, reset,
	    { CW_TEST_PIN }, CW_OK, -1, 1 },
	{ "and not without", true, true, NULL, reset, { "271828" },
	    CW_ERR_PIN_WRONG, 2, 1 },
};

static enum cw_err
tell(struct cw_hold_world *f, const struct story *s)
{
	enum cw_err err;

	f->person.base.can_repeat = !s->once;
	err = cw_hold_open(&f->hold);
	if (err == CW_OK && s->which != NULL)
		err = cw_hold_find(&f->hold, s->which);
	return err == CW_OK ? s->run(&f->hold, &f->out) : err;
}

static void
each_operation_asks_for_what_it_needs_and_refuses_the_rest(void **state)
{
	struct cw_hold_world f;

	for (size_t i = 0; i < COUNT(stories); i++) {
		const struct story *s = &stories[i];
		enum cw_err err;

		cw_hold_world_card(cw_test_world_renew(state), s->slot);
		cw_hold_world_begin(&f, state, s->answers);
		err = tell(&f, s);
		if (err != s->want || f.hold.tries_left != s->tries ||
		    f.person.n != s->asked)
			fail_msg("%s: %s, %d tries, asked %zu times", s->name,
			    cw_err_name(err), f.hold.tries_left, f.person.n);
		assert_row(s->name, err == CW_OK || f.out.len == 0);
		assert_row(s->name, !f.reader.is_begun);
		cw_hold_world_end(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(
		    each_operation_asks_for_what_it_needs_and_refuses_the_rest),
	};

	if (!cw_secret_process_init())
		return 1;
	cw_log_set_level(CW_LOG_ERROR);
	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
