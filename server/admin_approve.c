/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators' approvals. The store is the web process's word: whom and what an
 * operator signs for is checked here first, against the authority's and the
 * management key that the configuration names.
 */
#include <stdio.h>
#include <stdlib.h>

#include "keys/keyfile.h"
#include "proto/approval.h"
#include "proto/base/clock.h"
#include "proto/channel.h"
#include "proto/rfc4648.h"
#include "server/admin.h"

#define CHAIN_BYTES_MAX ((size_t)CW_CHAIN_MAX * CW_CERT_MAX_BYTES)

/* What one waiting session is about; views borrow from its buffers. */
struct matter {
	struct cw_session session;
	struct cw_buf message_4, statement;
	struct cw_grant grant;
	struct cw_request request;
	struct cw_verdict verdict;
	struct cw_key_statement key;
	uint8_t hash[CW_HASH_BYTES]; /* H(key statement) */
};

static struct matter *
matter_new(void)
{
	struct matter *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	cw_session_init(&m->session);
	cw_buf_init(&m->message_4, CW_BODY_MAX);
	cw_buf_init(&m->statement, CW_BODY_MAX);
	return m;
}

static void
matter_free(struct matter *m)
{
	if (m == NULL)
		return;
	cw_session_wipe(&m->session);
	cw_buf_wipe(&m->message_4);
	cw_buf_wipe(&m->statement);
	free(m);
}

/* The key of the first certificate in a file. */
static enum cw_err
first_key(const char *path, struct cw_public_key *out)
{
	struct cw_bytes items[CW_CHAIN_MAX];
	struct cw_buf memory;
	size_t n = 0;
	enum cw_err err;

	cw_buf_init(&memory, CHAIN_BYTES_MAX);
	err = cw_certfile_load(path, &memory, items, &n);
	if (err == CW_OK)
		err = cw_cert_public_key(items[0], out);
	cw_buf_wipe(&memory);
	return err == CW_OK ? CW_OK : cw_admin_say(err, path);
}

/* Grant, R and key statement belong together, and to this issuer. The card's
 * attestation is for the signer to judge, which certifies nothing without. */
static enum cw_err
check(const struct cw_config *config, struct matter *m)
{
	struct cw_public_key authority;
	struct cw_public_key management;
	struct cw_message4 m4;
	uint8_t th[CW_HASH_BYTES];
	uint8_t grant_hash[CW_HASH_BYTES];
	struct cw_bytes request = cw_buf_bytes(&m->session.request);
	enum cw_err err = first_key(config->authority, &authority);

	if (err == CW_OK)
		err = first_key(config->management_chain, &management);
	if (err != CW_OK)
		return err;
	if ((err = cw_grant_verify(cw_buf_bytes(&m->session.grant), &authority,
		 &m->grant)) != CW_OK ||
	    (err = cw_request_verify(request, &m->request)) != CW_OK ||
	    (err = cw_message4_decode(cw_buf_bytes(&m->message_4), &m4)) !=
		CW_OK ||
	    (err = cw_verdict_decode(cw_buf_bytes(&m->session.verdict),
		 &m->verdict)) != CW_OK ||
	    (err = cw_key_statement_verify(cw_buf_bytes(&m->statement),
		 &m->verdict.attestation.key, &m->key)) != CW_OK)
		return cw_admin_say(err, "the session");
	cw_channel_th(request, &m4.card_ephemeral, th);
	cw_hash(cw_buf_bytes(&m->session.grant), grant_hash);
	if (memcmp(&m->request.management_key, &management,
		sizeof(management)) != 0 ||
	    memcmp(m->request.grant_hash, grant_hash, sizeof(grant_hash)) !=
		0 ||
	    memcmp(m->key.th, th, sizeof(th)) != 0)
		return cw_admin_say(CW_ERR_WRONG_STATEMENT, "the session");
	cw_hash(cw_buf_bytes(&m->statement), m->hash);
	return CW_OK;
}

/* An operator's word for what has run out, or was withdrawn, is none. */
static enum cw_err
check_standing(struct cw_admin *admin, const struct cw_session *session)
{
	struct cw_invitation invitation;
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = admin->store->invitation_load(admin->store, session->invitation,
	    &invitation);
	if (err == CW_OK && invitation.withdrawn)
		err = CW_ERR_BAD_INVITATION;
	cw_invitation_wipe(&invitation);
	return err;
}

