/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/manage_world.h"
#include "proto/rfc4648.h"

#include <stdio.h>
#include <unistd.h>

enum cw_err
cw_manage_printed(struct cw_admin *admin,
    enum cw_err (*command)(struct cw_admin *), char *printed, size_t size)
{
	FILE *file = tmpfile();
	int out = dup(STDOUT_FILENO);
	enum cw_err err;
	size_t n;

	assert_non_null(file);
	fflush(stdout);
	assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
	err = command(admin);
	fflush(stdout);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	close(out);
	rewind(file);
	n = fread(printed, 1, size - 1, file);
	printed[n] = '\0';
	fclose(file);
	return err;
}

enum cw_err
cw_manage_invite(struct cw_server_world *w, struct cw_admin options)
{
	const char *slash;
	char url[1024];
	enum cw_err err;

	options.config = &w->config;
	options.store = w->store;
	err = cw_manage_printed(&options, cw_admin_invite, url, sizeof(url));
	if (err != CW_OK) {
		assert_string_equal(url, "");
		return err;
	}
	slash = strrchr(url, '/');
	assert_non_null(slash);
	assert_int_equal(strlen(slash), 1 + 24 + 1);
	snprintf(w->code, sizeof(w->code), "%.24s", slash + 1);
	cw_hash(cw_bytes_str(w->code), w->invitation.code_hash);
	assert_err(w->store->invitation_load(w->store, w->invitation.code_hash,
		       &w->invitation),
	    CW_OK);
	return CW_OK;
}

void
cw_manage_enroll(struct cw_server_world *w, const char *profile,
    char serial[CW_MANAGE_SERIAL])
{
	struct cw_admin options = { .subject = "CN=Ada Lovelace,O=Example",
		.account = "ada",
		.profile = profile,
		.mode = CW_MODE_PSEUDONYMOUS };
	struct cw_server_play play;
	struct cw_session s;

	assert_err(cw_manage_invite(w, options), CW_OK);
	cw_server_play_begin(w, &play, 3);
	cw_server_play_session(w, &play, &s);
	cw_base16_encode(CW_BYTES_ARRAY(s.serial), serial);
	cw_session_wipe(&s);
	cw_server_play_wipe(&play);
}

void
cw_manage_about(struct cw_server_world *w, const char *action,
    const char *certificates, bool with_key)
{
	assert_err(cw_manage_invite(w,
		       (struct cw_admin){ .action = action,
			   .certificates = certificates,
			   .with_key = with_key }),
	    CW_OK);
}

enum cw_certificate_status
cw_manage_status(struct cw_server_world *w, const char serial[CW_MANAGE_SERIAL],
    unsigned *wanted)
{
	uint8_t number[CW_SERIAL_BYTES];
	struct cw_certificate c;

	assert_true(
	    cw_base16_decode(cw_bytes_str(serial), number, sizeof(number)));
	assert_err(w->store->certificate_load(w->store, number, &c, NULL),
	    CW_OK);
	if (wanted != NULL)
		*wanted = c.wanted;
	return c.status;
}

void
cw_manage_read(struct cw_server_world *w, struct cw_intent *intent,
    struct cw_grant *grant)
{
	assert_err(cw_intent_decode(cw_buf_bytes(&w->invitation.intent),
		       intent),
	    CW_OK);
	assert_err(cw_grant_decode(cw_buf_bytes(&w->invitation.grant), grant),
	    CW_OK);
}
