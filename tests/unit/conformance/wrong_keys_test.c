/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards that are wrong in one thing each, about policies, keys outside the PIV
 * slots, management and roll-over; and the check of the conformance kit that
 * finds it (tests/support/wrong_card.h).
 * TIMEOUT: 180
 */
#include <stdio.h>
#include <stdlib.h>

#include "card/command.h"
#include "card/holder.h"
#include "proto/base/secret.h"
#include "proto/endorsement.h"
#include "proto/text.h"
#include "tests/support/check.h"
#include "tests/support/wrong_card.h"

#define has cw_wrong_has
#define ins cw_wrong_ins

/* ---- policies ---- */

OTHERWISE(enum cw_err, cw_pin_rule_check, const struct cw_pin_rule *rule)
{
	return has("rules-unchecked") ? CW_OK : __real_cw_pin_rule_check(rule);
}

OTHERWISE(enum cw_err, cw_pin_check, const struct cw_pin_rule *rule,
    struct cw_bytes pin)
{
	return has("pin-rule-ignored") ? CW_OK : __real_cw_pin_check(rule, pin);
}

OTHERWISE(bool, cw_pin_groups_differ, enum cw_pin_grouping grouping)
{
	return !has("groups-equal") && __real_cw_pin_groups_differ(grouping);
}

OTHERWISE(struct cw_card_puk *, cw_card_find_puk,
    const struct cw_card_objects *objects,
    const struct cw_card_session *session, uint32_t id)
{
	static struct cw_card_puk any;

	return has("puk-unchecked") ?
	    &any :
	    __real_cw_card_find_puk(objects, session, id);
}

OTHERWISE(struct cw_card_puk *, cw_card_puk_of,
    const struct cw_card_objects *objects, const struct cw_card_policy *policy)
{
	static struct cw_card_puk any = { .rule = { CW_PIN_DIGITS, 8, 8, 3,
					      0 } };
	struct cw_card_puk *puk = __real_cw_card_puk_of(objects, policy);

	if (puk != NULL || !has("puk-for-all"))
		return puk;
	cw_card_pin_set(&any.pin, cw_bytes_str("83920174"), 3);
	return &any;
}

OTHERWISE(struct cw_card_policy *, cw_card_find_policy,
    const struct cw_card_objects *objects,
    const struct cw_card_session *session, uint32_t id)
{
	static struct cw_card_policy any;
	struct cw_card_policy *policy =
	    __real_cw_card_find_policy(objects, session, id);

	if (policy == NULL && has("policy-unchecked"))
		return &any;
	/* One of before is as good as one of this session. */
	return policy == NULL && has("earlier-policy-grows") ?
	    __real_cw_card_find_policy(&cw_wrong_card->state->objects, session,
		id) :
	    policy;
}

OTHERWISE(struct cw_card_group *, cw_card_find_group,
    const struct cw_card_policy *policy, uint32_t number)
{
	return ins == CW_INS_COMMAND && has("group-value-again") ?
	    NULL :
	    __real_cw_card_find_group(policy, number);
}

OTHERWISE(void, cw_card_pin_set, struct cw_card_pin *pin, struct cw_bytes value,
    unsigned tries)
{
	__real_cw_card_pin_set(pin, value, has("tries-always-3") ? 3 : tries);
}

OTHERWISE(void, cw_pin_info_encode, const struct cw_pin_info *info,
    struct cw_buf *out)
{
	struct cw_pin_info other = *info;

	if (has("pin-info-without-usage"))
		other.usage = CW_USAGE_DECRYPT;
	__real_cw_pin_info_encode(&other, out);
}

/* ---- keys ---- */

OTHERWISE(enum cw_err, cw_command_decode, struct cw_bytes in,
    struct cw_command *out)
{
	enum cw_err err = __real_cw_command_decode(in, out);
	struct cw_create_pin_policy *policy = &out->u.create_pin_policy;

