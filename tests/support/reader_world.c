/* SPDX-License-Identifier: Apache-2.0 */
/* A world for runs. */
#include "tests/support/reader_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/secret.h"

static void
must(enum cw_err err)
{
	if (err == CW_OK)
		return;
	fprintf(stderr, "test world: %s\n", cw_err_name(err));
	abort();
}

/* ---- the issuer, message by message ---- */

/* What the issuer of tests/support reads off its wire: what was stored. */
static void
stored_answer(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	const struct cw_buf *stored = ctx;

	(void)command;
	cw_buf_reset(response);
	cw_buf_put(response, cw_buf_bytes(stored));
	cw_buf_put_u16be(response, 0x9000);
}

static enum cw_err
make_request(struct cw_world *w, struct cw_bytes message, struct cw_buf *answer)
{
	struct cw_request *q = &w->issuer.request;
	struct cw_capabilities c;
	enum cw_err err = cw_capabilities_decode(message, &c);

	if (err != CW_OK)
		return err;
	cw_buf_reset(&w->issuer.caps);
	cw_buf_put(&w->issuer.caps, c.card_caps);
	memcpy(q->intent_hash, c.intent_hash, sizeof(q->intent_hash));
	q->scope = w->intent.scope;
	q->mode = w->intent.mode;
	q->uri = w->intent.session_url;
	if (w->edit_request != NULL) {
		struct cw_card_caps caps;

		/* Made twice: cw_test_issuer_request fills in what a hook may
		 * want to change. */
		err = cw_test_issuer_request(&w->issuer);
		if (err == CW_OK)
			err = cw_card_caps_decode(c.card_caps, &caps);
		if (err != CW_OK)
			return err;
		w->edit_request(w);
		cw_buf_reset(&w->issuer.r);
		err =
		    cw_request_make(q, w->issuer.management_key, &w->issuer.r);
	} else {
		err = cw_test_issuer_request(&w->issuer);
	}
	cw_buf_put(answer, cw_buf_bytes(&w->issuer.r));
	return err;
}

/* Adds a command to the batch, sealed as the one after those in it. */
static enum cw_err
add(struct cw_world *w, const struct cw_command *command)
{
	struct cw_test_issuer *issuer = &w->issuer;
	unsigned i = issuer->i;
	size_t at = w->batch_bytes.len;
	enum cw_err err;

	issuer->i += (unsigned)w->batch.n;
	err = cw_test_issuer_seal(issuer, command);
	issuer->i = i;
	cw_buf_put(&w->batch_bytes, cw_buf_bytes(&issuer->command));
	w->batch_no[w->batch.n] = command->no;
	w->batch.items[w->batch.n++] =
	    cw_bytes(w->batch_bytes.ptr + at, issuer->command.len);
	return err;
}

static void
begin_batch(struct cw_world *w, enum cw_phase phase)
{
	w->batch.phase = phase;
	w->batch.n = 0;
	cw_buf_reset(&w->batch_bytes);
	/* Room taken at once, so that the views stay. */
	(void)cw_buf_extend(&w->batch_bytes, CW_BODY_MAX);
	cw_buf_truncate(&w->batch_bytes, 0);
}

static enum cw_err
make_list(struct cw_world *w, struct cw_buf *answer)
{
	const struct cw_command list = { .no = CW_LIST, .last = true };
	enum cw_err err;

	begin_batch(w, CW_PHASE_MANAGING);
	err = add(w, &list);
	cw_batch_encode(&w->batch, answer);
	w->step = 5;
	return err;
}

static enum cw_err
make_keys(struct cw_world *w, struct cw_buf *answer)
{
	struct cw_command create = { .no = CW_CREATE_KEY, .last = true };
	enum cw_err err;

	create.u.create_key = w->key;
	begin_batch(w, CW_PHASE_CREATING);
	err = add(w, &create);
	cw_batch_encode(&w->batch, answer);
	w->step = 7;
	return err;
}

