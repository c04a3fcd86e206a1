/* SPDX-License-Identifier: Apache-2.0 */
/* The holder's own page, for whom the card's certificate has proven. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/grant.h"
#include "proto/x509.h"
#include "server/pages.h"
#include "server/route.h"

#define LOOKED_AT_MAX 64u /* certificates of one name; the newest are shown */

/* The account that the certificate was granted to. Empty if nobody can say. */
static void
load_account(struct cw_store *store, const struct cw_certificate *certificate,
    struct cw_buf *out)
{
	struct cw_session session;
	struct cw_grant grant;

	cw_session_init(&session);
	cw_buf_reset(out);
	if (store->session_load(store, certificate->session, &session) ==
		CW_OK &&
	    cw_grant_decode(cw_buf_bytes(&session.grant), &grant) == CW_OK)
		cw_buf_put(out, grant.account);
	cw_session_wipe(&session);
}

/* The row of what was presented. Its serial number finds it; that it is ours,
 * and not another with that number, its bytes say. */
static enum cw_err
load_presented(const struct cw_route_context *c, struct cw_certificate *out)
{
	struct cw_bytes presented = c->request->certificate;
	uint8_t serial[CW_SERIAL_MAX];
	struct cw_buf der;
	size_t len;
	enum cw_err err;

	if (presented.len == 0)
		return CW_ERR_NO_CLIENT_CERTIFICATE;
	if (cw_cert_serial(presented, serial, &len) != CW_OK ||
	    len != CW_SERIAL_BYTES)
		return CW_ERR_FOREIGN_CERTIFICATE;
	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	err = c->engine->store->certificate_load(c->engine->store, serial, out,
	    &der);
	if (err == CW_ERR_UNKNOWN_SERIAL ||
	    (err == CW_OK && !cw_bytes_equal(presented, cw_buf_bytes(&der))))
		err = CW_ERR_FOREIGN_CERTIFICATE;
	cw_buf_wipe(&der);
	return err;
}

static enum cw_err
check_state(const struct cw_certificate *certificate,
    const struct cw_cert_about *about, uint64_t now_s)
{
	static const struct {
		enum cw_certificate_status status;
		enum cw_err err;
	} rows[] = {
		{ CW_CERT_PENDING, CW_ERR_CERTIFICATE_PENDING },
		{ CW_CERT_SUSPENDED, CW_ERR_CERTIFICATE_SUSPENDED },
		{ CW_CERT_REVOKED, CW_ERR_CERTIFICATE_REVOKED },
	};

	/* To be revoked, and only not yet. */
	if (certificate->status >= CW_CERT_PENDING &&
	    certificate->wanted != CW_REASON_NONE)
		return CW_ERR_CERTIFICATE_REVOKED;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == certificate->status)
			return rows[i].err;
	if (certificate->status != CW_CERT_ACTIVE)
		return CW_ERR_FOREIGN_CERTIFICATE;
	return now_s < about->not_before_s || now_s > about->not_after_s ?
	    CW_ERR_CERTIFICATE_OVER :
	    CW_OK;
}

static enum cw_err
describe(struct cw_store *store, const struct cw_certificate *certificate,
    struct cw_page_certificate *out)
{
	struct cw_certificate row;
	struct cw_buf der;
	enum cw_err err;

	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	err = store->certificate_load(store, certificate->serial, &row, &der);
	if (err == CW_OK)
		err = cw_cert_about(cw_buf_bytes(&der), &out->about);
	out->status = certificate->status;
	memcpy(out->serial, certificate->serial, sizeof(out->serial));
	cw_buf_wipe(&der);
	return err;
}

/* Of the same name and the same account: two people may have one name. */
static enum cw_err
find_others(struct cw_store *store, const struct cw_certificate *own,
    struct cw_page_me *me)
{
	struct cw_certificate *rows = calloc(LOOKED_AT_MAX, sizeof(*rows));
	struct cw_buf account;
	struct cw_buf other;
	size_t n = 0;
	enum cw_err err = CW_ERR_NO_MEMORY;

	cw_buf_init(&account, CW_GRANT_MAX);
	cw_buf_init(&other, CW_GRANT_MAX);
	load_account(store, own, &account);
	if (rows != NULL)
		err = store->certificate_of(store, own->subject, rows,
		    LOOKED_AT_MAX, &n);
	for (size_t i = 0; i < n && err == CW_OK &&
	     me->n_others < CW_PAGE_OTHERS_MAX && account.len > 0;
	     i++) {
		if (memcmp(rows[i].serial, own->serial, sizeof(own->serial)) ==
		    0)
			continue;
		load_account(store, &rows[i], &other);
		if (cw_bytes_equal(cw_buf_bytes(&account),
			cw_buf_bytes(&other)))
			err = describe(store, &rows[i],
			    &me->others[me->n_others++]);
	}
	cw_buf_wipe(&account);
	cw_buf_wipe(&other);
	free(rows);
	return err;
}

static enum cw_err
show(const struct cw_route_context *c, const struct cw_certificate *own)
{
	struct cw_page_me *me = calloc(1, sizeof(*me));
	uint64_t now_s = cw_clock_now_s(c->engine->clock);
	enum cw_err err = me == NULL ? CW_ERR_NO_MEMORY : CW_OK;

	if (err == CW_OK)
		err = cw_cert_about(c->request->certificate, &me->own.about);
	if (err == CW_OK)
		err = check_state(own, &me->own.about, now_s);
	if (err == CW_OK) {
		me->issuer = cw_bytes_str(c->engine->config->name);
		me->now_s = now_s;
		me->own.status = own->status;
		memcpy(me->own.serial, own->serial, sizeof(own->serial));
		err = find_others(c->engine->store, own, me);
	}
	if (err == CW_OK) {
		c->response->media_type = CW_HTML_TYPE;
		cw_page_me(c->response->language, me, &c->response->body);
	}
	free(me);
	return err;
}

enum cw_err
cw_route_get_me(const struct cw_route_context *c)
{
	const char *elsewhere = c->engine->config->holder_url;
	struct cw_certificate own;
	enum cw_err err;

	if (!c->request->is_holder) {
		if (elsewhere[0] == '\0')
			return CW_ERR_NOT_FOUND;
		c->response->status = 303;
		snprintf(c->response->location, sizeof(c->response->location),
		    "%s/me", elsewhere);
		return CW_OK;
	}
	err = load_presented(c, &own);
	return err == CW_OK ? show(c, &own) : err;
}
