/* SPDX-License-Identifier: Apache-2.0 */
/* A holder with a card. */
#include "tests/support/hold_world.h"

static enum cw_err
ask(struct cw_pin_entry *entry, const struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	struct cw_hold_person *p = (struct cw_hold_person *)entry;
	const char *answer = p->answers[p->n];

	/* Nobody has to wait while a person thinks. */
	assert_false(p->reader->is_begun);
	assert_string_equal(prompt->reader, CW_LOCAL_NAME);
	if (answer == NULL)
		return CW_ERR_REFUSED;
	p->prompts[p->n++] = *prompt;
	out->len = strlen(answer);
	memcpy(out->bytes, answer, out->len);
	return CW_OK;
}

void
cw_hold_world_begin(struct cw_hold_world *f, void **state,
    const char *const *answers)
{
	memset(f, 0, sizeof(*f));
	f->w = *state;
	cw_local_reader_init(&f->reader, &f->w->card);
	f->person = (struct cw_hold_person){
		.base = { .ask = ask, .can_repeat = true, .name = "test" },
		.answers = answers,
		.reader = &f->reader,
	};
	f->hold = (struct cw_hold){ .reader = &f->reader.base,
		.pin_entry = &f->person.base };
	cw_buf_init(&f->out, CW_RESPONSE_MAX);
}

void
cw_hold_world_end(struct cw_hold_world *f)
{
	cw_hold_close(&f->hold);
	cw_buf_wipe(&f->out);
}

void
cw_hold_world_card(struct cw_test_world *w, bool with_slot)
{
	struct cw_create_pin_policy fixed = cw_play_policy;
	struct cw_create_key key = cw_play_key;
	struct cw_create_key secret = cw_play_secret;

	fixed.id = 21;
	fixed.modifiable = false;
	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&fixed));
	key.id = 2;
	key.name = cw_bytes_str("fixed");
	key.pin_policy = 21;
	cw_play_make(&w->issuer, &key);
	key.id = 3;
	key.name = cw_bytes_str("free");
	key.pin_policy = CW_PLAY_POLICY_ID;
	key.exportable = true;
	key.export_guard = CW_GUARD_PIN;
	key.delete_guard = CW_GUARD_PUK;
	cw_play_make(&w->issuer, &key);
	cw_test_must_run(&w->issuer, cw_play_import(&secret));
	secret.id = 5;
	secret.name = cw_bytes_str("kept");
	secret.delete_guard = CW_GUARD_NEVER;
	cw_test_must_run(&w->issuer, cw_play_import(&secret));
	secret.id = 6;
	secret.name = cw_bytes_str("twin");
	secret.usage = CW_USAGE_ENCRYPT;
	cw_test_must_run(&w->issuer, cw_play_import(&secret));
	secret.id = 7;
	cw_test_must_run(&w->issuer, cw_play_import(&secret));
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	if (with_slot)
		assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A),
		    CW_OK);
}

enum cw_err
cw_hold_world_sign(struct cw_hold *hold, struct cw_buf *out)
{
	return cw_hold_use(hold, CW_OP_SIGN, 0, cw_bytes_str("text"), out);
}

enum cw_err
cw_hold_world_attest(struct cw_hold *hold, struct cw_buf *out)
{
	return cw_hold_attest(hold, cw_bytes_str("challenge"),
	    cw_bytes_str("CN=Erika"), false, out);
}
