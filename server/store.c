/* SPDX-License-Identifier: Apache-2.0 */
/* What all backends of the store share: the structs' life. */
#include "server/store.h"

static const char *const stage_names[] = { "managing", "opened", "creating",
	"installing", "done", "failed", "expired" };
static const char *const status_names[] = { "none", "reserved", "pending",
	"active", "suspended", "revoked" };

const char *
cw_stage_name(enum cw_stage stage)
{
	size_t i = (size_t)stage;

	return i < sizeof(stage_names) / sizeof(stage_names[0]) ?
	    stage_names[i] :
	    "unknown";
}

const char *
cw_certificate_status_name(enum cw_certificate_status status)
{
	size_t i = (size_t)status;

	return i < sizeof(status_names) / sizeof(status_names[0]) ?
	    status_names[i] :
	    "unknown";
}

bool
cw_session_is_waiting(const struct cw_session *session)
{
	return session->stage == CW_STAGE_CREATING &&
	    session->error == CW_ERR_APPROVAL_PENDING;
}

bool
cw_session_has_serial(const struct cw_session *session)
{
	static const uint8_t none[CW_SERIAL_BYTES];

	return memcmp(session->serial, none, sizeof(none)) != 0;
}

void
cw_session_init(struct cw_session *session)
{
	memset(session, 0, sizeof(*session));
	cw_buf_init(&session->request, CW_REQUEST_MAX);
	cw_buf_init(&session->grant, CW_GRANT_MAX);
	cw_buf_init(&session->verdict, CW_GRANT_MAX);
	cw_buf_init(&session->batch, CW_BODY_MAX);
	cw_buf_init(&session->sealed, CW_GRANT_MAX);
}

void
cw_session_wipe(struct cw_session *session)
{
	cw_buf_wipe(&session->request);
	cw_buf_wipe(&session->grant);
	cw_buf_wipe(&session->verdict);
	cw_buf_wipe(&session->batch);
	cw_buf_wipe(&session->sealed);
}

static enum cw_err
copy_buf(struct cw_buf *to, const struct cw_buf *from)
{
	cw_buf_reset(to);
	cw_buf_put(to, cw_buf_bytes(from));
	return to->err;
}

enum cw_err
cw_session_copy(struct cw_session *to, const struct cw_session *from)
{
	struct cw_session head = *from;
	enum cw_err err;

	head.request = to->request;
	head.grant = to->grant;
	head.verdict = to->verdict;
	head.batch = to->batch;
	head.sealed = to->sealed;
	*to = head;
	if ((err = copy_buf(&to->request, &from->request)) != CW_OK ||
	    (err = copy_buf(&to->grant, &from->grant)) != CW_OK ||
	    (err = copy_buf(&to->verdict, &from->verdict)) != CW_OK ||
	    (err = copy_buf(&to->batch, &from->batch)) != CW_OK ||
	    (err = copy_buf(&to->sealed, &from->sealed)) != CW_OK)
		return err;
	return CW_OK;
}

void
cw_invitation_init(struct cw_invitation *invitation)
{
	memset(invitation, 0, sizeof(*invitation));
	cw_buf_init(&invitation->grant, CW_GRANT_MAX);
	cw_buf_init(&invitation->intent, CW_BODY_MAX);
}

void
cw_invitation_wipe(struct cw_invitation *invitation)
{
	cw_buf_wipe(&invitation->grant);
	cw_buf_wipe(&invitation->intent);
}

enum cw_err
cw_invitation_copy(struct cw_invitation *to, const struct cw_invitation *from)
{
	struct cw_invitation head = *from;
	enum cw_err err;

	head.grant = to->grant;
	head.intent = to->intent;
	*to = head;
	err = copy_buf(&to->grant, &from->grant);
	return err != CW_OK ? err : copy_buf(&to->intent, &from->intent);
}

void
cw_store_close(struct cw_store **store)
{
	if (*store != NULL)
		(*store)->close(*store);
	*store = NULL;
}
