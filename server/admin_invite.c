/* SPDX-License-Identifier: Apache-2.0 */
/* Invitations: a grant signed here, by a key that no other program reads. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "keys/keyfile.h"
#include "proto/rfc4648.h"
#include "proto/x509_subject.h"
#include "proto/base/clock.h"
#include "proto/base/secret.h"
#include "proto/command.h"
#include "server/admin.h"
#include "server/target.h"

#define CODE_BYTES 18 /* 144 bits; 24 characters */

struct invite {
	struct cw_grant grant;
	struct cw_intent intent;
	const struct cw_profile *profile;
	uint64_t expires_s; /* of the invitation */
	char url[CW_URI_MAX + 16];
	char purpose[CW_TEXT_MAX + 1];
	char code[CW_BASE64URL_CHARS(CODE_BYTES) + 1];
	bool with_key;             /* an unlock that renews, too */
	struct cw_targets targets; /* what is there already */
};

static const char *const actions[] = {
	[CW_ACTION_ENROLL] = "enroll",
	[CW_ACTION_RENEW] = "renew",
	[CW_ACTION_MANAGE] = "manage",
	[CW_ACTION_UNLOCK] = "unlock",
};

static enum cw_err
set_binding(const struct cw_admin *admin, struct cw_grant *g)
{
	g->has_model = admin->bind_model != NULL;
	if (g->has_model)
		g->model = cw_bytes_str(admin->bind_model);
	g->has_leaf = admin->bind_leaf != NULL;
	if (g->has_leaf &&
	    !cw_base16_decode(cw_bytes_str(admin->bind_leaf), g->leaf_hash,
		sizeof(g->leaf_hash)))
		return cw_admin_say(CW_ERR_USAGE, "--bind-leaf: 64 hex digits");
	g->has_pseudonym = admin->bind_pseudonym != NULL;
	if (g->has_pseudonym &&
	    !cw_base16_decode(cw_bytes_str(admin->bind_pseudonym), g->pseudonym,
		sizeof(g->pseudonym)))
		return cw_admin_say(CW_ERR_USAGE,
		    "--bind-pseudonym: 64 hex digits");
	/* Only in these modes does the issuer see the one or the other. */
	if ((g->has_leaf && g->mode != CW_MODE_IDENTIFIED) ||
	    (g->has_pseudonym && g->mode != CW_MODE_PSEUDONYMOUS))
		return cw_admin_say(CW_ERR_USAGE,
		    "--bind-leaf is for mode 1, --bind-pseudonym for mode 2");
	return CW_OK;
}

/* ---- what the session may do, and nothing else ---- */

/* Renewed outside the PIV slots, where the PIN must be named, the new key shares
 * the old one's PIN and the old one is deleted; otherwise UPDATE_KEY does both. */
static bool
is_replaced_by_deletion(const struct cw_profile *profile)
{
	return profile->slot == 0 && profile->pin;
}

static void
allow(struct cw_scope *scope, enum cw_command_no no)
{
	scope->commands[scope->n_commands++] = (uint8_t)no;
}

/* By rising numbers, as a scope wants them. */
static void
set_scope(const struct invite *v, struct cw_scope *scope)
{
	const struct cw_profile *profile = v->profile;
	enum cw_action action = v->grant.action;
	bool makes = action == CW_ACTION_ENROLL || action == CW_ACTION_RENEW ||
	    (action == CW_ACTION_UNLOCK && v->with_key);
	bool replaces = makes && action != CW_ACTION_ENROLL;

	memset(scope, 0, sizeof(*scope));
	if (action == CW_ACTION_ENROLL && is_replaced_by_deletion(profile))
		allow(scope, CW_CREATE_PIN_POLICY);
	if (makes) {
		scope->keys_max = 1;
		allow(scope, CW_CREATE_KEY);
		allow(scope, CW_SET_CERTIFICATES);
		if (profile->slot != 0)
			scope->slots[scope->n_slots++] = profile->slot;
	}
	if (action != CW_ACTION_ENROLL)
		allow(scope, CW_LIST);
	if (action == CW_ACTION_MANAGE ||
	    (replaces && is_replaced_by_deletion(profile)))
		allow(scope, CW_DELETE_KEY);
	if (action == CW_ACTION_UNLOCK)
		allow(scope, CW_UNLOCK_KEY);
	if (replaces && !is_replaced_by_deletion(profile))
		allow(scope, CW_UPDATE_KEY);
	allow(scope, CW_CLOSE);
	scope->n_objects = v->targets.n;
	for (size_t i = 0; i < v->targets.n; i++)
		scope->objects[i] = v->targets.items[i].id;
}

