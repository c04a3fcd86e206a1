/* SPDX-License-Identifier: Apache-2.0 */
/* The issuer in this process. */
#include "tests/support/server_world.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/apdu.h"
#include "proto/base/secret.h"
#include "proto/card_link.h"
#include "proto/command.h"
#include "proto/grant.h"
#include "proto/intent.h"
#include "proto/rfc4648.h"
#include "server/reconcile.h"

#define CW_KEPT_MAX 48 /* replies to one batch */

static struct cw_keys_tree tree;
static unsigned folders;

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "server_world: %s\n", what);
	abort();
}

int
cw_server_world_begin(void **state)
{
	(void)state;
	must(cw_secret_process_init(), "process");
	cw_keys_tree_make(&tree, 2);
	cw_keys_tree_start(&tree, CW_SIGNER_CHANNELS);
	return 0;
}

int
cw_server_world_end(void **state)
{
	(void)state;
	cw_keys_tree_free(&tree);
	return 0;
}

const char *
cw_server_world_path(const struct cw_server_world *w, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	return path;
}

static void
open_world(struct cw_server_world *w)
{
	must(cw_store_open_sqlite(cw_server_world_path(w, "store.db"),
		 &w->store) == CW_OK,
	    "store");
	must(cw_seal_open(cw_server_world_path(w, "epoch.key"),
		 cw_clock_now_s(&w->clock), &w->seal) == CW_OK,
	    "epoch keys");
	cw_engine_init(&w->engine, &w->config, w->store, w->tree->signer,
	    w->seal, &w->clock);
}

static void
close_world(struct cw_server_world *w)
{
	cw_engine_wipe(&w->engine);
	cw_seal_free(&w->seal);
	cw_store_close(&w->store);
}

/* What a start does. */
static void
begin_world(struct cw_server_world *w)
{
	enum cw_err err;

	open_world(w);
	err = cw_reconcile_begin(&w->engine);
	must(err == CW_OK || err == CW_ERR_SIGNER_DOWN, "reconcile");
}

void
cw_server_world_restart(struct cw_server_world *w)
{
	close_world(w);
	begin_world(w);
}

void
cw_server_world_sql(struct cw_server_world *w, const char *sql)
{
	sqlite3 *db;

	must(sqlite3_open(cw_server_world_path(w, "store.db"), &db) ==
		    SQLITE_OK &&
		sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK,
	    sql);
	sqlite3_close(db);
}

void
cw_server_world_copy_store(struct cw_server_world *w, const char *name)
{
	char sql[512];

	snprintf(sql, sizeof(sql), "VACUUM INTO '%s'",
	    cw_server_world_path(w, name));
	cw_server_world_sql(w, sql);
}

void
cw_server_world_put_back(struct cw_server_world *w, const char *name)
{
	char store[256];

	close_world(w);
	unlink(cw_server_world_path(w, "store.db-wal"));
	unlink(cw_server_world_path(w, "store.db-shm"));
	snprintf(store, sizeof(store), "%s",
	    cw_server_world_path(w, "store.db"));
	must(rename(cw_server_world_path(w, name), store) == 0, "put back");
	begin_world(w);
}

struct cw_server_world *
cw_server_world_open(struct cw_keys_tree *of)
{
	struct cw_server_world *w = calloc(1, sizeof(*w));
	struct cw_clock now = cw_clock_system();

	must(w != NULL, "memory");
	w->tree = of;
	if (of->pid == 0)
		cw_keys_tree_start(of, CW_SIGNER_CHANNELS);
	w->config = of->config;
	w->profile = "person";
	w->card_number = 1;
	snprintf(w->folder, sizeof(w->folder), "%s/world-%u", of->dir,
	    folders++);
	must(mkdir(w->folder, 0700) == 0, "folder");
	snprintf(w->config.state, sizeof(w->config.state), "%s", w->folder);
	/* The signer has the machine's clock, and is not to be ahead of us. */
	w->clock = cw_clock_fixed(cw_clock_now_s(&now) + 5);
	cw_invitation_init(&w->invitation);
	cw_buf_init(&w->apdu, CW_APDU_MAX);
	cw_buf_init(&w->answer, CW_RESPONSE_MAX);
	open_world(w);
	cw_server_world_invite(w, CW_MODE_PSEUDONYMOUS, 1);
	cw_server_card_new(w);
	return w;
}

int
cw_server_world_setup(void **state)
{
	*state = cw_server_world_open(&tree);
	return 0;
}

int
cw_server_world_teardown(void **state)
{
	struct cw_server_world *w = *state;

	close_world(w);
	cw_invitation_wipe(&w->invitation);
	cw_card_free(&w->card);
	cw_buf_wipe(&w->apdu);
	cw_buf_wipe(&w->answer);
	free(w);
	return 0;
}

/* ---- invitations ---- */

