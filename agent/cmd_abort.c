/* SPDX-License-Identifier: Apache-2.0 */
/* `abort ORIGIN`: the card forgets the sessions that it keeps for an issuer. */
#include <stdio.h>

#include "agent/icc.h"
#include "agent/jsonl.h"
#include "agent/options.h"
#include "agent/show.h"
#include "agent/url.h"

#define SESSIONS_MAX 64u /* more than any card keeps: one that lies ends */

static enum cw_err
abort_all(struct cw_icc *card, struct cw_bytes origin, unsigned *n)
{
	struct cw_status status;
	struct cw_buf bytes;
	enum cw_err err = CW_OK;

	cw_buf_init(&bytes, CW_RESPONSE_MAX);
	while (err == CW_OK && *n < SESSIONS_MAX) {
		cw_buf_reset(&bytes);
		err = cw_icc_status(card, origin, &bytes, &status);
		if (err == CW_OK)
			err = cw_icc_abort(card, status.session_id);
		*n += err == CW_OK;
	}
	cw_buf_wipe(&bytes);
	return err == CW_ERR_NO_SESSION && *n > 0 ? CW_OK : err;
}

static enum cw_err
find_and_abort(const char *reader_name, struct cw_bytes origin, unsigned *n,
    uint16_t *sw)
{
	struct cw_reader *reader = cw_reader_pcsc_open();
	struct cw_icc card;
	enum cw_err err;

	if (reader == NULL)
		return CW_ERR_NO_MEMORY;
	cw_icc_init(&card, reader);
	err = cw_icc_connect(&card, reader_name);
	if (err == CW_OK)
		err = cw_icc_begin(&card);
	if (err == CW_OK) {
		err = abort_all(&card, origin, n);
		cw_icc_end(&card);
	}
	*sw = card.sw;
	cw_icc_disconnect(&card, false);
	cw_reader_close(&reader);
	return err;
}

int
cw_cmd_abort(const struct cw_options *options)
{
	char origin[CW_URI_MAX + 1];
	struct cw_buf line;
	bool loopback;
	unsigned n = 0;
	uint16_t sw = 0;
	enum cw_err err =
	    cw_url_canonical_origin(options->operand, origin, &loopback);

	if (err == CW_OK)
		err = find_and_abort(options->reader, cw_bytes_str(origin), &n,
		    &sw);
	if (err != CW_OK)
		return cw_show_error(options->json, err, sw, 0);
	if (!options->json) {
		printf("Aborted: %s (%u)\n", origin, n);
		return 0;
	}
	cw_buf_init(&line, sizeof(origin) + 64);
	cw_jsonl_open(&line, NULL, '{');
	cw_jsonl_str(&line, "event", "aborted");
	cw_jsonl_str(&line, "origin", origin);
	cw_jsonl_number(&line, "sessions", n);
	cw_jsonl_close(&line, '}');
	cw_jsonl_print(&line);
	return 0;
}