static enum cw_err
check_subject(const char *text, const struct cw_profile *profile)
{
	struct cw_subject subject;
	struct cw_subject suffix;
	enum cw_err err = cw_subject_parse(cw_bytes_str(text), &subject);

	if (err != CW_OK)
		return cw_admin_say(err, "--subject");
	if (profile->subject_suffix[0] == '\0')
		return CW_OK;
	err = cw_subject_parse(cw_bytes_str(profile->subject_suffix), &suffix);
	if (err == CW_OK && !cw_subject_ends_with(&subject, &suffix))
		err = CW_ERR_PROFILE_REFUSES;
	return err == CW_OK ? CW_OK :
			      cw_admin_say(err, profile->subject_suffix);
}

/* The signer checks all of this again; saying it now spares a person the way
 * to a page that refuses. */
static enum cw_err
check_profile(const struct cw_admin *admin, const struct invite *v)
{
	if (v->profile == NULL)
		return cw_admin_say(CW_ERR_UNKNOWN_PROFILE, admin->profile);
	if (v->grant.mode < 1 || v->grant.mode > 3 ||
	    (v->profile->modes & 1u << v->grant.mode) == 0)
		return cw_admin_say(CW_ERR_PROFILE_REFUSES, "--mode");
	if (v->grant.action != CW_ACTION_ENROLL &&
	    v->grant.mode == CW_MODE_ANONYMOUS)
		return cw_admin_say(CW_ERR_WRONG_MODE,
		    "--mode: nothing is known again of a card in mode 3");
	/* OPEN SESSION would want the very PIN that is blocked. */
	if (v->grant.action == CW_ACTION_UNLOCK && v->profile->slot != 0 &&
	    v->grant.mode == CW_MODE_IDENTIFIED)
		return cw_admin_say(CW_ERR_WRONG_MODE,
		    "--mode: a blocked PIN opens no session in mode 1");
	/* No card unlocks the PIN of a key that it deletes (417). */
	if (v->with_key && is_replaced_by_deletion(v->profile))
		return cw_admin_say(CW_ERR_PROFILE_REFUSES,
		    "--with-key: not where a PIN of its own goes to the new key");
	if (v->grant.uses < 1 || v->grant.uses > v->profile->uses_max)
		return cw_admin_say(CW_ERR_PROFILE_REFUSES, "--uses");
	if (admin->approvals > 9)
		return cw_admin_say(CW_ERR_USAGE, "--approvals");
	return check_subject(admin->subject, v->profile);
}

/* Where nobody says which: the profile's, and of several the first of these. */
static enum cw_mode
choose_mode(const struct cw_profile *profile, enum cw_action action)
{
	static const enum cw_mode order[] = { CW_MODE_PSEUDONYMOUS,
		CW_MODE_ANONYMOUS, CW_MODE_IDENTIFIED };

	for (size_t i = 0; profile != NULL && i < 3; i++)
		if ((profile->modes & 1u << order[i]) != 0 &&
		    (action == CW_ACTION_ENROLL ||
			order[i] != CW_MODE_ANONYMOUS))
			return order[i];
	return CW_MODE_PSEUDONYMOUS;
}

static enum cw_err
set_action(const struct cw_admin *admin, struct invite *v)
{
	v->grant.action = CW_ACTION_ENROLL;
	for (unsigned i = CW_ACTION_ENROLL; admin->action != NULL; i++) {
		if (i > CW_ACTION_UNLOCK)
			return cw_admin_say(CW_ERR_USAGE,
			    "--action enroll|renew|manage|unlock");
		v->grant.action = (enum cw_action)i;
		if (strcmp(admin->action, actions[i]) == 0)
			break;
	}
	v->with_key = admin->with_key;
	if (v->with_key && v->grant.action != CW_ACTION_UNLOCK)
		return cw_admin_say(CW_ERR_USAGE,
		    "--with-key is for --action unlock");
	if (admin->certificates != NULL && v->grant.action == CW_ACTION_ENROLL)
		return cw_admin_say(CW_ERR_USAGE,
		    "--certificates is for --action renew, manage or unlock");
	return CW_OK;
}

