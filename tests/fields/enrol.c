/* SPDX-License-Identifier: Apache-2.0 */
/* Whole sessions: the agent's core, the reference card, the issuer's engine and
 * its signer. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/run.h"
#include "keys/devtree.h"
#include "keys/keyfile.h"
#include "proto/card_link.h"
#include "proto/grant.h"
#include "proto/intent.h"
#include "proto/rfc4648.h"
#include "server/admin.h"
#include "server/evidence.h"
#include "tests/fields/world.h"
#include "tests/support/manage_world.h"
#include "tests/support/reader_local.h"

#define SESSIONS_A_WORLD 200 /* then its store begins anew */

static const struct kind {
	const char *name, *profile;
	const char *action; /* NULL: a new card; else what is done to its key */
	unsigned approvals;
	bool resumes;  /* message 4 is sent by another run of the agent */
	bool is_bound; /* the grant is for this card and model */
} enrolments[] = {
	{ .name = "enrol", .profile = "person" },
	{ .name = "outside", .profile = "person-ed25519" },
	{ .name = "rsa", .profile = "person-rsa" },
	{ .name = "approved", .profile = "approved", .approvals = 2 },
	{ .name = "resumed", .profile = "person", .resumes = true },
	{ .name = "bound", .profile = "person", .is_bound = true },
	{ .name = "renewed", .profile = "person", .action = "renew" },
	{ .name = "moved", .profile = "person-ed25519", .action = "renew" },
	{ .name = "deleted", .profile = "person", .action = "manage" },
	{ .name = "unlocked", .profile = "person", .action = "unlock" },
};

static struct {
	void *world; /* struct cw_server_world; NULL before the first */
	struct cw_private_key *management;
	unsigned sessions;
	bool is_past_agent;
	struct cw_buf
	    honest; /* R, if the agent sees another one than the card */
	struct cw_buf dishonest;
} all;

/* One session. */
struct play {
	const struct kind *kind;
	struct cw_server_world *w;
	struct cw_test_card card;
	struct cw_local_reader reader;
	struct cw_pin_entry person;
	struct cw_run_env env;
	struct cw_run *run;
	struct cw_run_out out;
	struct cw_buf answer;
	struct cw_server_play server; /* the engine's side: id, ended */
	unsigned message;             /* the last one that was sent */
};

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fields: %s\n", what);
	abort();
}

/* ---- R in the hands of whoever has the management key ---- */

void
cw_request_tap(struct cw_buf *request)
{
	if (cw_tap_signed("issuer", "session-request", request, all.management))
		return;
	cw_buf_reset(&all.honest);
	cw_buf_put(&all.honest, cw_buf_bytes(request));
	all.is_past_agent = cw_tap_signed("issuer and agent", "session-request",
	    request, all.management);
	cw_buf_reset(&all.dishonest);
	cw_buf_put(&all.dishonest, cw_buf_bytes(request));
}

void
cw_past_agent_take(struct cw_buf *data)
{
	if (!all.is_past_agent)
		return;
	cw_buf_reset(data);
	cw_buf_put(data, cw_buf_bytes(&all.dishonest));
}

/* ---- the world ---- */

static enum cw_err
person_ask(struct cw_pin_entry *entry, const struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	const char *value = prompt->what == CW_PIN_PUK ? "58203147" : "831942";

	(void)entry;
	out->len = strlen(value);
	memcpy(out->bytes, value, out->len);
	return CW_OK;
}

static enum cw_err
accept(void *ctx, const struct cw_consent *consent)
{
	(void)ctx;
	(void)consent;
	return CW_OK;
}

static void
set_suite(struct cw_server_world *w, unsigned suite)
{
	for (size_t i = 0; i < w->config.n_profiles; i++)
		w->config.profiles[i].suites = 1u << suite;
}

static struct cw_server_world *
world(void)
{
	if (all.world != NULL && ++all.sessions % SESSIONS_A_WORLD == 0) {
		cw_server_world_teardown(&all.world);
		all.world = NULL;
	} else if (all.world != NULL) {
		return all.world;
	}
	if (all.management == NULL) {
		void *nothing = NULL;

		cw_server_world_begin(&nothing);
		cw_buf_init(&all.honest, CW_REQUEST_MAX);
		cw_buf_init(&all.dishonest, CW_REQUEST_MAX);
	}
	cw_server_world_setup(&all.world);
	if (all.management == NULL) {
		const struct cw_server_world *w = all.world;

		must(cw_keyfile_load(cw_keys_tree_path(w->tree,
					 "management.key"),
			 NULL, &all.management) == CW_OK,
		    "management key");
	}
	return all.world;
}

