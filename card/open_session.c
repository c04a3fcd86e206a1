/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OPEN SESSION: from R to message 4 (docs/protocol.md "Messages" 3 and 4), and
 * STATUS and ABORT of what was opened.
 */
#include "card/inner.h"
#include "proto/base/secret.h"
#include "proto/batch.h"
#include "proto/token.h"

static const struct cw_card_session *
find_request(const struct cw_card *card, const uint8_t hash[CW_HASH_BYTES])
{
	const struct cw_card_session *s;

	for (s = card->state->sessions; s != NULL; s = s->next)
		if (memcmp(s->request_hash, hash, CW_HASH_BYTES) == 0)
			return s;
	return NULL;
}

/*
 * Whether there is room for one more, and which session must make way for it:
 * the oldest that ended in an error; one that committed never does, because
 * its result may still be needed.
 */
static enum cw_err
find_room(const struct cw_card *card, struct cw_card_session **victim)
{
	struct cw_card_session *s;
	unsigned n = 0, open = 0;

	*victim = NULL;
	for (s = card->state->sessions; s != NULL; s = s->next) {
		n++;
		open += s->state == CW_SESSION_OPEN;
		if (s->state == CW_SESSION_ERROR && *victim == NULL)
			*victim = s;
	}
	if (n < CW_CARD_SESSIONS_MAX)
		*victim = NULL;
	else if (*victim == NULL)
		return CW_ERR_TOO_MANY_SESSIONS;
	return open < card->open_sessions_max ? CW_OK :
						CW_ERR_TOO_MANY_SESSIONS;
}

/* What costs no public-key operation, before the one that does. */
static enum cw_err
check(const struct cw_card *card, const struct cw_request *q)
{
	uint8_t caps_hash[CW_HASH_BYTES];
	struct cw_card_session *victim;
	struct cw_bytes origin;

	if (!card->ram.has_nonce ||
	    memcmp(card->ram.nonce, q->card_nonce, CW_NONCE_BYTES) != 0)
		return CW_ERR_BAD_NONCE;
	cw_hash(cw_buf_bytes(&card->ram.caps), caps_hash);
	if (memcmp(caps_hash, q->caps_hash, sizeof(caps_hash)) != 0)
		return CW_ERR_BAD_CAPS_HASH;
	if (!cw_url_origin(q->uri, &origin))
		return CW_ERR_OUT_OF_RANGE;
	if (cw_card_session_find(card, CW_BYTES_ARRAY(q->session_id)) != NULL)
		return CW_ERR_OUT_OF_RANGE;
	return find_room(card, &victim);
}

static void
put_card_info(const struct cw_card *card, enum cw_mode mode, struct cw_buf *out)
{
	unsigned keys = cw_card_count_keys(card);
	struct cw_card_info info = {
		.model = card->personal.model,
		.firmware = card->personal.firmware,
		.keys_free = keys < card->keys_max ? card->keys_max - keys : 0,
		.pin_set = cw_card_pin_is_set(&card->state->pin),
	};

	if (mode == CW_MODE_IDENTIFIED)
		info.serial = card->personal.serial;
	cw_card_info_encode(&info, out);
}

/* The token in the clear. `info` and `statement` are filled, `out` copies. */
static enum cw_err
make_token(struct cw_card *card, const struct cw_card_session *session,
    struct cw_buf *info, struct cw_buf *statement, struct cw_buf *out)
{
	const struct cw_card_attestor *a =
	    cw_card_attestor(card, session->mode);
	struct cw_token_statement s = { .mode = session->mode };
	struct cw_token token = { .n_chain = a->n_chain };
	enum cw_err err;

