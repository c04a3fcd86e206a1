/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's commands, on the store of an issuer in this process. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/fdio.h"
#include "proto/rfc4648.h"
#include "server/sweep.h"
#include "tests/support/manage_world.h"

/* ---- what a command prints ---- */

static char printed[8192];

static enum cw_err
run(struct cw_admin *admin, enum cw_err (*command)(struct cw_admin *))
{
	return cw_manage_printed(admin, command, printed, sizeof(printed));
}

static struct cw_admin
admin_of(struct cw_server_world *w)
{
	struct cw_admin admin;

	memset(&admin, 0, sizeof(admin));
	admin.config = &w->config;
	admin.store = w->store;
	return admin;
}

static struct cw_admin
inviter(struct cw_server_world *w)
{
	struct cw_admin admin = admin_of(w);

	admin.subject = "CN=Ada Lovelace,O=Example";
	admin.profile = "person";
	return admin;
}

/* Takes the printed URL's invitation as the world's. */
static void
take_invitation(struct cw_server_world *w)
{
	const char *slash = strrchr(printed, '/');

	assert_non_null(slash);
	assert_int_equal(strlen(slash), 1 + 24 + 1);
	snprintf(w->code, sizeof(w->code), "%.24s", slash + 1);
	cw_hash(cw_bytes_str(w->code), w->invitation.code_hash);
	assert_err(w->store->invitation_load(w->store, w->invitation.code_hash,
		       &w->invitation),
	    CW_OK);
}

/* A session by the printed invitation; its serial in hex. */
static void
enrol(struct cw_server_world *w, struct cw_server_play *play,
    char serial[2 * CW_SERIAL_BYTES + 1])
{
	struct cw_session s;

	take_invitation(w);
	cw_server_card_new(w);
	cw_server_play_until(w, play, 3);
	cw_session_init(&s);
	assert_err(w->store->session_load(w->store, play->id, &s), CW_OK);
	cw_base16_encode(CW_BYTES_ARRAY(s.serial), serial);
	cw_session_wipe(&s);
}

/* ---- invitations ---- */

static void
an_invitation_leads_to_a_certificate_and_its_proof(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_admin admin = inviter(w);
	char serial[2 * CW_SERIAL_BYTES + 1];
	char file[256];
	char vendor[256];
	char root[256];
	struct cw_server_play play;

	cw_server_play_init(&play);
	assert_err(run(&admin, cw_admin_invite), CW_OK);
	assert_memory_equal(printed, w->config.url, strlen(w->config.url));
	enrol(w, &play, serial);
	admin = admin_of(w);
	assert_err(run(&admin, cw_admin_list), CW_OK);
	assert_non_null(strstr(printed, serial));
	assert_non_null(strstr(printed, "active"));
	admin.json = true;
	assert_err(run(&admin, cw_admin_list), CW_OK);
	assert_non_null(strstr(printed, "\"status\":\"active\""));
	assert_err(run(&admin, cw_admin_sessions), CW_OK);
	assert_non_null(strstr(printed, "\"stage\":\"done\""));
	assert_err(run(&admin, cw_admin_invitations), CW_OK);
	assert_non_null(strstr(printed, "\"state\":\"used\""));
	snprintf(file, sizeof(file), "%s", cw_server_world_path(w, "evidence"));
	admin.argument = serial;
	admin.out = file;
	assert_err(run(&admin, cw_admin_evidence_export), CW_OK);
	snprintf(vendor, sizeof(vendor), "%s",
	    cw_keys_tree_path(w->tree, "vendor-root.pem"));
	snprintf(root, sizeof(root), "%s",
	    cw_keys_tree_path(w->tree, "issuer-root.pem"));
	admin = (struct cw_admin){ .argument = file,
		.vendor_root = vendor,
		.issuer = root };
	assert_err(run(&admin, cw_admin_evidence_verify), CW_OK);
	assert_non_null(strstr(printed, serial));
	/* What no signature covers does not stand among what is proven. */
	assert_non_null(strstr(printed, "signed by nobody:\n  verified"));
	assert_non_null(strstr(printed, "\n  policy"));
	admin.vendor_root = root;
	assert_err(run(&admin, cw_admin_evidence_verify),
	    CW_ERR_UNTRUSTED_CHAIN);
	assert_non_null(strstr(printed, "NOT PROVEN"));
	cw_server_play_wipe(&play);
}

