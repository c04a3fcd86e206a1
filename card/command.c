/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COMMAND: decrypt, execute, encrypt once, store, answer (docs/protocol.md
 * "Commands" and "Encrypt once"). Nothing leaves the card that is not stored.
 */
#include "card/command.h"
#include "proto/base/secret.h"

/* Header, tag and CBOR around a reply's plaintext, with a margin. */
#define SEALED_EXTRA 256

/* What CLOSE adds behind its reply: handles of 32 keys, and nine management
 * keys with their successors. */
#define CLOSE_EXTRA 1024

#define ANY_MODE false
#define NEVER_ANONYMOUS true

static const struct action {
	enum cw_command_no no;
	bool is_management; /* refused in mode 3 */
	enum cw_err (
	    *run)(struct cw_card_job *job, const struct cw_command *command);
} actions[] = {
	{ CW_CREATE_PUK_POLICY, ANY_MODE, cw_card_do_puk_policy },
	{ CW_CREATE_PIN_POLICY, ANY_MODE, cw_card_do_pin_policy },
	{ CW_CREATE_KEY, ANY_MODE, cw_card_do_create_key },
	{ CW_SET_CERTIFICATES, ANY_MODE, cw_card_do_certificates },
	{ CW_IMPORT_SYMMETRIC_KEY, ANY_MODE, cw_card_do_create_key },
	{ CW_IMPORT_PRIVATE_KEY, ANY_MODE, cw_card_do_create_key },
	{ CW_SET_EXTENSION, ANY_MODE, cw_card_do_extension },
	{ CW_LIST, NEVER_ANONYMOUS, cw_card_do_list },
	{ CW_DELETE_KEY, NEVER_ANONYMOUS, cw_card_do_post },
	{ CW_UNLOCK_KEY, NEVER_ANONYMOUS, cw_card_do_post },
	{ CW_UPDATE_KEY, NEVER_ANONYMOUS, cw_card_do_post },
	{ CW_CLONE_KEY_PROTECTION, NEVER_ANONYMOUS, cw_card_do_post },
	{ CW_CLOSE, ANY_MODE, cw_card_do_close },
};

/* Every session may CLOSE; all else is named in R's scope. */
static enum cw_err
execute(struct cw_card_job *job, const struct cw_command *command)
{
	const struct cw_card_session *session = job->session;
	const struct action *action = NULL;

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (actions[i].no == command->no)
			action = &actions[i];
	if (action == NULL)
		return CW_ERR_UNKNOWN_COMMAND;
	if (command->no != CW_CLOSE &&
	    !cw_scope_has_command(&session->scope, (unsigned)command->no))
		return CW_ERR_OUTSIDE_SCOPE;
	if (action->is_management && session->mode == CW_MODE_ANONYMOUS)
		return CW_ERR_WRONG_MODE;
	if (session->answered >= session->command_limit)
		return CW_ERR_COMMAND_LIMIT;
	return action->run(job, command);
}

/* Seals the plaintext, records it, and puts the ciphertext into `out`. */
static enum cw_err
seal(struct cw_card_job *job, bool last, struct cw_buf *out)
{
	struct cw_card_session *session = job->session;
	enum cw_err err = cw_channel_seal_reply(&session->channel,
	    session->answered + 1, job->bytes, cw_buf_bytes(job->plain), out);

	if (err == CW_OK && out->len > CW_COMMAND_MAX)
		err = CW_ERR_TOO_LARGE;
	if (err == CW_OK)
		err = cw_card_session_record(session, job->bytes,
		    cw_buf_bytes(out), last);
	if (err == CW_OK)
		cw_channel_advance(&session->channel, job->bytes,
		    cw_buf_bytes(out));
	return err;
}

/* An error reply; the session and everything it made are gone. */
static enum cw_err
fail(struct cw_card_job *job, enum cw_err cause, struct cw_buf *out)
{
	const struct cw_reply reply = { .err = cause };
	enum cw_err err;

	cw_buf_reset(job->plain);
	cw_reply_encode(CW_CLOSE, &reply, job->plain);
	err = seal(job, true, out);
	if (err == CW_OK) {
		cw_card_session_end(job->card, job->session, CW_SESSION_ERROR);
		err = cw_card_commit(job->card, CW_CARD_USE_RESERVE);
	} else {
		cw_card_rollback(job->card);
	}
	return err;
}

static enum cw_err
succeed(struct cw_card_job *job, bool last, struct cw_buf *out)
{
	enum cw_err err = seal(job, last, out);

	if (err != CW_OK) {
		cw_card_rollback(job->card);
		return err;
	}
	if (job->closes) {
		cw_card_take_effect(job->card, job->session);
		cw_card_session_end(job->card, job->session, CW_SESSION_CLOSED);
	}
	return cw_card_commit(job->card, CW_CARD_KEEP_RESERVE);
}

