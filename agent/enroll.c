/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP side of a session (docs/protocol.md "HTTP"). */
#include "agent/enroll.h"

#include "agent/stop.h"
#include "proto/base/log.h"

#define BACK_OFF_MIN_MS 200
#define BACK_OFF_MAX_MS 5000

/* Errors after which the same request may well succeed. */
static const enum cw_err passing[] = {
	CW_ERR_NO_CONNECTION,
	CW_ERR_NETWORK_TIMEOUT,
	CW_ERR_CLOSED,
	CW_ERR_TOO_BUSY,
	CW_ERR_SIGNER_DOWN,
};

static bool
is_passing(enum cw_err err)
{
	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		if (passing[i] == err)
			return true;
	return false;
}

/* What one HTTP answer to a message means. */
static enum cw_err
judge(const struct cw_net_response *response, struct cw_enroll_result *result)
{
	if (response->status == 204)
		return CW_OK;
	if (response->status == 202) {
		result->retry_after_s = response->retry_after_s;
		return CW_ERR_APPROVAL_PENDING;
	}
	if (response->status != 200)
		return cw_net_refusal(response);
	/* An empty body would look like the end. */
	if (!response->is_message || response->body.len == 0)
		return CW_ERR_MEDIA_TYPE;
	return CW_OK;
}

static enum cw_err
post(const struct cw_enroll *e, const struct cw_run_out *out,
    struct cw_net_response *response, struct cw_enroll_result *result)
{
	uint64_t end = cw_clock_monotonic_ms() + e->patience_ms;
	unsigned wait_ms = BACK_OFF_MIN_MS;

	for (;; result->retries++) {
		enum cw_err err = cw_net_post(e->net, out->url,
		    cw_buf_bytes(&out->bytes), response);
		unsigned pause_ms = wait_ms;

		if (err == CW_OK)
			err = judge(response, result);
		if (!is_passing(err))
			return err;
		if (response->retry_after_s * 1000 > pause_ms)
			pause_ms = response->retry_after_s * 1000;
		if (cw_clock_monotonic_ms() + pause_ms > end)
			return cw_err_category(err) == CW_CAT_NETWORK ?
			    CW_ERR_NETWORK_TIMEOUT :
			    err;
		cw_log(CW_LOG_INFO, "enroll.again", "after=%s pause_ms=%u",
		    cw_err_name(err), pause_ms);
		if (cw_stop_poll(-1, (int)pause_ms) == CW_ERR_REFUSED)
			return CW_ERR_REFUSED;
		if (wait_ms < BACK_OFF_MAX_MS)
			wait_ms *= 2;
	}
}

/*
 * Messages to and fro until the run has nothing more to send. *by_issuer says
 * whose error it is: what a card says of a command that was changed on its way
 * is no reason to give the session up.
 */
static enum cw_err
converse(const struct cw_enroll *e, struct cw_run_out *out,
    struct cw_enroll_result *result, bool *by_issuer)
{
	struct cw_net_response response;
	enum cw_err err = CW_OK;

	*by_issuer = false;
	cw_net_response_init(&response);
	while (err == CW_OK && out->to != CW_RUN_TO_NOBODY) {
		err = post(e, out, &response, result);
		*by_issuer = err != CW_OK;
		if (err == CW_OK)
			err = cw_run_answer(e->run,
			    cw_buf_bytes(&response.body), out);
	}
	cw_net_response_wipe(&response);
	return err;
}

/* An issuer may answer as to a browser: a page that says no. */
static enum cw_err
refused_invitation(const struct cw_net_response *response)
{
	enum cw_err err = cw_net_refusal(response);

	return err == CW_ERR_HTTP_STATUS &&
		(response->status == 403 || response->status == 410) ?
	    CW_ERR_BAD_INVITATION :
	    err;
}

/* Page, cookie, page, Intent. */
static enum cw_err
fetch_intent(const struct cw_enroll *e, struct cw_net_response *response)
{
	char url[CW_URI_MAX + 1];
	enum cw_err err = cw_net_get(e->net, e->url, response);

	if (err == CW_OK && response->status != 200)
		err = refused_invitation(response);
	if (err == CW_OK)
		err = cw_net_post(e->net, e->url, CW_BYTES_NONE, response);
	/* The one redirection there is, and it leads to the same origin. */
	if (err == CW_OK && response->status != 303)
		err = refused_invitation(response);
	if (err == CW_OK && response->location[0] == '\0')
		err = CW_ERR_REDIRECTED;
	if (err != CW_OK)
		return err;
	memcpy(url, response->location, sizeof(url));
	err = cw_net_get(e->net, url, response);
	if (err == CW_OK && response->status != 200)
		err = cw_net_refusal(response);
	/* A page without the link is not an invitation's. */
	if (err == CW_OK && response->intent[0] == '\0')
		err = CW_ERR_BAD_INVITATION;
	if (err != CW_OK)
		return err;
	memcpy(url, response->intent, sizeof(url));
	err = cw_net_get(e->net, url, response);
	if (err == CW_OK && response->status != 200)
		err = cw_net_refusal(response);
	if (err == CW_OK && !response->is_message)
		err = CW_ERR_MEDIA_TYPE;
	return err;
}

static enum cw_err
enroll_anew(const struct cw_enroll *e, struct cw_run_out *out,
    struct cw_enroll_result *result)
{
	struct cw_net_response response;
	bool by_issuer = false;
	enum cw_err err;

	cw_net_response_init(&response);
	err = fetch_intent(e, &response);
	if (err == CW_OK)
		err = cw_run_begin(e->run, cw_buf_bytes(&response.body), out);
	cw_net_response_wipe(&response);
	if (err == CW_OK)
		err = converse(e, out, result, &by_issuer);
	if (by_issuer)
		cw_run_refused(e->run, err);
	return err;
}

/*
 * What the card keeps of this issuer comes first: an open session goes on, a
 * result that may never have arrived is sent. *is_done says that this was all.
 */
static enum cw_err
go_on(const struct cw_enroll *e, struct cw_run_out *out,
    struct cw_enroll_result *result, bool *is_done)
{
	enum cw_run_resume found = CW_RESUME_NONE;
	bool by_issuer;
	enum cw_err err = cw_run_resume(e->run, &found, out);

	*is_done = true;
	if (err != CW_OK)
		return err;
	*is_done = false;
	if (found == CW_RESUME_NONE)
		return CW_OK;
	cw_log(CW_LOG_INFO, "enroll.resume", "kind=%d", (int)found);
	err = converse(e, out, result, &by_issuer);
	if (err == CW_OK)
		result->is_resumed = true;
	else if (by_issuer && cw_run_refused(e->run, err))
		return CW_OK; /* it is dead at both ends: begin a new one */
	/* Another computer's session is none of our errors, unless the issuer
	 * cannot be reached at all. */
	if (found == CW_RESUME_COURTESY && !is_passing(err))
		return CW_OK;
	*is_done = true;
	return err;
}

enum cw_err
cw_enroll(const struct cw_enroll *enroll, struct cw_enroll_result *result)
{
	struct cw_run_out out;
	bool is_done = false;
	enum cw_err err;

	memset(result, 0, sizeof(*result));
	cw_run_out_init(&out);
	err = go_on(enroll, &out, result, &is_done);
	if (err == CW_OK && !is_done) {
		result->is_resumed = false;
		err = enroll_anew(enroll, &out, result);
	}
	cw_run_out_wipe(&out);
	return err;
}