static void
a_stolen_web_process_writes_nothing_on_the_terminal(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_admin admin = inviter(w);
	char serial[2 * CW_SERIAL_BYTES + 1];
	struct cw_server_play play;

	cw_server_play_init(&play);
	assert_err(run(&admin, cw_admin_invite), CW_OK);
	enrol(w, &play, serial);
	admin = admin_of(w);
	assert_err(run(&admin, cw_admin_list), CW_OK);
	cw_server_world_sql(w,
	    "UPDATE certificate SET subject='CN=x' || char(10, 27) || '[2J',"
	    "profile=char(8238)");
	for (int json = 0; json < 2; json++) {
		admin.json = json == 1;
		assert_err(run(&admin, cw_admin_list), CW_OK);
		assert_non_null(strstr(printed, serial));
		assert_non_null(strstr(printed, json == 1 ? "\"?\"" : "  ?"));
		assert_null(strchr(printed, 27));
		assert_null(strstr(printed, "\xe2\x80\xae"));
	}
	cw_server_play_wipe(&play);
}

static const struct {
	const char *name;
	const char *subject, *profile, *bind_leaf, *authority_key, *account;
	unsigned uses, mode;
	enum cw_err err;
} refusals[] = {
	{ "no subject", NULL, "person", NULL, NULL, NULL, 0, 0, CW_ERR_USAGE },
	{ "no profile", "CN=A", NULL, NULL, NULL, NULL, 0, 0, CW_ERR_USAGE },
	{ "not a name", "Ada", "person", NULL, NULL, NULL, 0, 0,
	    CW_ERR_BAD_TEXT },
	{ "controls", "CN=A\x01", "person", NULL, NULL, NULL, 0, 0,
	    CW_ERR_BAD_TEXT },
	{ "controls elsewhere", "CN=A", "person", NULL, NULL, "a\x1b[0m", 0, 0,
	    CW_ERR_BAD_TEXT },
	{ "unknown profile", "CN=A", "nobody", NULL, NULL, NULL, 0, 0,
	    CW_ERR_UNKNOWN_PROFILE },
	{ "unknown mode", "CN=A", "person", NULL, NULL, NULL, 0, 4,
	    CW_ERR_PROFILE_REFUSES },
	{ "too many uses", "CN=A", "person", NULL, NULL, NULL, 1000000, 0,
	    CW_ERR_PROFILE_REFUSES },
	{ "short hash", "CN=A", "person", "ab", NULL, NULL, 0, 0,
	    CW_ERR_USAGE },
	{ "no key file", "CN=A", "person", NULL, "/nowhere.key", NULL, 0, 0,
	    CW_ERR_NO_FILE },
};

static bool
count_invitation(void *ctx, const struct cw_invitation *row)
{
	(void)row;
	++*(unsigned *)ctx;
	return true;
}

static void
what_cannot_be_invited_is_refused_and_leaves_nothing(void **state)
{
	struct cw_server_world *w = *state;
	unsigned n = 0;

	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct cw_admin admin = admin_of(w);

		admin.subject = refusals[i].subject;
		admin.profile = refusals[i].profile;
		admin.bind_leaf = refusals[i].bind_leaf;
		admin.authority_key = refusals[i].authority_key;
		admin.account = refusals[i].account;
		admin.uses = refusals[i].uses;
		admin.mode = refusals[i].mode;
		if (run(&admin, cw_admin_invite) != refusals[i].err)
			fail_msg("%s", refusals[i].name);
		assert_string_equal(printed, "");
	}
	assert_err(w->store->invitation_each(w->store, count_invitation, &n),
	    CW_OK);
	assert_int_equal(n, 1); /* the world's own */
}

