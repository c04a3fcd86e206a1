/* SPDX-License-Identifier: Apache-2.0 */
#include "server/deeds.h"

#include <stdlib.h>

#include "proto/command.h"
#include "proto/grant.h"
#include "server/evidence.h"

#define WORDS_MAX (16 * 1024)

void
cw_deeds_words_init(struct cw_deeds_words *words)
{
	cw_buf_init(&words->replaced, WORDS_MAX);
	cw_buf_init(&words->deleted, WORDS_MAX);
	cw_buf_init(&words->unlocked, WORDS_MAX);
}

void
cw_deeds_words_wipe(struct cw_deeds_words *words)
{
	cw_buf_wipe(&words->replaced);
	cw_buf_wipe(&words->deleted);
	cw_buf_wipe(&words->unlocked);
}

/* "CN=Ada Lovelace,O=Example (9A)" */
static void
put_name(struct cw_buf *out, const struct cw_intent *intent, uint32_t id)
{
	const struct cw_intent_object *o = cw_intent_object(intent, id);

	if (out->len > 0)
		cw_buf_put_str(out, "; ");
	if (o == NULL) {
		cw_buf_printf(out, "%u", (unsigned)id);
		return;
	}
	cw_buf_put(out, o->name);
	if (o->slot != 0)
		cw_buf_printf(out, " (%02X)", o->slot);
}

static void
put_all(struct cw_buf *out, const struct cw_intent *intent, bool may)
{
	for (size_t i = 0; may && i < intent->scope.n_objects; i++)
		put_name(out, intent, intent->scope.objects[i]);
}

void
cw_deeds_meant(const struct cw_intent *intent, struct cw_deeds_words *words)
{
	const struct cw_scope *scope = &intent->scope;
	bool makes = cw_scope_makes_keys(scope);
	bool deletes = cw_scope_has_command(scope, CW_DELETE_KEY);

	/* What goes for a new key is replaced, by whichever command. */
	put_all(&words->replaced, intent,
	    cw_scope_has_command(scope, CW_UPDATE_KEY) || (deletes && makes));
	put_all(&words->deleted, intent, deletes && !makes);
	put_all(&words->unlocked, intent,
	    cw_scope_has_command(scope, CW_UNLOCK_KEY));
}

enum cw_err
cw_deeds_done(const struct cw_intent *intent, struct cw_bytes kept,
    struct cw_deeds_words *words)
{
	struct cw_result_statement *r = calloc(1, sizeof(*r));
	struct cw_bytes statement;
	enum cw_err err;

	if (r == NULL)
		return CW_ERR_NO_MEMORY;
	err = cw_kept_result_get(kept, NULL, &statement, NULL);
	if (err == CW_OK && cw_result_statement_read(statement, r) != CW_OK)
		err = CW_ERR_STORE_CORRUPT;
	for (size_t i = 0; err == CW_OK && i < r->n_items; i++) {
		struct cw_buf *to = r->items[i].done == CW_DONE_DELETED ?
		    &words->deleted :
		    r->items[i].done == CW_DONE_UPDATED  ? &words->replaced :
		    r->items[i].done == CW_DONE_UNLOCKED ? &words->unlocked :
							   NULL;

		if (to != NULL)
			put_name(to, intent, r->items[i].object_id);
	}
	free(r);
	return err;
}