	if (err == CW_OK && out->no == CW_CREATE_PIN_POLICY &&
	    !policy->issuer_set && has("bytes-of-holder"))
		policy->rule.format = CW_PIN_DIGITS;
	return err;
}

OTHERWISE(bool, cw_text_is_displayable, struct cw_bytes text)
{
	return has("texts-unchecked") || __real_cw_text_is_displayable(text);
}

OTHERWISE(bool, cw_key_alg_fits, int32_t alg, enum cw_key_type type,
    unsigned usage)
{
	return has("algorithms-unchecked") ||
	    __real_cw_key_alg_fits(alg, type, usage);
}

OTHERWISE(enum cw_err, cw_key_alg_check, const struct cw_attributes *a,
    enum cw_key_operation operation, int32_t alg)
{
	return has("algorithms-ignored") ?
	    CW_OK :
	    __real_cw_key_alg_check(a, operation, alg);
}

/* What is wrong in the command is put right without a word. */
OTHERWISE(enum cw_err, cw_card_do_create_key, struct cw_card_job *job,
    const struct cw_command *command)
{
	struct cw_command c = *command;
	struct cw_create_key *k = &c.u.create_key;

	if (has("usage-put-right") && k->type != CW_KEY_SECRET)
		k->usage = cw_test_usage(k->type);
	if (has("slot-put-right") && k->slot != 0) {
		k->pin_policy = 0;
		k->exportable = false;
		k->n_algorithms = 0;
	}
	if (has("guards-put-right"))
		k->export_guard = k->delete_guard = CW_GUARD_NONE;
	if (has("keep-put-right") && k->usage == CW_USAGE_KEEP)
		k->exportable = true;
	if (has("secrets-to-64") && k->secret.len > 64 &&
	    k->type == CW_KEY_SECRET)
		return CW_ERR_OUT_OF_RANGE;
	return __real_cw_card_do_create_key(job, &c);
}

OTHERWISE(enum cw_err, cw_key_import, struct cw_bytes pkcs8,
    struct cw_private_key **out)
{
	enum cw_err err = __real_cw_key_import(pkcs8, out);

	return err == CW_ERR_BAD_PRIVATE_KEY && has("import-any") ?
	    cw_key_generate(CW_KEY_P256, out) :
	    err;
}

OTHERWISE(enum cw_err, cw_key_statement_make, const struct cw_key_statement *s,
    const struct cw_private_key *key, struct cw_buf *out)
{
	struct cw_key_statement t = *s;

	if (has("import-unmarked"))
		t.attributes.origin = CW_ORIGIN_CARD;
	return __real_cw_key_statement_make(&t, key, out);
}

OTHERWISE(enum cw_err, cw_card_do_certificates, struct cw_card_job *job,
    const struct cw_command *command)
{
	const struct cw_reply reply = { .err = CW_OK };
	enum cw_err err = __real_cw_card_do_certificates(job, command);

	if (err != CW_ERR_WRONG_CERTIFICATE || !has("certificates-for-secrets"))
		return err;
	cw_reply_encode(CW_SET_CERTIFICATES, &reply, job->plain);
	return CW_OK;
}

OTHERWISE(enum cw_err, cw_properties_check, struct cw_bytes in)
{
	return has("properties-unchecked") ? CW_OK :
					     __real_cw_properties_check(in);
}

OTHERWISE(enum cw_err, cw_properties_decode, struct cw_bytes in,
    struct cw_properties *out)
{
	enum cw_err err = __real_cw_properties_decode(in, out);

	for (size_t i = 0; i < out->n && has("properties-writable"); i++)
		out->items[i].is_writable = true;
	return err;
}

OTHERWISE(enum cw_err, cw_card_do_extension, struct cw_card_job *job,
    const struct cw_command *command)
{
	static unsigned n;
	struct cw_command c = *command;
	char other[16];

	snprintf(other, sizeof(other), "other %u", n++ % 1000);
	if (has("types-twice"))
		c.u.set_extension.type = cw_bytes_str(other);
	return __real_cw_card_do_extension(job, &c);
}

