/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that go on, and sessions that end: what the card keeps of this
 * issuer decides (docs/protocol.md "Surviving").
 */
#include "agent/run_internal.h"

/* What a kept session means for this run; *is_own: somebody agreed to it on this
 * computer. */
static enum cw_err
judge(struct cw_run *run, const struct cw_status *status,
    enum cw_run_resume *found, bool *is_own)
{
	struct cw_known_issuer issuer;
	struct cw_bytes origin;
	bool is_known = false;
	enum cw_err err = CW_OK;

	if (!cw_url_origin(status->uri, &origin) ||
	    !cw_bytes_equal(origin, run->env.origin))
		return CW_ERR_BAD_ORIGIN;
	if (run->env.known != NULL)
		err = cw_known_find(run->env.known, run->env.origin, &issuer,
		    &is_known);
	if (err != CW_OK)
		return err;
	is_known = is_known && issuer.state != CW_KNOWN_NO_SESSION &&
	    memcmp(issuer.session_id, status->session_id,
		CW_SESSION_ID_BYTES) == 0;
	*is_own = is_known && issuer.state == CW_KNOWN_BEGUN;
	if (status->state == CW_SESSION_OPEN)
		*found = CW_RESUME_GO_ON;
	else if (is_known && issuer.state == CW_KNOWN_FINISHED)
		*found = CW_RESUME_NONE;
	else if (is_known && status->state == CW_SESSION_CLOSED)
		*found = CW_RESUME_DELIVER;
	else
		*found = CW_RESUME_COURTESY;
	return CW_OK;
}

/* What the card keeps of a session that is over at both ends only takes a
 * place of its list. It may have gone meanwhile, or the card may be out. */
static void
drop(struct cw_run *run)
{
	enum cw_err ignored = cw_icc_abort(&run->card, run->session_id);

	(void)ignored;
}

/* An open session that nobody has agreed to on this computer goes on only if
 * the person says so now, whatever else was agreed to. */
static enum cw_err
ask_to_go_on(struct cw_run *run, const struct cw_status *status,
    enum cw_run_resume *found)
{
	struct cw_consent consent = { .is_resume = true };
	enum cw_err err = cw_run_ask_consent(run, &consent);

	if (err != CW_ERR_NO_SESSION)
		return err;
	*found = CW_RESUME_NONE;
	memcpy(run->session_id, status->session_id, CW_SESSION_ID_BYTES);
	err = cw_icc_begin(&run->card);
	if (err != CW_OK)
		return err;
	err = cw_icc_abort(&run->card, run->session_id);
	cw_icc_end(&run->card);
	return err;
}

enum cw_err
cw_run_take_up(struct cw_run *run, enum cw_run_resume *found,
    struct cw_run_out *out)
{
	bool was_asked = run->is_accepted;
	bool is_own = false;
	struct cw_status status;
	struct cw_buf bytes;
	enum cw_err err;

	cw_run_reset(run);
	err = cw_run_find_card(run);
	if (err == CW_OK)
		err = cw_icc_begin(&run->card);
	if (err != CW_OK)
		return err;
	cw_buf_init(&bytes, CW_RESPONSE_MAX);
	err = cw_icc_status(&run->card, run->env.origin, &bytes, &status);
	if (err == CW_OK &&
	    cw_run_look(run, &run->before) == CW_ERR_CARD_REMOVED)
		err = CW_ERR_CARD_REMOVED;
	cw_icc_end(&run->card);
	if (err == CW_ERR_NO_SESSION) {
		cw_buf_wipe(&bytes);
		return CW_OK;
	}
	if (err == CW_OK)
		err = judge(run, &status, found, &is_own);
	if (err == CW_OK && *found == CW_RESUME_GO_ON && !(was_asked && is_own))
		err = ask_to_go_on(run, &status, found);
	if (err == CW_OK && *found != CW_RESUME_NONE) {
		run->has_session = run->may_have_session = true;
		run->state = RUN_WANT_BATCH;
		memcpy(run->session_id, status.session_id, CW_SESSION_ID_BYTES);
		cw_buf_reset(&out->bytes);
		cw_buf_put(&out->bytes, status.last_message);
		err = out->bytes.err;
		cw_run_to_session(run, status.uri, out);
	}
	cw_buf_wipe(&bytes);
	return err;
}

/* A card that is pulled out now has done its work. */
static void
finish_on_card(struct cw_run *run)
{
	enum cw_err ignored;

	drop(run);
	ignored = cw_run_look(run, &run->after);
	(void)ignored;
}

/* The issuer is content. Is the card? Its own word counts. */
enum cw_err
cw_run_finish(struct cw_run *run, struct cw_run_out *out)
{
	struct cw_status status;
	struct cw_buf bytes;
	enum cw_err err = cw_icc_begin(&run->card);

	if (err != CW_OK)
		return err;
	cw_buf_init(&bytes, CW_RESPONSE_MAX);
	err = cw_icc_status(&run->card, run->env.origin, &bytes, &status);
	if (err == CW_OK &&
	    (status.state != CW_SESSION_CLOSED ||
		memcmp(status.session_id, run->session_id,
		    CW_SESSION_ID_BYTES) != 0))
		err = CW_ERR_WRONG_STEP;
	if (err == CW_OK)
		finish_on_card(run);
	cw_icc_end(&run->card);
	cw_buf_wipe(&bytes);
	if (err != CW_OK)
		return err;
	cw_run_finished(run);
	cw_run_out_wipe(out);
	run->state = RUN_OVER;
	run->has_session = run->has_intent = run->is_unclean = false;
	return CW_OK;
}

/* Errors that are an issuer's last word by themselves. */
static const enum cw_err last_words[] = {
	CW_ERR_NO_SESSION,
	CW_ERR_SESSION_ENDED,
	CW_ERR_SESSION_EXPIRED,
	CW_ERR_DIFFERENT_REPEAT,
	CW_ERR_REJECTED,
};

bool
cw_run_refused(struct cw_run *run, enum cw_err err, bool is_ended)
{
	bool is_last = is_ended;

	run->state = RUN_OVER;
	for (size_t i = 0; i < sizeof(last_words) / sizeof(last_words[0]); i++)
		is_last |= last_words[i] == err;
	if (!is_last || !run->has_session)
		return false;
	if (cw_icc_begin(&run->card) == CW_OK) {
		drop(run);
		cw_icc_end(&run->card);
	}
	cw_run_finished(run);
	run->has_session = false;
	return true;
}
