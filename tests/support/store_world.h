/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a folder of its own, and rows for it. */
#ifndef CW_TESTS_STORE_WORLD_H
#define CW_TESTS_STORE_WORLD_H

#include "server/store.h"
#include "tests/support/check.h"

struct cw_store_world {
	char folder[64];
	char path[96];
	struct cw_store *store;
};

int cw_store_world_setup(void **state);
int cw_store_world_teardown(void **state);

#define cw_store_test(sentence)                                         \
	cmocka_unit_test_setup_teardown(sentence, cw_store_world_setup, \
	    cw_store_world_teardown)
void cw_store_world_reopen(struct cw_store_world *w);

/* A session all of whose id bytes are `id`; it runs out at 2000. */
void cw_store_world_fill(struct cw_session *s, uint8_t id);
void cw_store_world_add(struct cw_store_world *w, struct cw_session *s,
    uint8_t id);

/* The session's next step, as the engine would write it. */
enum cw_err cw_store_world_step(struct cw_store_world *w, struct cw_session *s,
    enum cw_stage next, uint8_t digest,
    const struct cw_certificate *certificate);

/* Its certificate; all bytes of the serial are the id's. */
struct cw_certificate cw_store_world_certificate(const struct cw_session *s,
    enum cw_certificate_status status);

/* The files as they are at this instant, under a store that goes on. */
#define CW_STORE_IMAGE_FILES 3
#define CW_STORE_IMAGE_JOURNAL 2

struct cw_store_image {
	struct cw_buf files[CW_STORE_IMAGE_FILES]; /* that, -wal, -steps */
};

void cw_store_world_take(const struct cw_store_world *w,
    struct cw_store_image *image);
void cw_store_image_wipe(struct cw_store_image *image);

/* The files as they were: closed; open again; what a kill right now leaves. */
void cw_store_world_put(struct cw_store_world *w,
    const struct cw_store_image *image);
void cw_store_world_go_back(struct cw_store_world *w,
    const struct cw_store_image *image);
void cw_store_world_kill(struct cw_store_world *w);

/* The session and its `n` steps, as cw_store_world_step wrote them with the
 * digests 1, 2 …; and no more. */
void cw_store_world_assert_stage(struct cw_store *store,
    const struct cw_session *s, enum cw_stage stage, size_t n);
/* NONE if there is none. */
enum cw_certificate_status cw_store_world_status(struct cw_store *store,
    uint8_t id);

#endif
