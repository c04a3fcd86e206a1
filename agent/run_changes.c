/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run changed, by the card's own word: its slots and certificates
 * before and afterwards.
 */
#include "agent/run_internal.h"

void
cw_run_view_wipe(struct cw_run_view *view)
{
	for (size_t i = 0; i < view->n; i++)
		cw_buf_wipe(&view->certificates[i]);
	view->n = 0;
	view->is_taken = false;
}

void
cw_run_changes_wipe(struct cw_run *run)
{
	cw_run_view_wipe(&run->before);
	cw_run_view_wipe(&run->after);
}

enum cw_err
cw_run_view_take(struct cw_icc *card, struct cw_run_view *view)
{
	struct cw_pin_info pin;
	enum cw_err err = cw_icc_list_public(card, view->slots, &view->n);

	if (err == CW_OK)
		err = cw_icc_pin_info(card, &pin);
	if (err == CW_OK) {
		view->has_pin = pin.policy == 0 && pin.is_set;
		view->pin_tries = pin.tries_left;
	}
	for (size_t i = 0; i < view->n; i++)
		cw_buf_init(&view->certificates[i], CW_CERT_MAX_BYTES);
	if (err == CW_OK && view->n > 0)
		err = cw_icc_select_piv(card);
	for (size_t i = 0; i < view->n && err == CW_OK; i++) {
		if (!view->slots[i].has_certificate)
			continue;
		err = cw_icc_piv_certificate(card, view->slots[i].slot,
		    &view->certificates[i]);
		/* What cannot be read is shown without its names. */
		if (err != CW_ERR_CARD_REMOVED)
			err = CW_OK;
	}
	return err;
}

enum cw_err
cw_run_look(struct cw_run *run, struct cw_run_view *view)
{
	enum cw_err err = CW_OK;

	if (!run->env.wants_changes || view->is_taken)
		return CW_OK;
	cw_run_view_wipe(view);
	err = cw_run_view_take(&run->card, view);
	if (err == CW_OK)
		view->is_taken = true;
	else
		cw_run_view_wipe(view);
	return err;
}

static size_t
find(const struct cw_run_view *view, uint8_t slot)
{
	size_t i = 0;

	while (i < view->n && view->slots[i].slot != slot)
		i++;
	return i;
}

static void
put(const struct cw_run_view *view, size_t i, enum cw_change_what what,
    struct cw_change *out)
{
	*out = (struct cw_change){ what, view->slots[i].slot,
		view->slots[i].type, cw_buf_bytes(&view->certificates[i]) };
}

size_t
cw_run_changes(const struct cw_run *run,
    struct cw_change out[CW_RUN_CHANGES_MAX])
{
	const struct cw_run_view *before = &run->before;
	const struct cw_run_view *after = &run->after;
	size_t n = 0;

	if (!before->is_taken || !after->is_taken)
		return 0;
	for (size_t i = 0; i < after->n; i++) {
		size_t was = find(before, after->slots[i].slot);

		if (was == before->n)
			put(after, i, CW_CHANGE_CREATED, &out[n++]);
		else if (before->slots[was].type != after->slots[i].type ||
		    !cw_bytes_equal(cw_buf_bytes(&before->certificates[was]),
			cw_buf_bytes(&after->certificates[i])))
			put(after, i, CW_CHANGE_REPLACED, &out[n++]);
	}
	for (size_t i = 0; i < before->n; i++)
		if (find(after, before->slots[i].slot) == after->n)
			put(before, i, CW_CHANGE_DELETED, &out[n++]);
	if (before->has_pin && after->has_pin &&
	    before->pin_tries < after->pin_tries)
		out[n++] = (struct cw_change){ .what = CW_CHANGE_UNLOCKED };
	return n;
}