static enum cw_err
make_certificates(struct cw_world *w, struct cw_buf *answer)
{
	struct cw_command set = { .no = CW_SET_CERTIFICATES };
	struct cw_command close = { .no = CW_CLOSE, .last = true };
	enum cw_err err = cw_test_issuer_make_certificate(&w->issuer, &w->made,
	    "CN=Test holder");

	set.u.set_certificates.id = w->key.id;
	set.u.set_certificates.n_chain = 2;
	set.u.set_certificates.chain[0] = cw_buf_bytes(&w->issuer.certificate);
	set.u.set_certificates.chain[1] = cw_buf_bytes(&w->issuer.ca);
	begin_batch(w, CW_PHASE_INSTALLING);
	if (err == CW_OK)
		err = add(w, &set);
	cw_random(w->issuer.close_nonce, sizeof(w->issuer.close_nonce));
	memcpy(close.u.close.nonce, w->issuer.close_nonce,
	    sizeof(close.u.close.nonce));
	if (err == CW_OK)
		err = add(w, &close);
	cw_batch_encode(&w->batch, answer);
	w->step = 9;
	return err;
}

/* One reply: opens it and takes what the next answer needs. */
static enum cw_err
take_reply(struct cw_world *w, size_t n, struct cw_bytes sealed)
{
	struct cw_test_issuer *issuer = &w->issuer;
	static struct cw_listed_key keys[CW_KEYS_MAX];
	struct cw_reply reply = { .keys = keys };
	struct cw_result_statement result;
	struct cw_bytes command = w->batch.items[n];
	enum cw_err err;

	cw_buf_reset(&issuer->reply_plain);
	err = cw_channel_open_reply(&issuer->channel, issuer->i + 1, command,
	    sealed, &issuer->reply_plain);
	if (err != CW_OK)
		return err;
	if (w->batch_no[n] == CW_CLOSE)
		cw_channel_h_end(&issuer->channel, command, issuer->h_end);
	cw_channel_advance(&issuer->channel, command, sealed);
	issuer->i++;
	err = cw_reply_decode(w->batch_no[n],
	    cw_buf_bytes(&issuer->reply_plain), &reply);
	if (err == CW_OK)
		err = reply.err;
	if (err == CW_OK && w->batch_no[n] == CW_CREATE_KEY)
		w->made = reply.key;
	if (err == CW_OK && w->batch_no[n] == CW_CLOSE) {
		err = cw_result_statement_verify(reply.statement,
		    &issuer->attestation, &result);
		if (err == CW_OK &&
		    memcmp(result.h_end, issuer->h_end, CW_HASH_BYTES) != 0)
			err = CW_ERR_WRONG_STATEMENT;
		w->is_confirmed = err == CW_OK;
	}
	return err;
}

/* A message that does not verify changes nothing. */
static enum cw_err
take_replies(struct cw_world *w, struct cw_bytes message)
{
	static struct cw_batch replies;
	struct cw_channel channel = w->issuer.channel;
	unsigned i_before = w->issuer.i;
	enum cw_err err = cw_replies_decode(message, &replies);

	if (err == CW_OK && replies.n > w->batch.n)
		err = CW_ERR_WRONG_REPLY;
	for (size_t i = 0; err == CW_OK && i < replies.n; i++)
		err = take_reply(w, i, replies.items[i]);
	if (err == CW_OK && replies.n != w->batch.n)
		err = CW_ERR_WRONG_REPLY;
	if (err != CW_OK) {
		w->issuer.channel = channel;
		w->issuer.i = i_before;
	}
	cw_channel_wipe(&channel);
	return err;
}

static enum cw_err
next_answer(struct cw_world *w, struct cw_bytes message, struct cw_buf *answer)
{
	struct cw_test_issuer *issuer = &w->issuer;
	enum cw_err err;

	if (w->step == 3) {
		w->step = 4;
		return make_request(w, message, answer);
	}
	if (w->step == 4) {
		cw_buf_reset(&issuer->message_4);
		cw_buf_reset(&issuer->reply);
		cw_buf_put(&issuer->reply, message);
		err = cw_test_issuer_open(issuer);
		if (err != CW_OK)
			return err;
		return w->has_management_round ? make_list(w, answer) :
						 make_keys(w, answer);
	}
	err = take_replies(w, message);
	if (err != CW_OK)
		return err;
	return w->step == 5 ? make_keys(w, answer) :
	    w->step == 7    ? make_certificates(w, answer) :
			      CW_OK;
}

