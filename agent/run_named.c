/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Intent names, against what the card shows of itself: the certificates
 * of its PIV slots. Nobody should be led through a session, and lose a try of the
 * invitation, that can end in nothing but NOTHING_THERE.
 */
#include "agent/run_internal.h"

#include <stdlib.h>

/* A key outside the slots shows itself to nobody without a PIN. And that a key is
 * not there any more is what the issuer learns from a deletion. */
static bool
is_for_the_issuer(const struct cw_intent *intent)
{
	if (intent->action == CW_ACTION_MANAGE)
		return true;
	for (size_t i = 0; i < intent->n_objects; i++)
		if (intent->objects[i].slot == 0)
			return true;
	return intent->n_objects == 0;
}

/* In the slot that the Intent says, byte for byte. One that cannot be read may be
 * anything. */
static bool
is_named(const struct cw_intent *intent, const struct cw_public_slot *slot,
    struct cw_bytes certificate)
{
	uint8_t hash[CW_HASH_BYTES];

	cw_hash(certificate, hash);
	for (size_t i = 0; i < intent->n_objects; i++) {
		const struct cw_intent_object *o = &intent->objects[i];

		if (o->slot == slot->slot &&
		    (certificate.len == 0 ||
			memcmp(o->leaf_hash, hash, sizeof(hash)) == 0))
			return true;
	}
	return false;
}

static bool
has_named(const struct cw_intent *intent, const struct cw_run_view *view)
{
	for (size_t i = 0; i < view->n; i++)
		if (is_named(intent, &view->slots[i],
			cw_buf_bytes(&view->certificates[i])))
			return true;
	return false;
}

enum cw_err
cw_run_check_named(struct cw_run *run)
{
	struct cw_run_view *view;
	enum cw_err err;

	if (is_for_the_issuer(&run->intent))
		return CW_OK;
	view = calloc(1, sizeof(*view));
	if (view == NULL)
		return CW_ERR_NO_MEMORY;
	err = cw_icc_begin(&run->card);
	if (err == CW_OK) {
		err = cw_run_view_take(&run->card, view);
		cw_icc_end(&run->card);
	}
	if (err == CW_OK && !has_named(&run->intent, view))
		err = CW_ERR_NOTHING_THERE;
	cw_run_view_wipe(view);
	free(view);
	return err;
}
