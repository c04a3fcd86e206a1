/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/server_forge.h"

#include <stdlib.h>

struct cw_session_secret
cw_server_secret(struct cw_server_world *w, const struct cw_server_play *play)
{
	struct cw_session_secret secret;
	struct cw_session s;

	cw_server_play_session(w, play, &s);
	assert_err(cw_session_secret_open(&secret, w->seal, &s), CW_OK);
	cw_session_wipe(&s);
	return secret;
}

void
cw_server_forge(const struct cw_session_secret *secret, unsigned i,
    struct cw_bytes batch_bytes, struct cw_bytes plain, struct cw_buf *out)
{
	struct cw_batch *batch = calloc(1, sizeof(*batch));
	struct cw_batch *replies = calloc(1, sizeof(*replies));
	struct cw_buf sealed;

	cw_buf_init(&sealed, CW_COMMAND_MAX);
	assert_err(cw_batch_decode(batch_bytes, batch), CW_OK);
	assert_err(cw_channel_seal_reply(&secret->channel, i, batch->items[0],
		       plain, &sealed),
	    CW_OK);
	replies->n = 1;
	replies->items[0] = cw_buf_bytes(&sealed);
	cw_buf_reset(out);
	cw_replies_encode(replies, out);
	cw_buf_wipe(&sealed);
	free(batch);
	free(replies);
}
