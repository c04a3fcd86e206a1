/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PIN INFO and SET PIN: how a PIN that a command needs comes from the person
 * to the card without the issuer (docs/protocol.md "PIN needed").
 */
#include "card/command.h"

/* The policy that a command waits for, if its session is still open. */
static const struct cw_card_policy *
needed(const struct cw_card *card)
{
	const struct cw_card_ram *ram = &card->ram;
	const struct cw_card_session *session;

	if (!ram->pin_needed || ram->needed_policy == 0)
		return NULL;
	session =
	    cw_card_session_find(card, CW_BYTES_ARRAY(ram->needed_session));
	if (session == NULL || session->state != CW_SESSION_OPEN)
		return NULL;
	return cw_card_find_policy(&session->objects, session,
	    ram->needed_policy);
}

uint16_t
cw_card_get_pin_info(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	const struct cw_card_state *state = card->state;
	const struct cw_card_policy *policy = needed(card);
	struct cw_pin_info info = {
		.rule = cw_pin_rule_piv,
		.is_set = cw_card_pin_is_set(&state->pin),
		.tries_left = state->pin.tries,
		.puk_rule = cw_pin_rule_piv,
		.puk_tries_left = state->puk.tries,
	};

	if (apdu->data.len != 0)
		return CW_SW_WRONG_LENGTH;
	if (!info.is_set) {
		info.tries_left = cw_pin_rule_piv.tries;
		info.puk_tries_left = cw_pin_rule_piv.tries;
	}
	if (policy != NULL) {
		info.policy = policy->id;
		info.rule = policy->rule;
		info.group = card->ram.needed_group;
		info.usage = card->ram.needed_usage;
		info.is_set = cw_card_find_group(policy, info.group) != NULL;
		info.tries_left = policy->rule.tries;
	}
	cw_pin_info_encode(&info, out);
	return CW_SW_OK;
}

static bool
in_use(const struct cw_card_session *session, const struct cw_set_pin *set)
{
	const struct cw_card_key *key;

	for (key = session->objects.keys; key != NULL; key = key->next)
		if (set->policy == 0 ?
			key->attributes.slot != 0 :
			key->attributes.pin_policy == set->policy &&
			    key->group == set->group)
			return true;
	return false;
}

static enum cw_err
set_holder(struct cw_card *card, struct cw_card_session *session,
    const struct cw_set_pin *set)
{
	enum cw_err err = cw_pin_check(&cw_pin_rule_piv, set->pin);

	if (cw_card_pin_is_set(&card->state->pin) ||
	    session->scope.n_slots == 0)
		return CW_ERR_NO_SESSION;
	if (err == CW_OK)
		err = cw_pin_check(&cw_pin_rule_piv, set->puk);
	if (err != CW_OK)
		return err;
	cw_card_pin_set(&session->pin, set->pin, cw_pin_rule_piv.tries);
	cw_card_pin_set(&session->puk, set->puk, cw_pin_rule_piv.tries);
	return CW_OK;
}

/* Only groups that keys of this policy can have. */
static bool
is_group(const struct cw_card_policy *policy, uint32_t number)
{
	switch (policy->grouping) {
	case CW_PIN_EACH:
		return number > 0;
	case CW_PIN_SIGNATURE:
		return number == 1 || number == 2;
	case CW_PIN_UNIQUE:
		return number > 0 && number <= 127;
	case CW_PIN_SHARED:
		break;
	}
	return number == 0;
}

static enum cw_err
set_policy(struct cw_card_session *session, const struct cw_set_pin *set)
{
	struct cw_card_policy *policy =
	    cw_card_find_policy(&session->objects, session, set->policy);

	if (policy == NULL || policy->issuer_set)
		return CW_ERR_NO_SESSION;
	if (!is_group(policy, set->group))
		return CW_ERR_OUT_OF_RANGE;
	return cw_card_set_group(policy, set->group, set->pin);
}

/*
 * The value is durable, as the session is. It may be given again until a key
 * depends on it, so that a lost answer loses nothing.
 */
uint16_t
cw_card_put_pin(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_card_session *session;
	struct cw_set_pin set;
	enum cw_err err = cw_set_pin_decode(apdu->data, &set);

	(void)out;
	if (err != CW_OK)
		return CW_SW_BAD_DATA;
	session = cw_card_session_find(card, CW_BYTES_ARRAY(set.session_id));
	if (session == NULL || session->state != CW_SESSION_OPEN ||
	    in_use(session, &set))
		return CW_SW_NO_SESSION;
	err = set.policy == 0 ? set_holder(card, session, &set) :
				set_policy(session, &set);
	if (err == CW_OK)
		err = cw_card_commit(card, CW_CARD_KEEP_RESERVE);
	if (err == CW_OK)
		card->ram.pin_needed = false;
	return cw_card_sw(err);
}