void
cw_fields_enrol_end(void)
{
	if (all.management == NULL)
		return;
	cw_server_world_teardown(&all.world);
	cw_server_world_end(&all.world);
	cw_key_free(&all.management);
	cw_buf_wipe(&all.honest);
	cw_buf_wipe(&all.dishonest);
}

/* The world's card, in a reader. */
static void
card_init(struct play *p)
{
	cw_server_card_new(p->w);
	p->card.card = p->w->card;
	cw_local_reader_init(&p->reader, &p->card);
}

static void
new_run(struct play *p)
{
	cw_run_free(&p->run);
	p->run = cw_run_new(&p->env);
	must(p->run != NULL, "run");
}

/* The card's leaf and model, into a grant. */
static void
bind(struct cw_server_world *w, struct cw_grant *grant)
{
	struct cw_personalisation p;
	struct cw_buf bytes;

	cw_buf_init(&bytes, CW_BODY_MAX);
	cw_keys_tree_card(w->tree, 1, &bytes);
	must(cw_personalisation_decode(cw_buf_bytes(&bytes), &p) == CW_OK,
	    "personalisation");
	grant->has_leaf = grant->has_model = true;
	cw_hash(p.card_chain[0], grant->leaf_hash);
	grant->model = cw_bytes_str(CW_DEVTREE_MODEL);
	cw_buf_wipe(&bytes);
}

static void
begin(struct play *p, const struct kind *kind, unsigned suite)
{
	const struct cw_clock now = cw_clock_system();

	memset(p, 0, sizeof(*p));
	p->kind = kind;
	p->w = world();
	/* The signer has the machine's clock, and is not to be ahead. */
	p->w->clock.fixed_s = cw_clock_now_s(&now) + 5;
	all.is_past_agent = false;
	set_suite(p->w, suite);
	p->w->profile = kind->profile;
	p->w->approvals = kind->approvals;
	p->w->edit_grant = kind->is_bound ? bind : NULL;
	card_init(p);
	p->person = (struct cw_pin_entry){ .ask = person_ask, .name = "test" };
	p->env = (struct cw_run_env){ .reader = &p->reader.base,
		.origin = cw_bytes_str(p->w->config.url),
		.pin_entry = &p->person,
		.clock = &p->w->clock,
		.n_languages = 1,
		.languages = { cw_bytes_str("en") },
		.consent = accept };
	cw_run_out_init(&p->out);
	cw_buf_init(&p->answer, CW_BODY_MAX);
	cw_server_play_init(&p->server);
	new_run(p);
}

static void
end(struct play *p)
{
	cw_run_free(&p->run);
	cw_run_out_wipe(&p->out);
	cw_buf_wipe(&p->answer);
	cw_server_play_wipe(&p->server);
}

/* ---- message by message ---- */

/* Rules of the messages 1 to 8 on the network. */
static const char *const rules[] = { "", "intent", "capabilities",
	"session-request", "message-4", "batch (5)", "replies (6)", "batch (7)",
	"replies (8)" };

static void
on_the_network(struct play *p, struct cw_buf *bytes)
{
	if (p->message < sizeof(rules) / sizeof(rules[0]))
		cw_tap("network", rules[p->message], bytes);
}

static enum cw_err
to_agent(struct play *p,
    enum cw_err (*take)(struct cw_run *, struct cw_bytes, struct cw_run_out *),
    struct cw_buf *bytes)
{
	enum cw_err err;

	if (bytes->len > 0)
		on_the_network(p, bytes);
	err = take(p->run, cw_buf_bytes(bytes), &p->out);
	cw_tap_error("agent", err);
	return err;
}

/* Two operators, as often as it is asked for. */
static void
approve(struct play *p)
{
	for (unsigned i = 1; i <= 2; i++) {
		char id[2 * CW_SESSION_ID_BYTES + 1];
		char key[256];
		char name[32];
		struct cw_admin admin = { .config = &p->w->config,
			.store = p->w->store,
			.argument = id,
			.operator_key = key,
			.subject = "CN=Ada Lovelace" };

		snprintf(name, sizeof(name), "operator-%u.key", i);
		snprintf(key, sizeof(key), "%s",
		    cw_keys_tree_path(p->w->tree, name));
		cw_base16_encode(CW_BYTES_ARRAY(p->server.id), id);
		cw_tap_error("operator", cw_admin_approve(&admin));
	}
}

/* Errors: NOT_FOUND where this issuer has no sessions. */
static enum cw_err
take_id(struct play *p)
{
	struct cw_server_world *w = p->w;
	char sessions[CW_PATH_MAX + 16];
	size_t len;

	len = (size_t)snprintf(sessions, sizeof(sessions), "%s/session/",
	    w->config.url);
	if (strncmp(p->out.url, sessions, len) != 0 ||
	    !cw_base64url_decode(cw_bytes_str(p->out.url + len), p->server.id,
		CW_SESSION_ID_BYTES))
		return CW_ERR_NOT_FOUND;
	return CW_OK;
}

