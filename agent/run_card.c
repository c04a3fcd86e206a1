/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run's work on the card. The card is taken for each burst of commands and
 * given free before anybody waits for the issuer or a person; a PIN that was
 * verified does not outlast its burst.
 */
#include "agent/run_internal.h"

#include "proto/base/secret.h"

#define WAIT_SLICE_MS 250 /* how soon a wait notices that it shall stop */
#define PIN_ROUNDS_MAX 3  /* PINs that one command may ask for */

static bool
is_stopped(const struct cw_run *run)
{
	return run->env.is_stopped != NULL && run->env.is_stopped(run->env.ctx);
}

/* What a person can mend by putting something in. */
static bool
is_mended_by_person(enum cw_err err)
{
	return err == CW_ERR_NO_READER || err == CW_ERR_NO_CARD ||
	    err == CW_ERR_CARD_REMOVED;
}

/* The card there is the wrong one: it is not asked again before something has
 * changed. */
static bool
is_mended_by_change(enum cw_err err)
{
	return err == CW_ERR_WRONG_CARD || err == CW_ERR_OTHER_CARD;
}

static bool
is_worth_waiting(const struct cw_run *run, enum cw_err err)
{
	return is_mended_by_person(err) ||
	    (run->env.is_patient &&
		(is_mended_by_change(err) ||
		    (err == CW_ERR_CARD_BUSY && !run->env.reader->is_stuck)));
}

/* Waits until there is a card, telling why, and again when the reason changes.
 * `err` is what is wrong now. */
static enum cw_err
wait_for_card(struct cw_run *run, enum cw_err err, unsigned wait_ms,
    const char *key)
{
	uint64_t end = cw_clock_monotonic_ms() + wait_ms;
	struct cw_reader *reader = run->env.reader;
	enum cw_err told = CW_OK;

	while (is_worth_waiting(run, err) && cw_clock_monotonic_ms() < end &&
	    !is_stopped(run)) {
		enum cw_err waited;

		if (told != err)
			cw_run_tell_wait(run, key, err);
		told = err;
		waited = reader->ops->wait(reader, WAIT_SLICE_MS);
		if (waited == CW_ERR_PERSON_TIMEOUT && is_mended_by_change(err))
			continue;
		if (waited != CW_OK && waited != CW_ERR_PERSON_TIMEOUT)
			err = waited;
		else
			err = cw_icc_connect(&run->card, run->env.reader_name);
	}
	if (told != CW_OK)
		cw_run_tell(run, CW_PROGRESS_PERSON_END, 0, key);
	return is_stopped(run) && err != CW_OK ? CW_ERR_REFUSED : err;
}

enum cw_err
cw_run_find_card(struct cw_run *run)
{
	enum cw_err err = CW_OK;

	if (!run->card.is_connected)
		err = cw_icc_connect(&run->card, run->env.reader_name);
	return wait_for_card(run, err, run->env.card_wait_ms, "card");
}

enum cw_err
cw_run_find_again(struct cw_run *run, enum cw_err problem)
{
	enum cw_err err = problem;

	cw_icc_disconnect(&run->card, false);
	if (!is_mended_by_change(problem))
		err = cw_icc_connect(&run->card, run->env.reader_name);
	err = wait_for_card(run, err, run->env.again_wait_ms, "card-again");
	return is_mended_by_person(err) ? CW_ERR_CARD_REMOVED : err;
}

enum cw_err
cw_run_read_caps(struct cw_run *run)
{
	enum cw_err err = cw_icc_begin(&run->card);

	if (err != CW_OK)
		return err;
	cw_buf_reset(&run->caps_bytes);
	err = cw_icc_capabilities(&run->card, &run->caps_bytes);
	if (err == CW_OK &&
	    cw_run_look(run, &run->before) == CW_ERR_CARD_REMOVED)
		err = CW_ERR_CARD_REMOVED;
	cw_icc_end(&run->card);
	run->resets = run->card.reader->resets;
	if (err == CW_OK)
		err = cw_card_caps_decode(cw_buf_bytes(&run->caps_bytes),
		    &run->caps);
	return err == CW_OK ? cw_run_check_named(run) : err;
}

/* OPEN SESSION in the same burst as VERIFY, if there is a PIN to verify. */
static enum cw_err
open_with_pin(struct cw_run *run, struct cw_bytes bytes,
    struct cw_buf *message_4)
{
	enum cw_err err = cw_icc_begin(&run->card);

