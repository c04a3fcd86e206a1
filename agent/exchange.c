/* SPDX-License-Identifier: Apache-2.0 */
/* Sending, judging what comes back, and sending again. */
#include "agent/exchange.h"

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
judge(const struct cw_net_response *response, struct cw_exchange *e)
{
	if (response->status == 204)
		return CW_OK;
	if (response->status == 202) {
		e->retry_after_s = response->retry_after_s;
		return CW_ERR_APPROVAL_PENDING;
	}
	if (response->status != 200)
		return cw_net_refusal(response, &e->is_ended);
	/* An empty body would look like the end. */
	if (!response->is_message || response->body.len == 0)
		return CW_ERR_MEDIA_TYPE;
	return CW_OK;
}

static enum cw_err
post(struct cw_exchange *e, const struct cw_run_out *out,
    struct cw_net_response *response)
{
	uint64_t end = cw_clock_monotonic_ms() + e->patience_ms;
	unsigned wait_ms = BACK_OFF_MIN_MS;

	for (;; e->retries++) {
		enum cw_err err = e->post(e->ctx, out->url,
		    cw_buf_bytes(&out->bytes), response);
		unsigned pause_ms = wait_ms;

		e->is_ended = false;
		if (err == CW_OK)
			err = judge(response, e);
		if (!is_passing(err) || e->is_ended)
			return err;
		if (response->retry_after_s * 1000 > pause_ms)
			pause_ms = response->retry_after_s * 1000;
		if (cw_clock_monotonic_ms() + pause_ms > end)
			return cw_err_category(err) == CW_CAT_NETWORK ?
			    CW_ERR_NETWORK_TIMEOUT :
			    err;
		cw_log(CW_LOG_INFO, "exchange.again", "after=%s pause_ms=%u",
		    cw_err_name(err), pause_ms);
		if (cw_stop_poll(-1, (int)pause_ms) == CW_ERR_REFUSED)
			return CW_ERR_REFUSED;
		if (wait_ms < BACK_OFF_MAX_MS)
			wait_ms *= 2;
	}
}

enum cw_err
cw_exchange_converse(struct cw_exchange *e, struct cw_run_out *out,
    bool *by_issuer)
{
	struct cw_net_response response;
	enum cw_err err = CW_OK;

	*by_issuer = false;
	cw_net_response_init(&response);
	while (err == CW_OK && out->to != CW_RUN_TO_NOBODY) {
		err = post(e, out, &response);
		*by_issuer = err != CW_OK;
		if (err == CW_OK)
			err = cw_run_answer(e->run,
			    cw_buf_bytes(&response.body), out);
	}
	cw_net_response_wipe(&response);
	return err;
}

enum cw_err
cw_exchange_begin(struct cw_exchange *e, struct cw_bytes intent,
    struct cw_run_out *out)
{
	bool by_issuer = false;
	enum cw_err err = cw_run_begin(e->run, intent, out);

	if (err == CW_OK)
		err = cw_exchange_converse(e, out, &by_issuer);
	if (by_issuer)
		cw_run_refused(e->run, err, e->is_ended);
	return err;
}

enum cw_err
cw_exchange_resume(struct cw_exchange *e, struct cw_run_out *out,
    bool *is_resumed)
{
	enum cw_run_resume found = CW_RESUME_NONE;
	bool by_issuer;
	enum cw_err err = cw_run_resume(e->run, &found, out);

	*is_resumed = false;
	if (err != CW_OK || found == CW_RESUME_NONE)
		return err;
	cw_log(CW_LOG_INFO, "exchange.resume", "kind=%d", (int)found);
	err = cw_exchange_converse(e, out, &by_issuer);
	/* Dead at both ends: begin a new one, unless people have said no. */
	if (err != CW_OK && by_issuer &&
	    cw_run_refused(e->run, err, e->is_ended))
		return err == CW_ERR_REJECTED ? err : CW_OK;
	/* Another computer's session is none of our errors, unless the issuer
	 * cannot be reached at all. */
	if (found == CW_RESUME_COURTESY && !is_passing(err))
		return CW_OK;
	*is_resumed = err == CW_OK;
	return err;
}