enum cw_err
cw_world_issuer(struct cw_world *w, struct cw_bytes message,
    struct cw_buf *answer)
{
	struct cw_world_exchange *x;
	unsigned step = w->step;
	enum cw_err err;

	cw_buf_reset(answer);
	w->says_ended = w->is_dead && w->dead_as != CW_OK;
	if (w->is_dead)
		return w->says_ended ? w->dead_as : CW_ERR_NO_SESSION;
	for (size_t i = 0; i < w->n_exchanges; i++) {
		x = &w->exchanges[i];
		if (!cw_bytes_equal(cw_buf_bytes(&x->message), message))
			continue;
		cw_buf_put(answer, cw_buf_bytes(&x->answer));
		return answer->err;
	}
	/* Another message 2: another session. */
	if (w->step == 4 && message.len > 0 && message.ptr[0] == 0xa4)
		step = w->step = 3;
	err = next_answer(w, message, answer);
	if (err != CW_OK)
		return err;
	if (w->edit_answer != NULL)
		w->edit_answer(w, step, answer);
	if (w->n_exchanges < CW_WORLD_MESSAGES) {
		x = &w->exchanges[w->n_exchanges++];
		cw_buf_put(&x->message, message);
		cw_buf_put(&x->answer, cw_buf_bytes(answer));
	}
	return answer->err;
}

void
cw_world_new_session(struct cw_world *w)
{
	for (size_t i = 0; i < w->n_exchanges; i++) {
		cw_buf_wipe(&w->exchanges[i].message);
		cw_buf_wipe(&w->exchanges[i].answer);
	}
	w->n_exchanges = 0;
	w->step = 3;
	w->is_confirmed = false;
	cw_buf_reset(&w->intent_bytes);
	cw_intent_encode(&w->intent, &w->intent_bytes);
	must(w->intent_bytes.err);
}

/* ---- the person ---- */

static enum cw_err
person_ask(struct cw_pin_entry *entry, const struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	struct cw_world *w = (struct cw_world *)(void *)((uint8_t *)entry -
	    offsetof(struct cw_world, person));
	const char *value =
	    prompt->what == CW_PIN_PUK ? w->issuer.puk : w->issuer.pin;

	if (w->reader.is_begun) {
		fprintf(stderr, "a person thinks while the card is held\n");
		abort();
	}
	if (w->n_prompts < CW_WORLD_PROMPTS) {
		if (w->pins[w->n_prompts] != NULL)
			value = w->pins[w->n_prompts];
		w->prompts[w->n_prompts++] = *prompt;
	}
	if (w->pin_error != CW_OK)
		return w->pin_error;
	out->len = strlen(value);
	memcpy(out->bytes, value, out->len);
	return CW_OK;
}

static void
person_close(struct cw_pin_entry *entry)
{
	(void)entry;
}

static enum cw_err
on_consent(void *ctx, const struct cw_consent *consent)
{
	struct cw_world *w = ctx;

	w->consents++;
	w->consent = *consent;
	w->apdus_before_consent = w->reader.apdus;
	return w->consent_error;
}

static void
on_progress(void *ctx, const struct cw_progress *progress)
{
	struct cw_world *w = ctx;

	if (progress->kind == CW_PROGRESS_PERSON_BEGIN &&
	    strncmp(progress->key, "card", 4) == 0) {
		w->waits_told++;
		w->problem = progress->problem;
	}
	if (progress->kind == CW_PROGRESS_END)
		w->steps_seen |= 1u << progress->step;
}

/* ---- the whole ---- */

static void
init_issuer(struct cw_world *w)
{
	const struct cw_test_wire wire = { stored_answer, &w->issuer.reply };

	cw_test_issuer_init(&w->issuer, &wire);
	cw_buf_init(&w->intent_bytes, CW_BODY_MAX);
	cw_buf_init(&w->batch_bytes, CW_BODY_MAX);
	for (size_t i = 0; i < CW_WORLD_MESSAGES; i++) {
		cw_buf_init(&w->exchanges[i].message, CW_BODY_MAX);
		cw_buf_init(&w->exchanges[i].answer, CW_BODY_MAX);
	}
	w->intent = (struct cw_intent){
		.issuer_name = cw_bytes_str("Test issuer"),
		.purpose = cw_bytes_str("Tests"),
		.action = CW_ACTION_ENROLL,
		.subject = cw_bytes_str("CN=Test holder"),
		.session_url = cw_bytes_str(CW_TEST_URI),
		.scope = w->issuer.request.scope,
		.mode = CW_MODE_PSEUDONYMOUS,
		.expires_s = CW_TEST_NOW_S + 3600,
	};
	w->key = (struct cw_create_key){
		.id = 7,
		.type = CW_KEY_P256,
		.usage = cw_test_usage(CW_KEY_P256),
		.slot = 0x9A,
		.name = cw_bytes_str("Test key"),
	};
}