	put_card_info(card, session->mode, info);
	memcpy(s.th, session->channel.th, sizeof(s.th));
	memcpy(s.leaf_hash, a->leaf_hash, sizeof(s.leaf_hash));
	cw_hash(cw_buf_bytes(info), s.card_info_hash);
	s.has_pseudonym = session->mode == CW_MODE_PSEUDONYMOUS;
	if (s.has_pseudonym)
		cw_card_pseudonym(card, cw_card_oldest_owner(session),
		    s.pseudonym);
	card->operations.signatures++;
	err = cw_token_statement_make(&s, a->key, statement);
	if (err != CW_OK)
		return err;
	for (size_t i = 0; i < a->n_chain; i++)
		token.chain[i] = a->chain[i];
	token.statement = cw_buf_bytes(statement);
	token.card_info = cw_buf_bytes(info);
	token.has_pseudonym = s.has_pseudonym;
	memcpy(token.pseudonym, s.pseudonym, sizeof(token.pseudonym));
	cw_token_encode(&token, out);
	return info->err != CW_OK ? info->err : out->err;
}

/* Message 4 into the session, and h_0. */
static enum cw_err
make_message_4(struct cw_card *card, struct cw_card_session *session,
    const struct cw_public_key *ephemeral)
{
	struct cw_message4 message = { .card_ephemeral = *ephemeral };
	struct cw_buf info, statement, plain, sealed;
	enum cw_err err;

	cw_buf_init(&info, CW_REQUEST_MAX);
	cw_buf_init(&statement, CW_REQUEST_MAX);
	cw_buf_init(&plain, CW_COMMAND_MAX);
	cw_buf_init(&sealed, CW_COMMAND_MAX);
	err = make_token(card, session, &info, &statement, &plain);
	if (err == CW_OK)
		err = cw_channel_seal_token(&session->channel,
		    cw_buf_bytes(&plain), &sealed);
	if (err == CW_OK) {
		message.token = cw_buf_bytes(&sealed);
		cw_message4_encode(&message, &session->message_4);
		err = session->message_4.err;
	}
	if (err == CW_OK)
		cw_channel_begin(&session->channel,
		    cw_buf_bytes(&session->message_4));
	cw_buf_wipe(&info);
	cw_buf_wipe(&statement);
	cw_buf_wipe(&plain);
	cw_buf_wipe(&sealed);
	return err;
}

/* Ephemeral key and agreement; the private half is gone afterwards. */
static enum cw_err
make_session(struct cw_card *card, struct cw_bytes bytes,
    const struct cw_request *q, struct cw_card_session *session)
{
	struct cw_private_key *own = NULL;
	struct cw_public_key ephemeral;
	enum cw_err err;

	memcpy(session->id, q->session_id, sizeof(session->id));
	cw_hash(bytes, session->request_hash);
	cw_buf_put(&session->uri, q->uri);
	session->state = CW_SESSION_OPEN;
	session->mode = q->mode;
	session->scope = q->scope;
	session->command_limit = q->command_limit;
	card->operations.key_generations++;
	err = cw_key_generate(q->suite->agreement, &own);
	if (err == CW_OK) {
		cw_key_public(own, &ephemeral);
		card->operations.agreements++;
		err = cw_channel_init(&session->channel, q->suite, bytes,
		    &ephemeral, own, &q->issuer_ephemeral);
	}
	cw_key_free(&own);
	if (err == CW_OK)
		err = make_message_4(card, session, &ephemeral);
	return err != CW_OK ? err : session->uri.err;
}

static enum cw_err
open_session(struct cw_card *card, struct cw_bytes bytes, struct cw_request *q,
    struct cw_buf *out)
{
	struct cw_card_session *session = NULL, *victim = NULL;
	enum cw_err err;

	card->operations.verifications++;
	err = cw_request_verify(bytes, q);
	if (err == CW_OK) {
		session = cw_card_session_new();
		if (session == NULL)
			err = CW_ERR_NO_MEMORY;
	}
	if (err == CW_OK)
		err = cw_card_take_chain(card, q, session);
	if (err == CW_OK)
		err = make_session(card, bytes, q, session);
	if (err == CW_OK)
		err = find_room(card, &victim);
	if (err != CW_OK) {
		cw_card_session_free(&session);
		return err;
	}
	cw_buf_put(out, cw_buf_bytes(&session->message_4));
	if (victim != NULL)
		cw_card_session_drop(card, victim);
	cw_card_sessions_append(&card->state->sessions, session);
	/* Encrypt once: message 4 is stored before its first byte leaves. */
	err = cw_card_commit(card, CW_CARD_KEEP_RESERVE);
	if (err == CW_OK) {
		card->ram.has_nonce = false;
		cw_wipe(card->ram.nonce, sizeof(card->ram.nonce));
	}
	return err;
}

