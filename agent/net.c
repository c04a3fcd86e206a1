/* SPDX-License-Identifier: Apache-2.0 */
/* What an HTTP answer means; the part that needs no library. */
#include "agent/net.h"

#include "proto/problem.h"

void
cw_net_response_init(struct cw_net_response *response)
{
	memset(response, 0, sizeof(*response));
	cw_buf_init(&response->body, CW_BODY_MAX);
}

void
cw_net_response_wipe(struct cw_net_response *response)
{
	cw_buf_wipe(&response->body);
	cw_net_response_init(response);
}

static const struct {
	long from, to;
	enum cw_err err;
} statuses[] = {
	{ 300, 399, CW_ERR_REDIRECTED },
	{ 404, 404, CW_ERR_NOT_FOUND },
	{ 429, 429, CW_ERR_TOO_BUSY },
	{ 502, 504, CW_ERR_TOO_BUSY },
};

enum cw_err
cw_net_refusal(const struct cw_net_response *response, bool *ended)
{
	enum cw_err err = CW_ERR_HTTP_STATUS;

	if (ended != NULL)
		*ended = false;
	if (response->is_problem &&
	    cw_problem_decode(cw_buf_bytes(&response->body), &err, ended) ==
		CW_OK &&
	    err != CW_OK)
		return err;
	err = CW_ERR_HTTP_STATUS;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (response->status >= statuses[i].from &&
		    response->status <= statuses[i].to)
			err = statuses[i].err;
	return err;
}