void
cw_world_init(struct cw_world *w, const struct cw_test_vendor *vendor)
{
	char path[sizeof(w->folder) + 16];

	memset(w, 0, sizeof(*w));
	/* As in main; but leak checkers must be able to look at us. */
	if (!cw_secret_process_init() ||
	    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
		abort();
	cw_log_set_level(CW_LOG_ERROR);
	w->vendor = vendor;
	cw_test_card_init(&w->card, vendor);
	cw_local_reader_init(&w->reader, &w->card);
	init_issuer(w);
	w->person = (struct cw_pin_entry){ .ask = person_ask,
		.close = person_close,
		.can_repeat = true,
		.name = "test" };
	snprintf(w->folder, sizeof(w->folder), "/tmp/cw-world-XXXXXX");
	if (mkdtemp(w->folder) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/issuers", w->folder);
	must(cw_known_init(&w->known, path));
	w->clock = cw_clock_fixed(CW_TEST_NOW_S);
	w->env = (struct cw_run_env){
		.reader = &w->reader.base,
		.origin = cw_bytes_str(CW_TEST_ORIGIN),
		.pin_entry = &w->person,
		.known = &w->known,
		.clock = &w->clock,
		.consent = on_consent,
		.progress = on_progress,
		.ctx = w,
	};
	cw_run_out_init(&w->out);
	cw_world_new_session(w);
	cw_world_new_run(w);
}

void
cw_world_wipe(struct cw_world *w)
{
	static const char *const files[] = { "issuers", "issuers.lock",
		"issuers.new" };

	cw_run_free(&w->run);
	cw_run_out_wipe(&w->out);
	cw_world_new_session(w);
	cw_buf_wipe(&w->intent_bytes);
	cw_buf_wipe(&w->batch_bytes);
	cw_test_issuer_wipe(&w->issuer);
	cw_test_card_wipe(&w->card);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[sizeof(w->folder) + 16];

		snprintf(path, sizeof(path), "%s/%s", w->folder, files[i]);
		unlink(path);
	}
	rmdir(w->folder);
}

void
cw_world_new_run(struct cw_world *w)
{
	cw_run_free(&w->run);
	w->run = cw_run_new(&w->env);
	if (w->run == NULL)
		abort();
}

static enum cw_err
converse(struct cw_world *w)
{
	struct cw_buf answer;
	enum cw_err err = CW_OK;

	cw_buf_init(&answer, CW_BODY_MAX);
	while (err == CW_OK && w->out.to != CW_RUN_TO_NOBODY) {
		err = cw_world_issuer(w, cw_buf_bytes(&w->out.bytes), &answer);
		if (err != CW_OK) {
			cw_run_refused(w->run, err, w->says_ended);
			break;
		}
		err = cw_run_answer(w->run, cw_buf_bytes(&answer), &w->out);
	}
	cw_buf_wipe(&answer);
	return err;
}

enum cw_err
cw_world_enroll_anew(struct cw_world *w)
{
	enum cw_err err =
	    cw_run_begin(w->run, cw_buf_bytes(&w->intent_bytes), &w->out);

	return err == CW_OK ? converse(w) : err;
}

enum cw_err
cw_world_enroll(struct cw_world *w)
{
	enum cw_run_resume found = CW_RESUME_NONE;
	enum cw_err err = cw_run_resume(w->run, &found, &w->out);

	if (err != CW_OK)
		return err;
	if (found == CW_RESUME_NONE)
		return cw_world_enroll_anew(w);
	err = converse(w);
	return found == CW_RESUME_COURTESY ? cw_world_enroll_anew(w) : err;
}
