/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a folder of its own. */
#include "tests/support/store_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
open_store(struct cw_store_world *w)
{
	assert_err(cw_store_open_sqlite(w->path, &w->store), CW_OK);
}

int
cw_store_world_setup(void **state)
{
	struct cw_store_world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->folder, sizeof(w->folder), "/tmp/cw-store-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof(w->path), "%s/store.db", w->folder);
	open_store(w);
	*state = w;
	return 0;
}

int
cw_store_world_teardown(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct cw_store_world *w = *state;
	char path[128];

	cw_store_close(&w->store);
	for (size_t i = 0; i < COUNT(ends); i++) {
		snprintf(path, sizeof(path), "%s%s", w->path, ends[i]);
		unlink(path);
	}
	rmdir(w->folder);
	free(w);
	return 0;
}

void
cw_store_world_reopen(struct cw_store_world *w)
{
	cw_store_close(&w->store);
	open_store(w);
}

/* ---- rows ---- */

void
cw_store_world_fill(struct cw_session *s, uint8_t id)
{
	cw_session_init(s);
	memset(s->id, id, sizeof(s->id));
	memset(s->invitation, 0x33, sizeof(s->invitation));
	memset(s->request_tag, 0x44, sizeof(s->request_tag));
	s->stage = CW_STAGE_OPENED;
	s->created_s = 1000;
	s->expires_s = 2000;
	cw_buf_put_str(&s->request, "R");
	cw_buf_put_str(&s->grant, "grant");
	cw_buf_put_str(&s->sealed, "sealed");
}

void
cw_store_world_add(struct cw_store_world *w, struct cw_session *s, uint8_t id)
{
	cw_store_world_fill(s, id);
	assert_err(w->store->session_add(w->store, s), CW_OK);
}

enum cw_err
cw_store_world_step(struct cw_store_world *w, struct cw_session *s,
    enum cw_stage next, uint8_t digest,
    const struct cw_certificate *certificate)
{
	struct cw_step row = { .number = (unsigned)s->n_digests + 1,
		.message = cw_bytes_str("message"),
		.answer = cw_bytes(&digest, 1),
		.kept = cw_bytes_str("kept") };
	enum cw_stage before = s->stage;
	size_t n = s->n_digests;

	memset(s->digests[s->n_digests++], digest, CW_HASH_BYTES);
	memset(s->serial, s->id[0], sizeof(s->serial));
	s->stage = next;
	cw_buf_reset(&s->batch);
	cw_buf_put(&s->batch, row.answer);
	return w->store->session_step(w->store, s, before, n, &row,
	    certificate);
}

struct cw_certificate
cw_store_world_certificate(const struct cw_session *s,
    enum cw_certificate_status status)
{
	struct cw_certificate c = { .status = status,
		.wanted = CW_REASON_NONE,
		.changed_s = 1100,
		.subject = "CN=Ada",
		.profile = "person",
		.der = cw_bytes_str("DER") };

	memset(c.serial, s->id[0], sizeof(c.serial));
	memcpy(c.session, s->id, sizeof(c.session));
	memcpy(c.invitation, s->invitation, sizeof(c.invitation));
	return c;
}
