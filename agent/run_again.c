/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A card that was pulled out and put back in the same run: it says itself how
 * far it is (docs/protocol.md "Surviving").
 */
#include "agent/run_internal.h"

#include "proto/base/log.h"
#include "proto/base/secret.h"

#define AGAINS_MAX 32 /* times in one run */

/* Another card than the one that the session began with. */
static bool
is_other(const struct cw_run *run, enum cw_err err,
    const struct cw_status *status)
{
	return err == CW_ERR_NO_SESSION ||
	    (err == CW_OK &&
		memcmp(status->session_id, run->session_id,
		    CW_SESSION_ID_BYTES) != 0);
}

/* What the card keeps is sent again; the issuer gives the same answer. */
static enum cw_err
send_kept(struct cw_run *run, const struct cw_status *status,
    struct cw_run_out *out)
{
	struct cw_bytes origin;

	/* What a card says is not to be trusted further than the issuer. */
	if (!cw_url_origin(status->uri, &origin) ||
	    !cw_bytes_equal(origin, run->env.origin))
		return CW_ERR_BAD_ORIGIN;
	run->has_session = true;
	run->state = RUN_WANT_BATCH;
	cw_run_to_session(run, status->uri, out);
	cw_buf_reset(&out->bytes);
	cw_buf_put(&out->bytes, status->last_message);
	return out->bytes.err;
}

/* No session was opened: message 2 again, for a new nonce. */
static enum cw_err
start_over(struct cw_run *run, struct cw_run_out *out)
{
	enum cw_err err = cw_run_read_caps(run);

	run->may_have_session = false;
	return err != CW_OK ? err : cw_run_put_message_2(run, out);
}

static enum cw_err
go_on(struct cw_run *run, struct cw_run_out *out)
{
	struct cw_status status;
	struct cw_buf bytes;
	enum cw_err err;

	if (!run->may_have_session && !run->has_session)
		return start_over(run, out);
	err = cw_icc_begin(&run->card);
	if (err != CW_OK)
		return err;
	cw_buf_init(&bytes, CW_RESPONSE_MAX);
	err = cw_icc_status(&run->card, run->env.origin, &bytes, &status);
	cw_icc_end(&run->card);
	if (!is_other(run, err, &status))
		err = err == CW_OK ? send_kept(run, &status, out) : err;
	else if (run->has_session)
		err = CW_ERR_OTHER_CARD;
	else
		err = start_over(run, out);
	cw_buf_wipe(&bytes);
	return err;
}

enum cw_err
cw_run_again(struct cw_run *run, struct cw_run_out *out)
{
	enum cw_err err = CW_ERR_CARD_REMOVED;

	cw_wipe(run->pin, sizeof(*run->pin));
	cw_wipe(run->puk, sizeof(*run->puk));
	while (err == CW_ERR_CARD_REMOVED || err == CW_ERR_OTHER_CARD) {
		enum cw_err found;

		if (run->agains++ >= AGAINS_MAX)
			break;
		cw_log(CW_LOG_INFO, "run.again", "name=%s", cw_err_name(err));
		found = cw_run_find_again(run, err);
		if (found != CW_OK)
			return found;
		err = go_on(run, out);
	}
	return err;
}