static void
set_scope(const struct cw_profile *profile, struct cw_scope *scope)
{
	memset(scope, 0, sizeof(*scope));
	scope->keys_max = 1;
	if (profile->slot != 0)
		scope->slots[scope->n_slots++] = profile->slot;
	else if (profile->pin)
		scope->commands[scope->n_commands++] = CW_CREATE_PIN_POLICY;
	scope->commands[scope->n_commands++] = CW_CREATE_KEY;
	scope->commands[scope->n_commands++] = CW_SET_CERTIFICATES;
	scope->commands[scope->n_commands++] = CW_CLOSE;
}

static void
encode_intent(struct cw_server_world *w, const struct cw_grant *g)
{
	char url[CW_URI_MAX + 16];
	struct cw_intent intent = { .issuer_name = cw_bytes_str("Test issuer"),
		.purpose = cw_bytes_str("Tests"),
		.action = g->action,
		.subject = g->subject,
		.scope = g->scope,
		.mode = g->mode,
		.expires_s = g->not_after_s };

	snprintf(url, sizeof(url), "%s/session", w->config.url);
	intent.session_url = cw_bytes_str(url);
	cw_intent_encode(&intent, &w->invitation.intent);
}

void
cw_server_world_invite(struct cw_server_world *w, enum cw_mode mode,
    unsigned uses)
{
	uint64_t now_s = cw_clock_now_s(&w->clock);
	struct cw_grant g = { .subject = cw_bytes_str("CN=Ada Lovelace"),
		.account = cw_bytes_str("ada"),
		.profile = cw_bytes_str(w->profile),
		.action = CW_ACTION_ENROLL,
		.mode = mode,
		.uses = uses,
		.not_after_s = now_s + 48 * 3600,
		.approvals = w->approvals };
	struct cw_private_key *authority = cw_keys_tree_authority(w->tree);
	uint8_t code[18];

	cw_invitation_wipe(&w->invitation);
	cw_invitation_init(&w->invitation);
	cw_random(g.id, sizeof(g.id));
	set_scope(cw_config_profile(&w->config, g.profile), &g.scope);
	if (w->edit_grant != NULL)
		w->edit_grant(w, &g);
	must(cw_grant_make(&g, authority, &w->invitation.grant) == CW_OK,
	    "grant");
	cw_key_free(&authority);
	encode_intent(w, &g);
	cw_random(code, sizeof(code));
	cw_base64url_encode(CW_BYTES_ARRAY(code), w->code);
	cw_hash(cw_bytes_str(w->code), w->invitation.code_hash);
	w->invitation.created_s = now_s;
	w->invitation.expires_s = g.not_after_s;
	w->invitation.uses = uses;
	must(w->store->invitation_add(w->store, &w->invitation) == CW_OK,
	    "invitation");
}

void
cw_server_world_renew(struct cw_server_world *w, enum cw_mode mode)
{
	cw_server_world_invite(w, mode, 1);
	cw_server_card_new(w);
}

/* ---- the card ---- */

static unsigned
send_p2(struct cw_server_world *w, uint8_t cla, uint8_t ins, uint8_t p1,
    uint8_t p2, struct cw_bytes data)
{
	const struct cw_apdu apdu = { .cla = cla,
		.ins = ins,
		.p1 = p1,
		.p2 = p2,
		.data = data,
		.le = ins == CW_INS_SELECT || ins == 0x20 ? CW_LE_NONE :
							    CW_LE_EXTENDED,
		.extended = true };
	unsigned sw;

	cw_buf_reset(&w->apdu);
	cw_apdu_encode(&apdu, &w->apdu);
	cw_card_transmit(w->card, cw_buf_bytes(&w->apdu), &w->answer);
	must(w->answer.len >= 2, "card");
	sw = (unsigned)w->answer.ptr[w->answer.len - 2] << 8 |
	    w->answer.ptr[w->answer.len - 1];
	cw_buf_truncate(&w->answer, w->answer.len - 2);
	return sw;
}

static unsigned
send(struct cw_server_world *w, uint8_t cla, uint8_t ins, uint8_t p1,
    struct cw_bytes data)
{
	return send_p2(w, cla, ins, p1, 0, data);
}

void
cw_server_card_new(struct cw_server_world *w)
{
	const struct cw_card_config memory_only = { 0 };
	struct cw_buf personalisation;

	cw_card_free(&w->card);
	cw_buf_init(&personalisation, 1 << 16);
	cw_keys_tree_card(w->tree, w->card_number, &personalisation);
	must(cw_card_open(&memory_only, &w->card) == CW_OK &&
		cw_card_personalise(w->card, cw_buf_bytes(&personalisation)) ==
		    CW_OK,
	    "card");
	cw_buf_wipe(&personalisation);
	cw_server_card_select(w);
}

void
cw_server_card_select(struct cw_server_world *w)
{
	must(send(w, 0, CW_INS_SELECT, 4,
		 cw_bytes((const uint8_t *)CW_AID, CW_AID_BYTES)) == CW_SW_OK,
	    "select");
}

void
cw_server_card_capabilities(struct cw_server_world *w, struct cw_buf *message)
{
	struct cw_capabilities caps = { .agent = cw_bytes_str("test") };

	must(send(w, 0x80, CW_INS_GET_CAPABILITIES, 0, CW_BYTES_NONE) ==
		CW_SW_OK,
	    "capabilities");
	caps.card_caps = cw_buf_bytes(&w->answer);
	cw_hash(cw_buf_bytes(&w->invitation.intent), caps.intent_hash);
	cw_buf_reset(message);
	cw_capabilities_encode(&caps, message);
}