static enum cw_err
load(struct cw_admin *admin, const uint8_t *id, struct matter *m)
{
	struct cw_store *store = admin->store;
	enum cw_err err = store->session_load(store, id, &m->session);

	/* First, as it is why the sweeper may have ended the session already. */
	if (err == CW_OK)
		err = check_standing(admin, &m->session);
	if (err == CW_OK && !cw_session_is_waiting(&m->session))
		err = m->session.stage >= CW_STAGE_DONE ? CW_ERR_SESSION_ENDED :
							  CW_ERR_WRONG_STEP;
	if (err == CW_OK)
		err = store->step_load(store, id, 1, &m->message_4, NULL, NULL);
	if (err == CW_OK)
		err = store->step_load(store, id,
		    (unsigned)m->session.n_digests, NULL, NULL, &m->statement);
	return err == CW_OK ? check(admin->config, m) :
			      cw_admin_say(err, admin->argument);
}

/* ---- the list ---- */

struct counts {
	unsigned approved, rejected;
};

static bool
count_one(void *ctx, const struct cw_approval_row *row)
{
	struct counts *c = ctx;

	c->approved += row->is_approved;
	c->rejected += !row->is_approved;
	return true;
}

struct listing {
	struct cw_admin *admin;
	uint64_t now_s;
	enum cw_err err;
	struct cw_public_key authority;
};

static bool
list_one(void *ctx, const struct cw_session *row)
{
	struct listing *l = ctx;
	struct cw_store *store = l->admin->store;
	char hex[2 * CW_SESSION_ID_BYTES + 1];
	struct counts c = { 0, 0 };
	struct cw_grant g;
	char until[32];

	if (!cw_session_is_waiting(row) || row->expires_s <= l->now_s ||
	    check_standing(l->admin, row) != CW_OK)
		return true;
	l->err = store->approval_each(store, row->id, count_one, &c);
	if (l->err != CW_OK ||
	    cw_grant_verify(cw_buf_bytes(&row->grant), &l->authority, &g) !=
		CW_OK)
		return l->err == CW_OK;
	cw_base16_encode(CW_BYTES_ARRAY(row->id), hex);
	cw_admin_time(row->expires_s, until);
	if (l->admin->json) {
		char subject[CW_SUBJECT_MAX];
		char profile[CW_SUBJECT_MAX];

		snprintf(subject, sizeof(subject), "%.*s", (int)g.subject.len,
		    (const char *)g.subject.ptr);
		snprintf(profile, sizeof(profile), "%.*s", (int)g.profile.len,
		    (const char *)g.profile.ptr);
		printf("{\"session\":\"%s\",\"approved\":%u,\"rejected\":%u,"
		       "\"needed\":%u,\"expires_s\":%llu,\"subject\":",
		    hex, c.approved, c.rejected, g.approvals,
		    (unsigned long long)row->expires_s);
		cw_admin_json(subject);
		printf(",\"profile\":");
		cw_admin_json(profile);
		printf("}\n");
	} else {
		printf("%s  %u of %u%s  until %s  %.*s  %.*s\n", hex,
		    c.approved, g.approvals, c.rejected > 0 ? ", rejected" : "",
		    until, (int)g.profile.len, (const char *)g.profile.ptr,
		    (int)g.subject.len, (const char *)g.subject.ptr);
	}
	return true;
}

enum cw_err
cw_admin_approvals(struct cw_admin *admin)
{
	struct cw_clock clock = cw_clock_system();
	struct listing l = { .admin = admin, .now_s = cw_clock_now_s(&clock) };
	enum cw_err err = first_key(admin->config->authority, &l.authority);

	if (err != CW_OK)
		return err;
	err = admin->store->session_each(admin->store, list_one, &l);
	err = err == CW_OK ? l.err : err;
	return err == CW_OK ? CW_OK : cw_admin_say(err, "approvals");
}

/* ---- the decision ---- */

struct own {
	struct cw_public_key key;
	struct cw_buf *certificate;
	bool found;
};

static enum cw_err
find_own(void *ctx, struct cw_bytes der)
{
	struct own *own = ctx;
	struct cw_public_key key;

	if (own->found || cw_cert_public_key(der, &key) != CW_OK ||
	    memcmp(&key, &own->key, sizeof(key)) != 0)
		return CW_OK;
	own->found = true;
	cw_buf_put(own->certificate, der);
	return own->certificate->err;
}

static enum cw_err
load_operator(const struct cw_admin *admin, struct cw_private_key **key,
    struct cw_buf *certificate)
{
	struct cw_passphrase passphrase;
	struct own own = { .certificate = certificate };
	enum cw_err err;