/* ---- results ---- */

/* Items of this kind are left out, or said to be of another. */
static void
edit_items(struct cw_result_statement *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_items; i++) {
		struct cw_result_item item = s->items[i];

		if ((has("result-without-puk") &&
			item.done == CW_DONE_PUK_POLICY) ||
		    (has("result-without-extension") &&
			item.done == CW_DONE_EXTENSION) ||
		    (has("result-without-management") &&
			(item.done == CW_DONE_DELETED ||
			    item.done == CW_DONE_UPDATED ||
			    item.done == CW_DONE_CLONED ||
			    item.done == CW_DONE_UNLOCKED)))
			continue;
		if (has("import-as-made") && item.done == CW_DONE_IMPORTED)
			item.done = CW_DONE_KEY;
		s->items[n++] = item;
	}
	s->n_items = n;
}

OTHERWISE(enum cw_err, cw_result_statement_make,
    const struct cw_result_statement *s, const struct cw_private_key *key,
    struct cw_buf *out)
{
	struct cw_result_statement *t = malloc(sizeof(*t));
	enum cw_err err;

	if (t == NULL)
		return CW_ERR_NO_MEMORY;
	*t = *s;
	edit_items(t);
	if (has("counter-anew"))
		t->counter = 1;
	err = __real_cw_result_statement_make(t, key, out);
	free(t);
	return err;
}

/* ---- management ---- */

/* What does not fit the target is made to fit. */
static void
make_fit(struct cw_card_job *job, const struct cw_on_key *c)
{
	struct cw_card_key *key =
	    cw_card_find_key(&job->session->objects, job->session, c->id);
	struct cw_card_key *target =
	    cw_card_find_key(&job->card->state->objects, job->session,
		c->target);
	struct cw_card_policy *policy;

	if (key == NULL || target == NULL)
		return;
	if (has("update-of-any")) {
		key->attributes.usage = target->attributes.usage;
		key->attributes.slot = target->attributes.slot;
		key->attributes.pin_policy = 0;
	}
	policy = cw_card_policy_of(&job->card->state->objects, target);
	if (has("clone-of-any") && policy != NULL)
		policy->grouping = CW_PIN_SHARED;
}

OTHERWISE(enum cw_err, cw_card_do_post, struct cw_card_job *job,
    const struct cw_command *command)
{
	enum cw_err err;

	make_fit(job, &command->u.on_key);
	if (has("targets-twice"))
		cw_card_posts_wipe(&job->session->posts);
	err = __real_cw_card_do_post(job, command);
	if (err == CW_OK && has("management-at-once")) {
		cw_card_apply_posts(job->card, job->session);
		cw_card_posts_wipe(&job->session->posts);
	}
	return err;
}

OTHERWISE(enum cw_err, cw_card_check_post, const struct cw_card_job *job,
    enum cw_command_no no, const struct cw_on_key *c)
{
	return has("close-unchecked") ? CW_OK :
					__real_cw_card_check_post(job, no, c);
}

OTHERWISE(void, cw_card_apply_posts, struct cw_card *c,
    struct cw_card_session *session)
{
	struct cw_card_key *key = session->objects.keys;

	if (has("management-never"))
		return;
	__real_cw_card_apply_posts(c, session);
	for (; key != NULL; key = key->next) {
		if (has("update-new-handle"))
			key->handle = 0;
		if (has("inherits-nothing"))
			key->attributes.pin_policy = 0;
	}
}

OTHERWISE(void, cw_card_sweep, struct cw_card_objects *objects)
{
	if (!has("pins-outlive-keys"))
		__real_cw_card_sweep(objects);
}

OTHERWISE(enum cw_err, cw_card_do_close, struct cw_card_job *job,
    const struct cw_command *command)
{
	/* What nobody uses is thrown away without a word. */
	if (has("unused-put-right"))
		__real_cw_card_sweep(&job->session->objects);
	return __real_cw_card_do_close(job, command);
}