static void
a_bound_invitation_is_only_for_that_card(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_admin admin = inviter(w);
	struct cw_server_play play;

	cw_server_play_init(&play);
	admin.bind_leaf = "00000000000000000000000000000000"
			  "00000000000000000000000000000000";
	assert_err(run(&admin, cw_admin_invite), CW_ERR_USAGE);
	admin.bind_leaf = NULL;
	admin.bind_model = "Another model";
	assert_err(run(&admin, cw_admin_invite), CW_OK);
	take_invitation(w);
	cw_server_play_until(w, &play, 0);
	cw_server_play_message(w, &play, 1);
	assert_err(cw_server_play_post(w, &play, 1), CW_ERR_BINDING_REFUSED);
	cw_server_play_wipe(&play);
}

static void
a_withdrawn_invitation_opens_nothing(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_admin admin = inviter(w);
	struct cw_server_play play;
	char url[CW_URI_MAX + 64];

	cw_server_play_init(&play);
	assert_err(run(&admin, cw_admin_invite), CW_OK);
	take_invitation(w);
	snprintf(url, sizeof(url), "%s/i/%s", w->config.url, w->code);
	admin.argument = url;
	assert_err(run(&admin, cw_admin_withdraw), CW_OK);
	admin.argument = "another";
	assert_err(run(&admin, cw_admin_withdraw), CW_ERR_BAD_INVITATION);
	assert_err(w->store->invitation_load(w->store, w->invitation.code_hash,
		       &w->invitation),
	    CW_OK);
	cw_server_play_message(w, &play, 0);
	assert_err(cw_server_play_post(w, &play, 0), CW_ERR_BAD_INVITATION);
	cw_server_play_wipe(&play);
}

/* ---- revocation ---- */

static void
a_revocation_suspends_at_once_and_is_carried_out_by_the_issuer(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_admin admin = inviter(w);
	char serial[2 * CW_SERIAL_BYTES + 1];
	struct cw_server_play play;

	cw_server_play_init(&play);
	assert_err(run(&admin, cw_admin_invite), CW_OK);
	enrol(w, &play, serial);
	admin = admin_of(w);
	admin.argument = serial;
	admin.reason = 7; /* RFC 5280 5.3.1: not used */
	assert_err(run(&admin, cw_admin_revoke), CW_ERR_USAGE);
	admin.reason = 1;
	assert_err(run(&admin, cw_admin_revoke), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_SUSPENDED);
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_REVOKED);
	admin.wait = true;
	assert_err(run(&admin, cw_admin_revoke), CW_OK);
	assert_string_equal(printed, "revoked before\n");
	serial[0] ^= 1;
	assert_err(run(&admin, cw_admin_revoke), CW_ERR_UNKNOWN_SERIAL);
	assert_err(run(&admin, cw_admin_evidence_export), CW_ERR_USAGE);
	admin.argument = "xyz";
	assert_err(run(&admin, cw_admin_revoke), CW_ERR_USAGE);
	cw_server_play_wipe(&play);
}

static void
evidence_that_is_none_is_not_believed(void **state)
{
	struct cw_server_world *w = *state;
	char file[256];
	char root[256];
	struct cw_admin admin = { .argument = file };

	snprintf(file, sizeof(file), "%s", cw_server_world_path(w, "nothing"));
	snprintf(root, sizeof(root), "%s",
	    cw_keys_tree_path(w->tree, "issuer-root.pem"));
	assert_err(run(&admin, cw_admin_evidence_verify), CW_ERR_USAGE);
	admin.vendor_root = admin.issuer = root;
	assert_err(run(&admin, cw_admin_evidence_verify), CW_ERR_NO_FILE);
	assert_err(cw_file_store(file, cw_bytes_str("nonsense"), 0600), CW_OK);
	assert_true(run(&admin, cw_admin_evidence_verify) != CW_OK);
	assert_string_equal(printed, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(
		    an_invitation_leads_to_a_certificate_and_its_proof),
		cw_server_test(
		    a_stolen_web_process_writes_nothing_on_the_terminal),
		cw_server_test(
		    what_cannot_be_invited_is_refused_and_leaves_nothing),
		cw_server_test(a_bound_invitation_is_only_for_that_card),
		cw_server_test(a_withdrawn_invitation_opens_nothing),
		cw_server_test(
		    a_revocation_suspends_at_once_and_is_carried_out_by_the_issuer),
		cw_server_test(evidence_that_is_none_is_not_believed),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
