/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP side of a session (docs/protocol.md "HTTP"). */
#include "agent/enroll.h"

/* An issuer may answer as to a browser: a page that says no. */
static enum cw_err
refused_invitation(const struct cw_net_response *response)
{
	enum cw_err err = cw_net_refusal(response, NULL);

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
		err = cw_net_refusal(response, NULL);
	/* A page without the link is not an invitation's. */
	if (err == CW_OK && response->intent[0] == '\0')
		err = CW_ERR_BAD_INVITATION;
	if (err != CW_OK)
		return err;
	memcpy(url, response->intent, sizeof(url));
	err = cw_net_get(e->net, url, response);
	if (err == CW_OK && response->status != 200)
		err = cw_net_refusal(response, NULL);
	if (err == CW_OK && !response->is_message)
		err = CW_ERR_MEDIA_TYPE;
	return err;
}

static enum cw_err
enroll_anew(const struct cw_enroll *e, struct cw_exchange *exchange,
    struct cw_run_out *out)
{
	struct cw_net_response response;
	enum cw_err err;

	cw_net_response_init(&response);
	err = fetch_intent(e, &response);
	if (err == CW_OK)
		err = cw_exchange_begin(exchange, cw_buf_bytes(&response.body),
		    out);
	cw_net_response_wipe(&response);
	return err;
}

static enum cw_err
post(void *ctx, const char *url, struct cw_bytes body,
    struct cw_net_response *response)
{
	return cw_net_post(ctx, url, body, response);
}

enum cw_err
cw_enroll(const struct cw_enroll *enroll, struct cw_enroll_result *result)
{
	struct cw_exchange exchange = { .post = post,
		.ctx = enroll->net,
		.run = enroll->run,
		.patience_ms = enroll->patience_ms };
	struct cw_run_out out;
	enum cw_err err;

	memset(result, 0, sizeof(*result));
	cw_run_out_init(&out);
	err = cw_exchange_resume(&exchange, &out, &result->is_resumed);
	if (err == CW_OK && !result->is_resumed)
		err = enroll_anew(enroll, &exchange, &out);
	cw_run_out_wipe(&out);
	result->retry_after_s = exchange.retry_after_s;
	result->retries = exchange.retries;
	return err;
}
