/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a folder of its own. */
#include "tests/support/store_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/base/fdio.h"

#define FILE_MAX (16u << 20)

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
	static const char *const ends[] = { "", "-wal", "-shm", "-steps" };
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

/* ---- its files as they are at this instant ---- */

static const char *const ends[CW_STORE_IMAGE_FILES] = { "", "-wal", "-steps" };

static const char *
path_of(const struct cw_store_world *w, size_t file)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s%s", w->path, ends[file]);
	return path;
}

void
cw_store_world_take(const struct cw_store_world *w,
    struct cw_store_image *image)
{
	for (size_t i = 0; i < COUNT(ends); i++) {
		cw_buf_init(&image->files[i], FILE_MAX);
		assert_err(cw_file_load(path_of(w, i), &image->files[i]),
		    CW_OK);
	}
}

void
cw_store_image_wipe(struct cw_store_image *image)
{
	for (size_t i = 0; i < COUNT(ends); i++)
		cw_buf_wipe(&image->files[i]);
}

/* Written by others than the store, so that no limit of ours counts. */
static void
write_file(const char *path, struct cw_bytes bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_err(cw_fd_write(fd, bytes), CW_OK);
	close(fd);
}

void
cw_store_world_put(struct cw_store_world *w, const struct cw_store_image *image)
{
	char shm[128];

	cw_store_close(&w->store);
	snprintf(shm, sizeof(shm), "%s-shm", w->path);
	unlink(shm);
	for (size_t i = 0; i < COUNT(ends); i++)
		write_file(path_of(w, i), cw_buf_bytes(&image->files[i]));
}

void
cw_store_world_go_back(struct cw_store_world *w,
    const struct cw_store_image *image)
{
	cw_store_world_put(w, image);
	open_store(w);
}

void
cw_store_world_kill(struct cw_store_world *w)
{
	struct cw_store_image image;

	cw_store_world_take(w, &image);
	cw_store_world_go_back(w, &image);
	cw_store_image_wipe(&image);
}

void
cw_store_world_assert_stage(struct cw_store *store, const struct cw_session *s,
    enum cw_stage stage, size_t n)
{
	struct cw_session out;
	struct cw_buf answer;

	cw_session_init(&out);
	cw_buf_init(&answer, 100);
	assert_err(store->session_load(store, s->id, &out), CW_OK);
	assert_int_equal(out.stage, stage);
	assert_int_equal(out.n_digests, n);
	for (unsigned i = 1; i <= n; i++) {
		assert_err(store->step_load(store, s->id, i, NULL, &answer,
			       NULL),
		    CW_OK);
		assert_int_equal(answer.len, 1);
		assert_int_equal(answer.ptr[0], i);
	}
	assert_err(store->step_load(store, s->id, (unsigned)n + 1, NULL,
		       &answer, NULL),
	    CW_ERR_NO_SESSION);
	cw_session_wipe(&out);
	cw_buf_wipe(&answer);
}

enum cw_certificate_status
cw_store_world_status(struct cw_store *store, uint8_t id)
{
	uint8_t serial[CW_SERIAL_BYTES];
	struct cw_certificate c;

	memset(serial, id, sizeof(serial));
	return store->certificate_load(store, serial, &c, NULL) == CW_OK ?
	    c.status :
	    CW_CERT_NONE;
}