OTHERWISE(struct cw_card_key *, cw_card_find_key,
    const struct cw_card_objects *objects,
    const struct cw_card_session *session, uint32_t id)
{
	struct cw_card_key *key = objects->keys;

	if (!has("keys-of-others"))
		return __real_cw_card_find_key(objects, session, id);
	while (key != NULL && key->id != id)
		key = key->next;
	return key;
}

OTHERWISE(bool, cw_scope_has_object, const struct cw_scope *scope, uint32_t id)
{
	return has("scope-objects-ignored") ||
	    __real_cw_scope_has_object(scope, id);
}

OTHERWISE(bool, cw_card_is_mine, const struct cw_card_session *session,
    const uint8_t owner[CW_HASH_BYTES])
{
	return has("owners-ignored") || __real_cw_card_is_mine(session, owner);
}

/* ---- roll-over ---- */

OTHERWISE(enum cw_err, cw_endorsements_verify, const struct cw_request *q,
    struct cw_endorsements *out)
{
	static uint32_t higher;
	enum cw_err err = __real_cw_endorsements_verify(q, out);

	if (err != CW_OK && has("chain-unverified")) {
		out->n = 0;
		return CW_OK;
	}
	if (has("epochs-unchecked"))
		for (size_t i = 0; i < out->n; i++)
			out->chain[i].epoch = 1000 + higher++;
	return err;
}

OTHERWISE(void, cw_card_take_effect, struct cw_card *c,
    struct cw_card_session *session)
{
	if (has("rollover-never"))
		session->n_former = 0;
	__real_cw_card_take_effect(c, session);
}

OTHERWISE(void, cw_card_session_end, struct cw_card *c,
    struct cw_card_session *session, enum cw_session_state state)
{
	if (state == CW_SESSION_ERROR && has("error-rolls-over"))
		cw_card_roll_over(c, session);
	__real_cw_card_session_end(c, session, state);
}

OTHERWISE(void, cw_card_session_drop, struct cw_card *c,
    struct cw_card_session *session)
{
	if (ins != CW_INS_COMMAND || !has("old-sessions-live"))
		__real_cw_card_session_drop(c, session);
}

OTHERWISE(enum cw_err, cw_card_check_rollover, const struct cw_card *c,
    const struct cw_card_session *session)
{
	return has("ids-clash") ? CW_OK :
				  __real_cw_card_check_rollover(c, session);
}

OTHERWISE(const uint8_t *, cw_card_oldest_owner,
    const struct cw_card_session *session)
{
	return has("pseudonym-of-newest") ?
	    session->owner :
	    __real_cw_card_oldest_owner(session);
}

/* ---- before and after an APDU ---- */

static void
before(void)
{
	struct cw_card_state *state = cw_wrong_card->state;
	struct cw_card_session *session = state->sessions;
	struct cw_card_key *key = state->objects.keys;

	if (has("old-key-lives") && ins == CW_INS_OPEN_SESSION)
		state->n_issuers = 0;
	for (; session != NULL && has("mode-3-manages");
	     session = session->next)
		session->mode = CW_MODE_PSEUDONYMOUS;
	for (; key != NULL; key = key->next) {
		if (has("secret-unmarked"))
			key->attributes.origin = CW_ORIGIN_CARD;
		if (has("leaf-twice") && ins == CW_INS_COMMAND &&
		    key->chain.len > 0)
			key->chain.ptr[key->chain.len - 1] ^= 1;
	}
}

static void
after(struct cw_buf *response)
{
	(void)response;
}

static const struct cw_wrong_card cards[] = {
#define WRONG_CARD(flaw, check) { flaw, check },
#include "tests/unit/conformance/wrong_keys.def"
#undef WRONG_CARD
};

int
main(void)
{
	static const struct cw_wrong_hooks hooks = { before, after };

	return cw_wrong_cards_main(cards, COUNT(cards), &hooks);
}
