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

#endif