static enum cw_err
set_grant(struct cw_admin *admin, struct invite *v, uint64_t now_s)
{
	struct cw_grant *g = &v->grant;
	unsigned hours =
	    admin->hours != 0 ? admin->hours : admin->config->invitation_hours;
	enum cw_err err;

	v->profile =
	    cw_config_profile(admin->config, cw_bytes_str(admin->profile));
	cw_random(g->id, sizeof(g->id));
	g->subject = cw_bytes_str(admin->subject);
	g->account = cw_bytes_str(
	    admin->account != NULL ? admin->account : admin->subject);
	g->profile = cw_bytes_str(admin->profile);
	g->mode = admin->mode != 0 ? (enum cw_mode)admin->mode :
				     choose_mode(v->profile, g->action);
	g->uses = admin->uses != 0 ? admin->uses : 1;
	v->expires_s = now_s + hours * 3600ull;
	err = check_profile(admin, v);
	if (err == CW_OK)
		err = set_binding(admin, g);
	if (err != CW_OK)
		return err;
	set_scope(v, &g->scope);
	for (size_t i = 0; cw_scope_makes_keys(&g->scope) && i < v->targets.n;
	     i++)
		if (v->targets.items[i].slot != v->profile->slot)
			return cw_admin_say(CW_ERR_PROFILE_REFUSES,
			    "a key of another slot than the profile's");
	/* Operators have the whole time of a session that began in time; where
	 * no key is made they have nothing to approve. */
	if (cw_scope_makes_keys(&g->scope))
		g->approvals = admin->approvals > v->profile->approvals ?
		    admin->approvals :
		    v->profile->approvals;
	g->not_after_s = v->expires_s +
	    (g->approvals > 0 ? cw_config_session_s(admin->config, v->profile) :
				0);
	return CW_OK;
}

static const char *const purposes[] = {
	[CW_ACTION_ENROLL] = "A new key in your card and a certificate for it",
	[CW_ACTION_RENEW] =
	    "A new key in place of the one in your card, and a certificate for "
	    "it",
	[CW_ACTION_MANAGE] = "Deletes what is no longer needed in your card",
	[CW_ACTION_UNLOCK] = "Unblocks the PIN of your card",
};

static void
set_intent(const struct cw_admin *admin, struct invite *v)
{
	const struct cw_grant *g = &v->grant;
	struct cw_intent *i = &v->intent;

	snprintf(v->url, sizeof(v->url), "%s/session", admin->config->url);
	if (admin->purpose == NULL)
		snprintf(v->purpose, sizeof(v->purpose), "%s (%s).",
		    purposes[g->action], admin->profile);
	else
		snprintf(v->purpose, sizeof(v->purpose), "%s", admin->purpose);
	i->issuer_name = cw_bytes_str(admin->config->name);
	i->purpose = cw_bytes_str(v->purpose);
	i->action = g->action;
	i->subject = g->subject;
	i->session_url = cw_bytes_str(v->url);
	i->scope = g->scope;
	i->mode = g->mode;
	i->expires_s = v->expires_s;
	i->n_objects = v->targets.n;
	for (size_t k = 0; k < v->targets.n; k++) {
		const struct cw_target *t = &v->targets.items[k];

		i->objects[k].id = t->id;
		i->objects[k].slot = t->slot;
		memcpy(i->objects[k].leaf_hash, t->leaf_hash, CW_HASH_BYTES);
		i->objects[k].name = cw_bytes_str(t->subject);
	}
}

