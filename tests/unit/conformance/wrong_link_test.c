/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards that are wrong in one thing each, about sessions and what is told of
 * them, the holder's PIN, and status words; and the check of the conformance
 * kit that finds it (tests/support/wrong_card.h).
 * TIMEOUT: 180
 */
#include <stdlib.h>

#include "card/command.h"
#include "proto/base/secret.h"
#include "proto/card_link.h"
#include "tests/support/check.h"
#include "tests/support/wrong_card.h"

#define has cw_wrong_has
#define ins cw_wrong_ins

static struct cw_card_pin kept; /* the holder's, before the APDU */

OTHERWISE(void, cw_card_caps_encode, const struct cw_card_caps *caps,
    struct cw_buf *out)
{
	struct cw_card_caps other = *caps;

	if (has("caps-without-esp256"))
		other.algs[0] = CW_ALG_ESP384;
	__real_cw_card_caps_encode(&other, out);
}

OTHERWISE(enum cw_err, cw_command_decode, struct cw_bytes in,
    struct cw_command *out)
{
	/* A negative key as the first of the arguments. */
	if (has("extensions-refused") && in.len > 4 && in.ptr[3] > 0xa0 &&
	    in.ptr[4] >> 5 == 1)
		return CW_ERR_UNKNOWN_FIELD;
	return __real_cw_command_decode(in, out);
}

OTHERWISE(struct cw_card_key *, cw_card_find_key,
    const struct cw_card_objects *objects,
    const struct cw_card_session *session, uint32_t id)
{
	struct cw_card_key *key = __real_cw_card_find_key(objects, session, id);
	const struct cw_card_session *s = cw_wrong_card->state->sessions;

	if (key == NULL && has("first-key-instead"))
		return objects->keys;
	for (; key == NULL && s != NULL && has("keys-of-all"); s = s->next)
		key = s->objects.keys;
	return key;
}

OTHERWISE(enum cw_err, cw_card_do_close, struct cw_card_job *job,
    const struct cw_command *command)
{
	return has("close-wants-scope") &&
		!cw_scope_has_command(&job->session->scope, CW_CLOSE) ?
	    CW_ERR_OUTSIDE_SCOPE :
	    __real_cw_card_do_close(job, command);
}

OTHERWISE(void, cw_card_session_drop, struct cw_card *c,
    struct cw_card_session *session)
{
	if (ins != CW_INS_ABORT || !has("abort-forgets-nothing"))
		__real_cw_card_session_drop(c, session);
}

OTHERWISE(void, cw_status_encode, const struct cw_status *status,
    struct cw_buf *out)
{
	struct cw_status other = *status;

	other.answered += has("status-miscounts");
	__real_cw_status_encode(&other, out);
}

OTHERWISE(enum cw_err, cw_card_commit, struct cw_card *c,
    enum cw_card_room room)
{
	if (has("reset-in-ram") && ins == CW_INS_RESET_CARD)
		return CW_OK;
	if (has("tries-not-restored") && ins == CW_INS_VERIFY &&
	    c->state->pin.tries > kept.tries)
		c->state->pin.tries = kept.tries;
	return __real_cw_card_commit(c, room);
}

OTHERWISE(void, cw_pin_info_encode, const struct cw_pin_info *info,
    struct cw_buf *out)
{
	struct cw_pin_info other = *info;

	if (has("pin-info-of-nobody"))
		other.is_set = !other.is_set;
	if (has("pin-info-other-rule"))
		other.rule.min = 4;
	__real_cw_pin_info_encode(&other, out);
}

/* ---- before and after an APDU ---- */

static void
before(void)
{
	struct cw_card_state *state = cw_wrong_card->state;
	struct cw_card_session *s = state->sessions;

	kept = state->pin;
	if (has("pin-set-again") && ins == CW_INS_SET_PIN)
		cw_wipe(&state->pin, sizeof(state->pin));
	for (; has("status-of-what-ended") && ins == CW_INS_STATUS && s != NULL;
	     s = s->next)
		if (s->state == CW_SESSION_OPEN)
			s->state = CW_SESSION_ERROR;
	s = state->sessions;
	if (has("holders-puk-without-end"))
		state->puk.tries = 3;
	for (; s != NULL && has("one-failure-kills"); s = s->next)
		s->failures = CW_CARD_FAILURES_MAX - 1;
}

static void
after(struct cw_buf *response)
{
	struct cw_card_state *state = cw_wrong_card->state;
	bool done =
	    response->len >= 2 && response->ptr[response->len - 2] == 0x90;

	if (has("says-done") && response->len == 2)
		memcpy(response->ptr, "\x90", 2);
	if (done && has("puk-changes-nothing") && ins == CW_INS_RESET_RETRY)
		state->pin = kept;
}

static const struct cw_wrong_card cards[] = {
#define WRONG_CARD(flaw, check) { flaw, check },
#include "tests/unit/conformance/wrong_link.def"
#undef WRONG_CARD
};

int
main(void)
{
	static const struct cw_wrong_hooks hooks = { before, after };

	return cw_wrong_cards_main(cards, COUNT(cards), &hooks);
}