/*
 * Whatever the plaintext says, it is authentic: a mistake in it gets an error
 * reply. What does not fit is found before anything is sealed, so that the
 * error reply is the only one under this i.
 */
static uint16_t
perform(struct cw_card_job *job, struct cw_bytes plain, struct cw_buf *out)
{
	struct cw_card_ram *ram = &job->card->ram;
	struct cw_command command;
	enum cw_err err = cw_command_decode(plain, &command);
	size_t extra = SEALED_EXTRA;

	if (err == CW_OK)
		err = execute(job, &command);
	if (err == CW_OK && job->plain->err != CW_OK)
		err = job->plain->err;
	if (err == CW_OK && job->pin_needed) {
		ram->pin_needed = true;
		ram->needed_policy = job->needed_policy;
		ram->needed_group = job->needed_group;
		ram->needed_usage = job->needed_usage;
		memcpy(ram->needed_session, job->session->id,
		    sizeof(ram->needed_session));
		return CW_SW_PIN_NEEDED;
	}
	ram->pin_needed = false;
	if (err == CW_OK && job->plain->len + SEALED_EXTRA > CW_COMMAND_MAX)
		err = CW_ERR_TOO_LARGE;
	if (job->closes)
		extra += CLOSE_EXTRA;
	if (err == CW_OK &&
	    !cw_card_has_room(job->card, job->plain->len + extra))
		err = CW_ERR_CARD_FULL;
	/* Ours, not the issuer's: the command may be given again. */
	if (cw_err_category(err) == CW_CAT_INTERNAL ||
	    err == CW_ERR_NO_MEMORY) {
		cw_card_rollback(job->card);
		return CW_SW_INTERNAL;
	}
	err = err == CW_OK ? succeed(job, command.last, out) :
			     fail(job, err, out);
	return cw_card_sw(err);
}

/* Bytes that do not decrypt: a durable counter, and at 8 the end. */
static uint16_t
count_failure(struct cw_card *card, struct cw_card_session *session)
{
	enum cw_err err;

	if (++session->failures >= CW_CARD_FAILURES_MAX)
		cw_card_session_end(card, session, CW_SESSION_ERROR);
	err = cw_card_commit(card, CW_CARD_USE_RESERVE);
	return err == CW_OK ? CW_SW_BAD_SIGNATURE : cw_card_sw(err);
}

static uint16_t
decrypt(struct cw_card *card, struct cw_card_session *session,
    struct cw_bytes bytes, struct cw_buf *out)
{
	struct cw_buf plain, reply;
	struct cw_card_job job = { .card = card,
		.session = session,
		.bytes = bytes,
		.plain = &reply };
	enum cw_err err;
	uint16_t sw;

	cw_buf_init(&plain, CW_COMMAND_MAX);
	cw_buf_init(&reply, (size_t)2 * CW_COMMAND_MAX);
	err = cw_channel_open_command(&session->channel, session->answered + 1,
	    bytes, &plain);
	if (err == CW_ERR_NO_MEMORY || err == CW_ERR_CRYPTO_FAILED)
		sw = CW_SW_INTERNAL;
	else if (err != CW_OK)
		sw = count_failure(card, session);
	else
		sw = perform(&job, cw_buf_bytes(&plain), out);
	cw_buf_wipe(&plain);
	cw_buf_wipe(&reply);
	return sw;
}

uint16_t
cw_card_command(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	const struct cw_card_record *record;
	struct cw_card_session *session;
	struct cw_bytes bytes;

	if (apdu->data.len <= CW_SESSION_ID_BYTES ||
	    apdu->data.len > CW_SESSION_ID_BYTES + CW_COMMAND_MAX)
		return CW_SW_WRONG_LENGTH;
	session = cw_card_session_find(card,
	    cw_bytes(apdu->data.ptr, CW_SESSION_ID_BYTES));
	if (session == NULL)
		return CW_SW_NO_SESSION;
	bytes = cw_bytes(apdu->data.ptr + CW_SESSION_ID_BYTES,
	    apdu->data.len - CW_SESSION_ID_BYTES);
	record = cw_card_session_answered(session, bytes);
	if (record != NULL) {
		cw_buf_put(out, cw_buf_bytes(&record->reply));
		return CW_SW_OK;
	}
	if (session->state != CW_SESSION_OPEN)
		return CW_SW_NO_SESSION;
	return decrypt(card, session, bytes, out);
}