static enum cw_err
prepare(struct cw_admin *admin, struct invite *v, uint64_t now_s)
{
	enum cw_err err = set_action(admin, v);

	if (err == CW_OK && v->grant.action != CW_ACTION_ENROLL)
		err =
		    cw_admin_find_targets(admin, v->grant.action, &v->targets);
	if (err != CW_OK)
		return err;
	/* Whom and how, if nobody says: as the newest of what is there. */
	if (admin->subject == NULL && v->targets.n > 0)
		admin->subject = v->targets.newest.subject;
	if (admin->profile == NULL && v->targets.n > 0)
		admin->profile = v->targets.newest.profile;
	if (admin->account == NULL && v->targets.n > 0)
		admin->account = v->targets.newest.account;
	if (admin->subject == NULL || admin->profile == NULL)
		return cw_admin_say(CW_ERR_USAGE, "--subject and --profile");
	err = set_grant(admin, v, now_s);
	if (err == CW_OK)
		set_intent(admin, v);
	return err;
}

static enum cw_err
sign(const struct cw_admin *admin, const struct cw_grant *grant,
    struct cw_buf *out)
{
	const char *path = admin->authority_key != NULL ?
	    admin->authority_key :
	    admin->config->authority_key;
	struct cw_private_key *key = NULL;
	struct cw_passphrase passphrase;
	enum cw_err err;

	if (path[0] == '\0')
		return cw_admin_say(CW_ERR_USAGE,
		    "--authority-key, or authority_key in [admin]");
	cw_passphrase_init(&passphrase,
	    admin->has_passphrase_fd ? (int)admin->passphrase_fd : -1);
	err = cw_keyfile_load(path, &passphrase, &key);
	cw_passphrase_wipe(&passphrase);
	if (err == CW_OK)
		err = cw_grant_make(grant, key, out);
	cw_key_free(&key);
	return err == CW_OK ? CW_OK : cw_admin_say(err, path);
}

/* The code is a secret that only its URL carries: the store has its hash. */
static enum cw_err
add(struct cw_admin *admin, struct invite *v, uint64_t now_s)
{
	uint8_t code[CODE_BYTES];
	struct cw_invitation row;
	struct cw_intent again;
	struct cw_grant grant;
	enum cw_err err;

	cw_invitation_init(&row);
	err = sign(admin, &v->grant, &row.grant);
	cw_intent_encode(&v->intent, &row.intent);
	/* What nobody could decode must not leave. */
	if (err == CW_OK &&
	    (cw_intent_decode(cw_buf_bytes(&row.intent), &again) != CW_OK ||
		cw_grant_decode(cw_buf_bytes(&row.grant), &grant) != CW_OK))
		err = cw_admin_say(CW_ERR_BAD_TEXT,
		    "subject, account, purpose or issuer name");
	cw_random(code, sizeof(code));
	cw_base64url_encode(CW_BYTES_ARRAY(code), v->code);
	cw_hash(cw_bytes_str(v->code), row.code_hash);
	row.created_s = now_s;
	row.expires_s = v->expires_s;
	row.uses = v->grant.uses;
	if (err == CW_OK) {
		err = admin->store->invitation_add(admin->store, &row);
		if (err != CW_OK)
			(void)cw_admin_say(err, "invitation");
	}
	cw_wipe(code, sizeof(code));
	cw_invitation_wipe(&row);
	return err;
}

enum cw_err
cw_admin_invite(struct cw_admin *admin)
{
	struct cw_clock clock = cw_clock_system();
	uint64_t now_s = cw_clock_now_s(&clock);
	struct invite *v;
	enum cw_err err;

	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return CW_ERR_NO_MEMORY;
	err = prepare(admin, v, now_s);
	if (err == CW_OK)
		err = add(admin, v, now_s);
	if (err == CW_OK)
		printf("%s/i/%s\n", admin->config->url, v->code);
	cw_wipe(v->code, sizeof(v->code));
	free(v);
	return err;
}

enum cw_err
cw_admin_withdraw(struct cw_admin *admin)
{
	const char *slash = strrchr(admin->argument, '/');
	const char *code = slash != NULL ? slash + 1 : admin->argument;
	uint8_t hash[CW_HASH_BYTES];
	enum cw_err err;

	cw_hash(cw_bytes_str(code), hash);
	err = admin->store->invitation_withdraw(admin->store, hash);
	return err == CW_OK ? CW_OK : cw_admin_say(err, "withdraw");
}