	if (admin->operator_key == NULL)
		return cw_admin_say(CW_ERR_USAGE, "--operator-key");
	cw_passphrase_init(&passphrase,
	    admin->has_passphrase_fd ? (int)admin->passphrase_fd : -1);
	err = cw_keyfile_load(admin->operator_key, &passphrase, key);
	cw_passphrase_wipe(&passphrase);
	if (err != CW_OK)
		return cw_admin_say(err, admin->operator_key);
	cw_key_public(*key, &own.key);
	if (admin->config->operators[0] == '\0')
		return cw_admin_say(CW_ERR_USAGE, "operators, in [signer]");
	err = cw_pem_certificates(admin->config->operators, find_own, &own);
	if (err == CW_OK && !own.found)
		err = CW_ERR_UNTRUSTED_CHAIN;
	return err == CW_OK ? CW_OK :
			      cw_admin_say(err, admin->config->operators);
}

/* What was verified, and nothing else: the store's other words are the web
 * process's. */
static void
show(const struct cw_admin *admin, const struct matter *m, bool is_approved)
{
	printf("%s %s\n  %.*s, profile %.*s\n",
	    is_approved ? "Approve" : "Reject", admin->argument,
	    (int)m->grant.subject.len, (const char *)m->grant.subject.ptr,
	    (int)m->grant.profile.len, (const char *)m->grant.profile.ptr);
	fflush(stdout);
}

/* Before anything is signed: the subject is the one that the caller names, or a
 * person at the terminal says yes. */
static enum cw_err
confirm(const struct cw_admin *admin, const struct matter *m, bool is_approved)
{
	char answer[16] = "";
	FILE *tty;

	show(admin, m, is_approved);
	if (admin->subject != NULL)
		return cw_bytes_is(m->grant.subject, admin->subject) ?
		    CW_OK :
		    cw_admin_say(CW_ERR_REFUSED, "--subject");
	tty = fopen("/dev/tty", "r+");
	if (tty == NULL)
		return cw_admin_say(CW_ERR_USAGE,
		    "--subject, where there is no terminal");
	fputs("Sign this? [y/N] ", tty);
	fflush(tty);
	if (fgets(answer, sizeof(answer), tty) == NULL)
		answer[0] = '\0';
	fclose(tty);
	return strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0 ?
	    CW_OK :
	    cw_admin_say(CW_ERR_REFUSED, admin->argument);
}

static enum cw_err
sign_and_store(struct cw_admin *admin, const struct matter *m,
    const struct cw_private_key *key, struct cw_bytes certificate,
    bool is_approved)
{
	struct cw_clock clock = cw_clock_system();
	struct cw_approval a = { .is_approved = is_approved,
		.time_s = cw_clock_now_s(&clock) };
	struct cw_approval_row row = { .is_approved = is_approved,
		.time_s = a.time_s,
		.certificate = certificate };
	struct cw_public_key public_key;
	struct cw_buf bytes;
	enum cw_err err;

	cw_buf_init(&bytes, CW_APPROVAL_MAX);
	memcpy(a.statement_hash, m->hash, sizeof(a.statement_hash));
	cw_key_public(key, &public_key);
	cw_cose_key_hash(&public_key, row.operator_hash);
	err = cw_approval_make(&a, key, &bytes);
	row.bytes = cw_buf_bytes(&bytes);
	if (err == CW_OK)
		err = admin->store->approval_add(admin->store, m->session.id,
		    &row);
	cw_buf_wipe(&bytes);
	if (err != CW_OK)
		return cw_admin_say(err, admin->argument);
	printf("%s: %s\n", admin->argument,
	    is_approved ? "approved" : "rejected");
	return CW_OK;
}

static enum cw_err
decide(struct cw_admin *admin, bool is_approved)
{
	uint8_t id[CW_SESSION_ID_BYTES];
	struct cw_private_key *key = NULL;
	struct cw_buf certificate;
	struct matter *m;
	enum cw_err err;

	if (!cw_base16_decode(cw_bytes_str(admin->argument), id, sizeof(id)))
		return cw_admin_say(CW_ERR_USAGE, "SESSION: 32 hex digits");
	m = matter_new();
	if (m == NULL)
		return CW_ERR_NO_MEMORY;
	cw_buf_init(&certificate, CW_CERT_MAX_BYTES);
	err = load_operator(admin, &key, &certificate);
	if (err == CW_OK)
		err = load(admin, id, m);
	if (err == CW_OK)
		err = confirm(admin, m, is_approved);
	if (err == CW_OK)
		err = sign_and_store(admin, m, key, cw_buf_bytes(&certificate),
		    is_approved);
	cw_key_free(&key);
	cw_buf_wipe(&certificate);
	matter_free(m);
	return err;
}

enum cw_err
cw_admin_approve(struct cw_admin *admin)
{
	return decide(admin, true);
}

enum cw_err
cw_admin_reject(struct cw_admin *admin)
{
	return decide(admin, false);
}
