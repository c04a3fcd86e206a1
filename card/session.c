/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions in the card's memory: finding, recording, ending. */
#include "card/inner.h"
#include "proto/base/secret.h"

struct cw_card_session *
cw_card_session_find(const struct cw_card *card, struct cw_bytes id)
{
	struct cw_card_session *s;

	for (s = card->state->sessions; s != NULL; s = s->next)
		if (cw_bytes_equal(CW_BYTES_ARRAY(s->id), id))
			return s;
	return NULL;
}

void
cw_card_session_drop(struct cw_card *card, struct cw_card_session *session)
{
	struct cw_card_session **at = &card->state->sessions;

	while (*at != NULL && *at != session)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = session->next;
	cw_card_session_free(&session);
}

/*
 * What the end of `by` replaces: when it committed, all that ended before it,
 * those of older management keys too (docs/protocol.md "Surviving"); else only
 * another that ended in an error.
 */
static bool
is_replaced(const struct cw_card_session *s, const struct cw_card_session *by)
{
	if (s == by || s->state == CW_SESSION_OPEN ||
	    !cw_card_is_mine(by, s->owner))
		return false;
	return by->state == CW_SESSION_CLOSED || s->state == CW_SESSION_ERROR;
}

void
cw_card_session_end(struct cw_card *card, struct cw_card_session *session,
    enum cw_session_state state)
{
	struct cw_card_session *s, *next;

	session->state = state;
	cw_channel_wipe(&session->channel);
	cw_card_objects_wipe(&session->objects);
	cw_card_posts_wipe(&session->posts);
	cw_wipe(&session->pin, sizeof(session->pin));
	cw_wipe(&session->puk, sizeof(session->puk));
	for (s = card->state->sessions; s != NULL; s = next) {
		next = s->next;
		if (is_replaced(s, session))
			cw_card_session_drop(card, s);
	}
}

static void
drop_complete(struct cw_card_session *session)
{
	while (session->n_complete > 0) {
		struct cw_card_record *record = session->records;

		session->records = record->next;
		session->n_complete--;
		cw_card_record_free(&record);
	}
}

static size_t
count(const struct cw_card_session *session)
{
	const struct cw_card_record *record;
	size_t n = 0;

	for (record = session->records; record != NULL; record = record->next)
		n++;
	return n;
}

enum cw_err
cw_card_session_record(struct cw_card_session *session, struct cw_bytes command,
    struct cw_bytes reply, bool last)
{
	struct cw_card_record *record = cw_card_record_new();

	if (record == NULL)
		return CW_ERR_NO_MEMORY;
	cw_hash(command, record->command_hash);
	cw_buf_put(&record->reply, reply);
	if (record->reply.err != CW_OK) {
		cw_card_record_free(&record);
		return CW_ERR_NO_MEMORY;
	}
	cw_card_records_append(&session->records, record);
	session->answered++;
	if (last) {
		drop_complete(session);
		session->n_complete = count(session);
	}
	return CW_OK;
}

const struct cw_card_record *
cw_card_session_answered(const struct cw_card_session *session,
    struct cw_bytes command)
{
	const struct cw_card_record *record;
	uint8_t hash[CW_HASH_BYTES];

	cw_hash(command, hash);
	for (record = session->records; record != NULL; record = record->next)
		if (memcmp(record->command_hash, hash, sizeof(hash)) == 0)
			return record;
	return NULL;
}