static enum cw_err
post(struct play *p)
{
	struct cw_bytes message = cw_buf_bytes(&p->out.bytes);
	struct cw_engine *engine = &p->w->engine;
	enum cw_err err;

	cw_buf_reset(&p->answer);
	if (p->out.to == CW_RUN_TO_ISSUER)
		return cw_session_open(engine, &p->w->invitation, message,
		    &p->answer, p->server.id);
	err = take_id(p);
	return err != CW_OK ? err :
			      cw_session_message(engine, p->server.id, message,
				  &p->answer, &p->server.ended);
}

static enum cw_err
to_issuer(struct play *p)
{
	enum cw_err err;

	p->message++;
	on_the_network(p, &p->out.bytes);
	err = post(p);
	if (err == CW_ERR_APPROVAL_PENDING && p->kind->approvals > 0) {
		approve(p);
		err = post(p);
	}
	cw_tap_error("issuer", err);
	if (err != CW_OK)
		cw_run_refused(p->run, err, p->server.ended);
	if (p->message == 2 && all.is_past_agent) {
		cw_buf_reset(&p->answer);
		cw_buf_put(&p->answer, cw_buf_bytes(&all.honest));
	}
	return err;
}

/* Another run of the agent takes the session up. */
static enum cw_err
resume(struct play *p)
{
	enum cw_run_resume found = CW_RESUME_NONE;
	enum cw_err err;

	new_run(p);
	err = cw_run_resume(p->run, &found, &p->out);
	cw_tap_error("agent", err);
	if (err != CW_OK)
		return err;
	/* Nothing to take up, as far as the agent is told. */
	if (found != CW_RESUME_GO_ON) {
		cw_tap_found("agent, nothing to take up", 0);
		return CW_ERR_NO_SESSION;
	}
	return CW_OK;
}

static enum cw_err
converse(struct play *p)
{
	struct cw_buf intent;
	enum cw_err err;

	cw_buf_init(&intent, CW_BODY_MAX);
	cw_buf_put(&intent, cw_buf_bytes(&p->w->invitation.intent));
	p->message = 1;
	err = to_agent(p, cw_run_begin, &intent);
	while (err == CW_OK && p->out.to != CW_RUN_TO_NOBODY) {
		if (p->message == 3 && p->kind->resumes)
			err = resume(p);
		if (err == CW_OK)
			err = to_issuer(p);
		if (err != CW_OK)
			break;
		p->message++;
		err = to_agent(p, cw_run_answer, &p->answer);
	}
	cw_buf_wipe(&intent);
	return err;
}

static void
audit(struct cw_evidence *e, struct cw_trust *vendor, struct cw_trust *issuer)
{
	static struct cw_evidence changed;
	struct cw_buf file;
	enum cw_err err;

	cw_buf_init(&file, CW_EVIDENCE_MAX);
	cw_evidence_encode(e, &file);
	cw_tap("file", "evidence", &file);
	err = cw_evidence_decode(cw_buf_bytes(&file), &changed);
	if (err == CW_OK)
		err = cw_evidence_verify(&changed, vendor, issuer, NULL);
	cw_tap_error("auditor", err);
	cw_buf_wipe(&file);
}

/* A session that came to its end: the certificate, and whoever looks later. */
static void
judge(struct play *p)
{
	const char *action = p->kind->action;

	if (action != NULL && strcmp(action, "renew") != 0)
		return;
	must(cw_server_play_status(p->w, &p->server) == CW_CERT_ACTIVE,
	    "an end without a certificate");
	cw_server_play_evidence(p->w, &p->server, audit);
}

bool
cw_fields_enrol(const char *name, unsigned suite, enum cw_mode mode,
    const char *wanted)
{
	const struct kind *kind = NULL;
	char serial[CW_MANAGE_SERIAL];
	struct play p;

	for (size_t i = 0; i < sizeof(enrolments) / sizeof(enrolments[0]); i++)
		if (strcmp(enrolments[i].name, name) == 0)
			kind = &enrolments[i];
	if (kind == NULL)
		return false;
	begin(&p, kind, suite);
	if (kind->action != NULL)
		cw_manage_enroll(p.w, kind->profile, serial);
	if (kind->action != NULL && strcmp(kind->action, "unlock") == 0)
		cw_server_card_block(p.w);
	cw_tap_begin(wanted);
	if (kind->action != NULL)
		cw_manage_about(p.w, kind->action, serial, false);
	else
		cw_server_world_invite(p.w, mode, 1);
	cw_tap("web", "intent", &p.w->invitation.intent);
	if (converse(&p) == CW_OK)
		judge(&p);
	cw_tap_end();
	end(&p);
	return true;
}