unsigned
cw_server_card_open(struct cw_server_world *w, struct cw_bytes request)
{
	return send(w, 0x80, CW_INS_OPEN_SESSION, 0, request);
}

void
cw_server_card_token(struct cw_server_world *w, struct cw_bytes request,
    struct cw_buf *message)
{
	struct cw_request r;

	must(cw_request_decode(request, &r) == CW_OK, "R");
	memcpy(w->card_session, r.session_id, sizeof(w->card_session));
	must(cw_server_card_open(w, request) == CW_SW_OK, "open session");
	cw_buf_reset(message);
	cw_buf_put(message, cw_buf_bytes(&w->answer));
}

static void
set_pin(struct cw_server_world *w)
{
	struct cw_set_pin set = { .pin = cw_bytes_str("271828") };
	struct cw_pin_info info;
	struct cw_buf data;

	must(send(w, 0x80, CW_INS_PIN_INFO, 0, CW_BYTES_NONE) == CW_SW_OK &&
		cw_pin_info_decode(cw_buf_bytes(&w->answer), &info) == CW_OK,
	    "PIN info");
	set.policy = info.policy;
	if (info.policy == 0)
		set.puk = cw_bytes_str("31415926");
	memcpy(set.session_id, w->card_session, sizeof(set.session_id));
	cw_buf_init(&data, 1024);
	cw_set_pin_encode(&set, &data);
	must(send(w, 0x80, CW_INS_SET_PIN, 0, cw_buf_bytes(&data)) == CW_SW_OK,
	    "set PIN");
	cw_buf_wipe(&data);
}

void
cw_server_card_abort(struct cw_server_world *w)
{
	must(send(w, 0x80, CW_INS_ABORT, 0, CW_BYTES_ARRAY(w->card_session)) ==
		CW_SW_OK,
	    "abort");
}

static unsigned
verify(struct cw_server_world *w, const char *pin)
{
	/* P2 80: the PIV PIN, padded to 8 (SP 800-73-4 part 2, 3.2.1). */
	uint8_t padded[8];

	memset(padded, 0xff, sizeof(padded));
	memcpy(padded, pin, strlen(pin));
	return send_p2(w, 0, 0x20, 0, 0x80,
	    pin[0] == '\0' ? CW_BYTES_NONE : CW_BYTES_ARRAY(padded));
}

unsigned
cw_server_card_tries(struct cw_server_world *w)
{
	unsigned sw;

	cw_server_card_select(w);
	sw = verify(w, "");
	must(sw == CW_SW_BLOCKED || (sw & 0xfff0) == CW_SW_TRIES_LEFT, "tries");
	return sw == CW_SW_BLOCKED ? 0 : sw & 15;
}

void
cw_server_card_block(struct cw_server_world *w)
{
	for (unsigned i = 0; i < 3; i++)
		(void)verify(w, "999111");
	must(cw_server_card_tries(w) == 0, "blocked");
}

void
cw_server_card_replies(struct cw_server_world *w, struct cw_bytes batch_bytes,
    struct cw_buf *message)
{
	struct cw_batch *batch = calloc(1, sizeof(*batch));
	struct cw_batch *replies = calloc(1, sizeof(*replies));
	struct cw_buf *kept = calloc(CW_KEPT_MAX, sizeof(*kept));
	struct cw_buf data;

	must(batch != NULL && replies != NULL && kept != NULL &&
		cw_batch_decode(batch_bytes, batch) == CW_OK &&
		batch->n <= CW_KEPT_MAX,
	    "batch");
	for (size_t i = 0; i < batch->n; i++) {
		unsigned sw;

		cw_buf_init(&data, CW_COMMAND_MAX + CW_SESSION_ID_BYTES);
		cw_buf_put(&data, CW_BYTES_ARRAY(w->card_session));
		cw_buf_put(&data, batch->items[i]);
		sw = send(w, 0x80, CW_INS_COMMAND, 0, cw_buf_bytes(&data));
		if (sw == CW_SW_PIN_NEEDED) {
			set_pin(w);
			sw = send(w, 0x80, CW_INS_COMMAND, 0,
			    cw_buf_bytes(&data));
		}
		/* After an error reply the card knows no session any more. */
		if (i > 0 && sw == CW_SW_NO_SESSION) {
			cw_buf_wipe(&data);
			break;
		}
		must(sw == CW_SW_OK, "command");
		cw_buf_init(&kept[i], CW_COMMAND_MAX);
		cw_buf_put(&kept[i], cw_buf_bytes(&w->answer));
		replies->items[replies->n++] = cw_buf_bytes(&kept[i]);
		cw_buf_wipe(&data);
	}
	cw_buf_reset(message);
	cw_replies_encode(replies, message);
	for (size_t i = 0; i < replies->n; i++)
		cw_buf_wipe(&kept[i]);
	free(kept);
	free(batch);
	free(replies);
}