	if (err != CW_OK)
		return err;
	/* Another program reset the card: the nonce is gone. */
	if (run->card.reader->resets != run->resets)
		err = CW_ERR_BAD_NONCE;
	if (err == CW_OK && run->pin->len > 0)
		err = cw_icc_verify(&run->card,
		    cw_bytes(run->pin->bytes, run->pin->len));
	if (err == CW_OK)
		err = cw_icc_open_session(&run->card, bytes, message_4);
	cw_icc_end(&run->card);
	return err;
}

/* Mode 1 needs the holder's PIN once one is set (docs/protocol.md 10). */
static enum cw_err
open_identified(struct cw_run *run, struct cw_bytes bytes,
    struct cw_buf *message_4)
{
	struct cw_pin_info info;
	enum cw_err last = CW_OK;
	unsigned tries;
	enum cw_err err = cw_icc_begin(&run->card);

	if (err != CW_OK)
		return err;
	err = cw_icc_pin_info(&run->card, &info);
	cw_icc_end(&run->card);
	if (err != CW_OK)
		return err;
	if (!info.is_set)
		return open_with_pin(run, bytes, message_4);
	for (tries = info.tries_left;; tries = run->card.tries_left) {
		if (run->pin->len == 0)
			err = cw_run_ask_holder(run, &info, tries, last);
		if (err == CW_OK)
			err = open_with_pin(run, bytes, message_4);
		/* Typed before the card lost its nonce: it is not asked for
		 * again, see cw_run_answer. */
		if (err == CW_ERR_BAD_NONCE)
			return err;
		cw_wipe(run->pin, sizeof(*run->pin));
		if (err == CW_ERR_PIN_WRONG && run->card.tries_left == 0)
			return CW_ERR_PIN_BLOCKED;
		if (err != CW_ERR_PIN_WRONG || !run->env.pin_entry->can_repeat)
			return err;
		last = err;
		err = CW_OK;
	}
}

enum cw_err
cw_run_open(struct cw_run *run, struct cw_bytes bytes, enum cw_mode mode,
    struct cw_buf *message_4)
{
	return mode == CW_MODE_IDENTIFIED ?
	    open_identified(run, bytes, message_4) :
	    open_with_pin(run, bytes, message_4);
}

/* One command, and the PIN that it may need first. */
static enum cw_err
command(struct cw_run *run, struct cw_bytes bytes, struct cw_buf *reply)
{
	bool pin_needed = false;
	enum cw_err err;

	for (int i = 0; i < PIN_ROUNDS_MAX; i++) {
		cw_buf_reset(reply);
		err = cw_icc_command(&run->card, run->session_id, bytes, reply,
		    &pin_needed);
		if (err != CW_OK || !pin_needed)
			return err;
		err = cw_run_set_pin(run);
		if (err != CW_OK)
			return err;
	}
	return CW_ERR_CARD_SAYS;
}

/*
 * The replies are views into `store`, which is as large as all of them and
 * therefore never moves.
 */
static enum cw_err
commands(struct cw_run *run, struct cw_buf *store)
{
	struct cw_buf reply;
	enum cw_err err = CW_OK;

	cw_buf_init(&reply, CW_COMMAND_MAX);
	run->replies.n = 0;
	for (size_t i = 0; i < run->batch.n && err == CW_OK; i++) {
		size_t at = store->len;

		err = command(run, run->batch.items[i], &reply);
		/*
		 * An error reply cannot be told from another one here, but the
		 * session ends with it: the next command finds none, and the
		 * short batch goes to the issuer.
		 */
		if (err == CW_ERR_NO_SESSION && i > 0) {
			err = CW_OK;
			break;
		}
		if (err == CW_OK)
			cw_buf_put(store, cw_buf_bytes(&reply));
		if (err == CW_OK)
			err = store->err;
		if (err == CW_OK)
			run->replies.items[run->replies.n++] =
			    cw_bytes(store->ptr + at, reply.len);
	}
	cw_buf_wipe(&reply);
	return err;
}

enum cw_err
cw_run_batch(struct cw_run *run, struct cw_buf *out)
{
	struct cw_buf store;
	enum cw_err err = cw_icc_begin(&run->card);

	if (err != CW_OK)
		return err;
	cw_buf_init(&store, CW_BODY_MAX);
	/* Taken whole, so that what points into it stays. */
	if (cw_buf_extend(&store, CW_BODY_MAX) == NULL)
		err = store.err;
	cw_buf_truncate(&store, 0);
	if (err == CW_OK)
		err = commands(run, &store);
	cw_icc_end(&run->card);
	if (err == CW_OK) {
		cw_replies_encode(&run->replies, out);
		err = out->err;
	}
	cw_buf_wipe(&store);
	return err;
}