uint16_t
cw_card_open_session(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	const struct cw_card_session *kept;
	struct cw_request q;
	uint8_t hash[CW_HASH_BYTES];
	enum cw_err err;

	if (!cw_card_is_personalised(card))
		return CW_SW_NO_SESSION;
	if (apdu->data.len > CW_REQUEST_MAX)
		return CW_SW_WRONG_LENGTH;
	cw_hash(apdu->data, hash);
	kept = find_request(card, hash);
	if (kept != NULL) {
		cw_buf_put(out, cw_buf_bytes(&kept->message_4));
		return CW_SW_OK;
	}
	err = cw_request_decode(apdu->data, &q);
	if (err == CW_OK)
		err = check(card, &q);
	if (err != CW_OK)
		return cw_card_sw(err);
	/* docs/protocol.md "Privacy": who may learn which card this is. */
	if (q.mode == CW_MODE_IDENTIFIED &&
	    cw_card_pin_is_set(&card->state->pin) && !card->ram.pin_verified)
		return CW_SW_SECURITY;
	return cw_card_sw(open_session(card, apdu->data, &q, out));
}

/* ---- STATUS and ABORT ---- */

/* The issuer's open session, or else one that ended; the later opened. */
static const struct cw_card_session *
find_origin(const struct cw_card *card, struct cw_bytes origin)
{
	const struct cw_card_session *s, *found = NULL;
	struct cw_bytes own;

	for (s = card->state->sessions; s != NULL; s = s->next) {
		if (!cw_url_origin(cw_buf_bytes(&s->uri), &own) ||
		    !cw_bytes_equal(own, origin))
			continue;
		if (found == NULL || found->state != CW_SESSION_OPEN ||
		    s->state == CW_SESSION_OPEN)
			found = s;
	}
	return found;
}

static void
put_replies(const struct cw_card_session *session, struct cw_buf *out)
{
	const struct cw_card_record *record = session->records;

	cw_cbor_put_map(out, 1);
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_array(out, session->n_complete);
	for (size_t i = 0; i < session->n_complete; i++) {
		cw_cbor_put_bstr(out, cw_buf_bytes(&record->reply));
		record = record->next;
	}
}

uint16_t
cw_card_get_status(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	const struct cw_card_session *session;
	const struct cw_card_record *record;
	struct cw_status status = { 0 };
	struct cw_bytes origin;
	struct cw_buf replies;

	if (cw_status_query_decode(apdu->data, &origin) != CW_OK)
		return CW_SW_BAD_DATA;
	session = find_origin(card, origin);
	if (session == NULL)
		return CW_SW_NOT_FOUND;
	cw_buf_init(&replies, CW_CARD_MESSAGE_MAX);
	put_replies(session, &replies);
	status.uri = cw_buf_bytes(&session->uri);
	memcpy(status.session_id, session->id, sizeof(status.session_id));
	status.last_message = session->n_complete == 0 ?
	    cw_buf_bytes(&session->message_4) :
	    cw_buf_bytes(&replies);
	for (record = session->records; record != NULL; record = record->next)
		status.answered++;
	status.answered -= (unsigned)session->n_complete;
	status.state = session->state;
	cw_status_encode(&status, out);
	if (replies.err != CW_OK && out->err == CW_OK)
		out->err = replies.err;
	cw_buf_wipe(&replies);
	return CW_SW_OK;
}

uint16_t
cw_card_abort(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_card_session *session;

	(void)out;
	if (apdu->data.len != CW_SESSION_ID_BYTES)
		return CW_SW_WRONG_LENGTH;
	session = cw_card_session_find(card, apdu->data);
	if (session == NULL)
		return CW_SW_NO_SESSION;
	cw_card_session_drop(card, session);
	return cw_card_sw(cw_card_commit(card, CW_CARD_USE_RESERVE));
}
