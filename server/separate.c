/* SPDX-License-Identifier: Apache-2.0 */
/* Who may read whose files. */
#include "server/separate.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "server/confine.h"

/* As cw_confine_user decides it: the user named, else the owner of `path`. */
static enum cw_err
find_user(const char *name, const char *path, uid_t *out)
{
	const struct passwd *pw;
	struct stat st;

	if (name[0] == '\0') {
		*out = stat(path, &st) == 0 ? st.st_uid : geteuid();
		return CW_OK;
	}
	pw = getpwnam(name);
	if (pw == NULL)
		return cw_log_fail(CW_ERR_CONFINEMENT, "user", "name=%s", name);
	*out = pw->pw_uid;
	return CW_OK;
}

enum cw_err
cw_separation_find(const struct cw_config *c, struct cw_separation *out)
{
	const char *const files[CW_SEPARATE_OWNERS] = { c->ca_key,
		c->management_key, c->tag_key, c->authority_key };
	enum cw_err err = CW_OK;
	struct stat st;

	*out = (struct cw_separation){ .self = geteuid(),
		.web = geteuid(),
		.signer = geteuid(),
		.has_landlock = cw_confine_has_landlock(),
		.one_user = c->one_user };
	if (out->self == 0)
		err = find_user(c->issuer_user, c->state, &out->web);
	if (err == CW_OK && out->self == 0)
		err =
		    find_user(c->signer_user, c->management_key, &out->signer);
	for (size_t i = 0; i < CW_SEPARATE_OWNERS; i++)
		if (files[i][0] != '\0' && stat(files[i], &st) == 0)
			out->owners[out->n_owners++] = st.st_uid;
	return err;
}

static bool
are_two_users(const struct cw_separation *s)
{
	if (s->web == 0 || s->web == s->signer)
		return false;
	for (size_t i = 0; i < s->n_owners; i++)
		if (s->owners[i] == s->web)
			return false;
	return true;
}

enum cw_err
cw_separation_judge(const struct cw_separation *s, const char **how)
{
	*how = "nothing";
	if (s->has_landlock)
		*how = "landlock";
	if (are_two_users(s)) {
		*how = "users";
		return CW_OK;
	}
	if (s->one_user || (s->self != 0 && s->has_landlock))
		return CW_OK;
	return CW_ERR_NOT_SEPARATED;
}

enum cw_err
cw_separate(const struct cw_config *config)
{
	struct cw_separation s;
	const char *how = "";
	enum cw_err err = cw_separation_find(config, &s);

	if (err != CW_OK)
		return err;
	err = cw_separation_judge(&s, &how);
	if (err != CW_OK)
		return cw_log_fail(err, "separation",
		    "web=%u signer=%u landlock=%s", (unsigned)s.web,
		    (unsigned)s.signer, s.has_landlock ? "yes" : "missing");
	cw_log(strcmp(how, "nothing") == 0 ? CW_LOG_ERROR : CW_LOG_INFO,
	    "separation", "by=%s web=%u signer=%u", how, (unsigned)s.web,
	    (unsigned)s.signer);
	if (strcmp(how, "nothing") == 0)
		cw_log(CW_LOG_ERROR, "separation",
		    "warning=whoever_takes_over_the_web_process_has_the_keys");
	return CW_OK;
}
