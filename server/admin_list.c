/* SPDX-License-Identifier: Apache-2.0 */
/* Listings and revocation. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/rfc4648.h"
#include "proto/text.h"
#include "server/admin.h"

#define WAIT_S 60u
#define POLL_MS 200u

enum cw_err
cw_admin_say(enum cw_err err, const char *what)
{
	fprintf(stderr, "cardwright-admin: %s: %s %s (error %d)\n", what,
	    cw_err_what(err), cw_err_remedy(err), (int)err);
	return err;
}

enum cw_err
cw_admin_make_state(const struct cw_config *config)
{
	return mkdir(config->state, 0700) == 0 || errno == EEXIST ? CW_OK :
								    CW_ERR_IO;
}

void
cw_admin_time(uint64_t time_s, char out[32])
{
	time_t t = (time_t)time_s;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, 32, "%Y-%m-%d %H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}

/* A JSON string of text that is displayable already (RFC 8259 7). */
void
cw_admin_json(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

/* The store is written by the web process, which is not trusted with what an
 * operator's terminal does. */
static const char *
shown(const char *text)
{
	return cw_text_is_displayable(cw_bytes_str(text)) ? text : "?";
}

static bool
each_certificate(void *ctx, const struct cw_certificate *c)
{
	const struct cw_admin *admin = ctx;
	char hex[2 * CW_SERIAL_BYTES + 1];
	char when[32];

	cw_base16_encode(CW_BYTES_ARRAY(c->serial), hex);
	cw_admin_time(c->changed_s, when);
	if (!admin->json) {
		printf("%s  %-9s  %s  %-14s  %s\n", hex,
		    cw_certificate_status_name(c->status), when,
		    shown(c->profile), shown(c->subject));
		return true;
	}
	printf("{\"serial\":\"%s\",\"status\":\"%s\",\"changed_s\":%llu,"
	       "\"profile\":",
	    hex, cw_certificate_status_name(c->status),
	    (unsigned long long)c->changed_s);
	cw_admin_json(shown(c->profile));
	printf(",\"subject\":");
	cw_admin_json(shown(c->subject));
	printf("}\n");
	return true;
}

enum cw_err
cw_admin_list(struct cw_admin *admin)
{
	enum cw_err err = admin->store->certificate_each(admin->store,
	    each_certificate, admin);

	return err == CW_OK ? CW_OK : cw_admin_say(err, "list");
}

static bool
each_session(void *ctx, const struct cw_session *s)
{
	const struct cw_admin *admin = ctx;
	char hex[2 * CW_SESSION_ID_BYTES + 1];
	char serial[2 * CW_SERIAL_BYTES + 1];
	const char *stage =
	    cw_session_is_waiting(s) ? "waiting" : cw_stage_name(s->stage);
	char when[32];

	cw_base16_encode(CW_BYTES_ARRAY(s->id), hex);
	cw_base16_encode(CW_BYTES_ARRAY(s->serial), serial);
	cw_admin_time(s->created_s, when);
	if (admin->json)
		printf("{\"session\":\"%s\",\"stage\":\"%s\","
		       "\"created_s\":%llu,\"expires_s\":%llu,"
		       "\"serial\":\"%s\",\"error\":%d}\n",
		    hex, stage, (unsigned long long)s->created_s,
		    (unsigned long long)s->expires_s, serial, (int)s->error);
	else
		printf("%s  %-10s  %s  %s\n", hex, stage, when,
		    s->error == CW_OK ? "" : cw_err_name(s->error));
	return true;
}

enum cw_err
cw_admin_sessions(struct cw_admin *admin)
{
	enum cw_err err =
	    admin->store->session_each(admin->store, each_session, admin);

	return err == CW_OK ? CW_OK : cw_admin_say(err, "sessions");
}

static const char *
invitation_state(const struct cw_invitation *v)
{
	struct cw_clock clock = cw_clock_system();

	if (v->withdrawn)
		return "withdrawn";
	if (v->used >= v->uses)
		return "used";
	return cw_clock_now_s(&clock) >= v->expires_s ? "expired" : "open";
}

static bool
each_invitation(void *ctx, const struct cw_invitation *v)
{
	const struct cw_admin *admin = ctx;
	char subject[CW_SUBJECT_MAX] = "?";
	char expires[32];
	struct cw_grant g;

	if (cw_grant_decode(cw_buf_bytes(&v->grant), &g) == CW_OK)
		snprintf(subject, sizeof(subject), "%.*s", (int)g.subject.len,
		    (const char *)g.subject.ptr);
	cw_admin_time(v->expires_s, expires);
	if (!admin->json) {
		printf("%-9s  %u/%u  until %s  %s\n", invitation_state(v),
		    v->used, v->uses, expires, subject);
		return true;
	}
	printf("{\"state\":\"%s\",\"used\":%u,\"uses\":%u,"
	       "\"expires_s\":%llu,\"subject\":",
	    invitation_state(v), v->used, v->uses,
	    (unsigned long long)v->expires_s);
	cw_admin_json(subject);
	printf("}\n");
	return true;
}

enum cw_err
cw_admin_invitations(struct cw_admin *admin)
{
	enum cw_err err =
	    admin->store->invitation_each(admin->store, each_invitation, admin);

	return err == CW_OK ? CW_OK : cw_admin_say(err, "invitations");
}

/* ---- revocation ---- */

static void
sleep_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

static enum cw_err
wait_revoked(struct cw_admin *admin, const uint8_t *serial)
{
	struct cw_certificate c;

	for (unsigned ms = 0; ms < WAIT_S * 1000; ms += POLL_MS) {
		enum cw_err err = admin->store->certificate_load(admin->store,
		    serial, &c, NULL);

		if (err != CW_OK)
			return cw_admin_say(err, admin->argument);
		if (c.status == CW_CERT_REVOKED)
			return CW_OK;
		sleep_ms(POLL_MS);
	}
	return cw_admin_say(CW_ERR_SIGNER_DOWN,
	    "the issuer has not carried it out yet");
}

/* Suspended at once, so that nothing calls it good; the signer, which alone can
 * revoke, is asked by the running issuer's sweeper. */
enum cw_err
cw_admin_revoke(struct cw_admin *admin)
{
	struct cw_clock clock = cw_clock_system();
	uint8_t serial[CW_SERIAL_BYTES];
	struct cw_certificate c;
	enum cw_err err;

	if (!cw_base16_decode(cw_bytes_str(admin->argument), serial,
		sizeof(serial)))
		return cw_admin_say(CW_ERR_USAGE, "SERIAL: 32 hex digits");
	if (admin->reason > 10 || admin->reason == 7 || admin->reason == 6 ||
	    admin->reason == 8)
		return cw_admin_say(CW_ERR_USAGE, "--reason: 0 to 5, 9 or 10");
	err = admin->store->certificate_load(admin->store, serial, &c, NULL);
	if (err != CW_OK)
		return cw_admin_say(err, admin->argument);
	if (c.status == CW_CERT_REVOKED) {
		printf("revoked before\n");
		return CW_OK;
	}
	if (c.status == CW_CERT_RESERVED)
		return cw_admin_say(CW_ERR_UNKNOWN_SERIAL, admin->argument);
	err = admin->store->certificate_set(admin->store, serial,
	    CW_CERT_SUSPENDED, admin->reason, cw_clock_now_s(&clock));
	if (err != CW_OK)
		return cw_admin_say(err, admin->argument);
	if (admin->wait)
		err = wait_revoked(admin, serial);
	if (err == CW_OK)
		printf(admin->wait ? "revoked\n" :
				     "suspended; the issuer will revoke it\n");
	return err;
}
