/* SPDX-License-Identifier: Apache-2.0 */
/* The web process's side: a pool of channels, one request at a time on each. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "keys/signer_wire.h"
#include "proto/base/clock.h"

#define TIMEOUT_MS 5000

struct channel {
	int fd;
	bool busy;
	bool late; /* an answer to an earlier request may come */
	struct cw_buf request;
	struct cw_signer_request checked;
	size_t len; /* of the answer */
	uint8_t *answer;
};

struct cw_signer {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	uint64_t next_id;
	size_t n;
	struct channel channels[CW_SIGNER_CHANNELS];
};

struct cw_signer *
cw_signer_new(const int *channels, size_t n)
{
	struct cw_signer *s = calloc(1, sizeof(*s));
	const struct timeval patience = { .tv_sec = TIMEOUT_MS / 1000 };
	pthread_condattr_t attr;

	if (s == NULL || n == 0 || n > CW_SIGNER_CHANNELS) {
		free(s);
		return NULL;
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->freed, &attr);
	pthread_condattr_destroy(&attr);
	/* An answer to a web process that died must not fit a later request. */
	cw_random((uint8_t *)&s->next_id, sizeof(s->next_id));
	s->n = n;
	for (size_t i = 0; i < n; i++) {
		s->channels[i].fd = channels[i];
		s->channels[i].late = true;
		(void)setsockopt(channels[i], SOL_SOCKET, SO_RCVTIMEO,
		    &patience, sizeof(patience));
		s->channels[i].answer = malloc(CW_SIGNER_PACKET_MAX);
		cw_buf_init(&s->channels[i].request, CW_SIGNER_PACKET_MAX);
		if (s->channels[i].answer == NULL) {
			cw_signer_free(&s);
			return NULL;
		}
	}
	return s;
}

void
cw_signer_free(struct cw_signer **signer)
{
	struct cw_signer *s = *signer;

	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++) {
		free(s->channels[i].answer);
		cw_buf_wipe(&s->channels[i].request);
	}
	pthread_cond_destroy(&s->freed);
	pthread_mutex_destroy(&s->lock);
	free(s);
	*signer = NULL;
}

static struct timespec
as_timespec(uint64_t ms)
{
	return (struct timespec){ (time_t)(ms / 1000),
		(long)(ms % 1000) * 1000000 };
}

/* A free channel and a new id, or NULL at the deadline. */
static struct channel *
acquire(struct cw_signer *s, uint64_t deadline_ms, uint64_t *id)
{
	struct timespec until = as_timespec(deadline_ms);
	struct channel *c = NULL;
	int r = 0;

	pthread_mutex_lock(&s->lock);
	while (c == NULL && r == 0) {
		for (size_t i = 0; i < s->n && c == NULL; i++)
			if (!s->channels[i].busy)
				c = &s->channels[i];
		if (c == NULL)
			r = pthread_cond_timedwait(&s->freed, &s->lock, &until);
	}
	if (c != NULL) {
		c->busy = true;
		*id = s->next_id++;
	}
	pthread_mutex_unlock(&s->lock);
	return c;
}

static void
release(struct cw_signer *s, struct channel *c)
{
	pthread_mutex_lock(&s->lock);
	c->busy = false;
	pthread_cond_signal(&s->freed);
	pthread_mutex_unlock(&s->lock);
}

/* The next packet within the time, into c->answer: the socket itself waits no
 * longer than that. */
static bool
receive(struct channel *c, uint64_t deadline_ms)
{
	ssize_t n;

	do
		n = recv(c->fd, c->answer, CW_SIGNER_PACKET_MAX, 0);
	while (
	    n < 0 && errno == EINTR && cw_clock_monotonic_ms() < deadline_ms);
	c->len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* Answers that came too late for an earlier request, of this process or of the
 * one before it. */
static void
drain(struct channel *c)
{
	while (recv(c->fd, c->answer, CW_SIGNER_PACKET_MAX, MSG_DONTWAIT) > 0)
		;
	c->late = false;
}

/* Sends, and waits for the answer to this very request; a reader stands before
 * its results. */
static enum cw_err
exchange(struct channel *c, const struct cw_signer_request *q,
    uint64_t deadline_ms, struct cw_cbor_reader *r)
{
	const struct cw_buf *b = &c->request;
	enum cw_err err;
	ssize_t sent;

	if (c->late)
		drain(c);
	cw_buf_reset(&c->request);
	cw_signer_request_encode(q, &c->request);
	if (b->err != CW_OK)
		return b->err;
	/* What the signer would stop at must not get there: strangers' bytes
	 * are in these fields. */
	err = cw_signer_request_decode(cw_buf_bytes(b), &c->checked);
	if (err != CW_OK)
		return err;
	sent = send(c->fd, b->ptr, b->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EMSGSIZE ? CW_ERR_TOO_LARGE :
					   CW_ERR_SIGNER_DOWN;
	do {
		if (!receive(c, deadline_ms)) {
			c->late = true;
			return CW_ERR_SIGNER_DOWN;
		}
		err = cw_signer_answer_open(cw_bytes(c->answer, c->len), q->id,
		    r);
	} while (
	    err == CW_ERR_WRONG_REPLY && cw_clock_monotonic_ms() < deadline_ms);
	if (err == CW_ERR_WRONG_REPLY) {
		c->late = true;
		err = CW_ERR_SIGNER_DOWN;
	}
	return err;
}

/* What one call keeps from begin to end. */
struct call {
	struct cw_signer *signer;
	struct channel *channel;
	struct cw_cbor_reader r;
};

static enum cw_err
begin(struct cw_signer *s, struct cw_signer_request *q, struct call *call)
{
	uint64_t deadline_ms = cw_clock_monotonic_ms() + TIMEOUT_MS;

	call->signer = s;
	call->channel = acquire(s, deadline_ms, &q->id);
	if (call->channel == NULL)
		return CW_ERR_SIGNER_DOWN;
	return exchange(call->channel, q, deadline_ms, &call->r);
}

/* Gives the channel back; views into the answer end here. */
static enum cw_err
end(struct call *call, enum cw_err err)
{
	if (call->channel == NULL)
		return err;
	if (err == CW_OK) {
		cw_cbor_array_end(&call->r);
		err = cw_cbor_finish(&call->r);
	}
	release(call->signer, call->channel);
	return err;
}

static size_t
get_chain(struct cw_cbor_reader *r, struct cw_bytes chain[CW_CHAIN_MAX])
{
	size_t n = cw_cbor_array(r, 1, CW_CHAIN_MAX);

	for (size_t i = 0; i < n; i++)
		chain[i] = cw_cbor_bstr(r, 1, CW_CERT_MAX_BYTES);
	cw_cbor_array_end(r);
	return n;
}

enum cw_err
cw_signer_info(struct cw_signer *signer, struct cw_buf *memory,
    struct cw_signer_info *out)
{
	struct cw_signer_request q = { .op = CW_SIGNER_INFO };
	struct call call;
	struct cw_cbor_reader *r = &call.r;
	enum cw_err err = begin(signer, &q, &call);

	if (err == CW_OK) {
		cw_buf_put(memory,
		    cw_bytes(call.channel->answer, call.channel->len));
		err = memory->err;
	}
	if (err == CW_OK)
		err = cw_signer_answer_open(cw_buf_bytes(memory), q.id, r);
	if (err == CW_OK) {
		cw_cose_key_get(r, &out->management_key);
		out->n_ca = get_chain(r, out->ca);
		out->n_management = get_chain(r, out->management);
		out->n_authority = get_chain(r, out->authority);
		out->log_commits = cw_cbor_uint(r, 0, UINT64_MAX);
	}
	return end(&call, err);
}

enum cw_err
cw_signer_sign_request(struct cw_signer *signer, struct cw_bytes grant,
    const struct cw_request *fields, struct cw_buf *request,
    uint8_t tag[CW_TAG_BYTES])
{
	struct cw_signer_request q = { .op = CW_SIGNER_SIGN,
		.grant = grant,
		.fields = *fields };
	struct call call;
	enum cw_err err = begin(signer, &q, &call);

	if (err == CW_OK) {
		cw_buf_put(request, cw_cbor_bstr(&call.r, 1, CW_REQUEST_MAX));
		cw_cbor_bstr_into(&call.r, tag, CW_TAG_BYTES);
		err = request->err;
	}
	return end(&call, err);
}

static struct cw_proof
copy_proof(const struct cw_session_proof *p)
{
	struct cw_proof out = { .request = p->request,
		.grant = p->grant,
		.card_ephemeral = *p->card_ephemeral };

	memcpy(out.tag, p->request_tag, CW_TAG_BYTES);
	return out;
}

enum cw_err
cw_signer_check_token(struct cw_signer *signer,
    const struct cw_session_proof *proof, struct cw_bytes token,
    struct cw_verdict *out)
{
	struct cw_signer_request q = { .op = CW_SIGNER_TOKEN,
		.proof = copy_proof(proof),
		.token = token };
	struct call call;
	struct cw_bytes verdict;
	enum cw_err err = begin(signer, &q, &call);

	if (err == CW_OK) {
		verdict = cw_cbor_bstr(&call.r, 1, CW_REQUEST_MAX);
		if (call.r.err == CW_OK)
			err = cw_verdict_decode(verdict, out);
	}
	return end(&call, err);
}

enum cw_err
cw_signer_certify(struct cw_signer *signer,
    const struct cw_session_proof *proof, const struct cw_verdict *verdict,
    struct cw_bytes token, struct cw_bytes key_statement,
    const uint8_t serial[CW_SERIAL_BYTES], struct cw_buf *certificate)
{
	struct cw_signer_request q = { .op = CW_SIGNER_CERTIFY,
		.proof = copy_proof(proof),
		.verdict = *verdict,
		.token = token,
		.key_statement = key_statement };
	struct call call;
	enum cw_err err;

	memcpy(q.serial, serial, CW_SERIAL_BYTES);
	if (proof->n_approvals > CW_OPERATORS_MAX)
		return CW_ERR_TOO_LARGE;
	q.n_approvals = proof->n_approvals;
	for (size_t i = 0; i < proof->n_approvals; i++)
		q.approvals[i] = proof->approvals[i];
	err = begin(signer, &q, &call);
	if (err == CW_OK) {
		cw_buf_put(certificate,
		    cw_cbor_bstr(&call.r, 1, CW_CERT_MAX_BYTES));
		err = certificate->err;
	}
	return end(&call, err);
}

enum cw_err
cw_signer_done(struct cw_signer *signer, const struct cw_session_proof *proof,
    const struct cw_verdict *verdict, struct cw_bytes token,
    struct cw_bytes result)
{
	struct cw_signer_request q = { .op = CW_SIGNER_DONE,
		.proof = copy_proof(proof),
		.verdict = *verdict,
		.token = token,
		.result = result };
	struct call call;
	enum cw_err err = begin(signer, &q, &call);

	return end(&call, err);
}

enum cw_err
cw_signer_revoke(struct cw_signer *signer,
    const uint8_t serial[CW_SERIAL_BYTES], unsigned reason)
{
	struct cw_signer_request q = { .op = CW_SIGNER_REVOKE,
		.reason = reason };
	struct call call;
	enum cw_err err;

	memcpy(q.serial, serial, CW_SERIAL_BYTES);
	err = begin(signer, &q, &call);
	return end(&call, err);
}

static void
get_entry(struct cw_cbor_reader *r, struct cw_signer_entry *e)
{
	cw_cbor_array(r, 5, 5);
	e->index = cw_cbor_uint(r, 0, INT64_MAX);
	e->revoked = cw_cbor_bool(r);
	cw_cbor_bstr_into(r, e->serial, sizeof(e->serial));
	cw_cbor_bstr_into(r, e->th, sizeof(e->th));
	e->time_s = cw_cbor_uint(r, 0, INT64_MAX);
	cw_cbor_array_end(r);
}

enum cw_err
cw_signer_log_read(struct cw_signer *signer, uint64_t from,
    struct cw_signer_entry *out, size_t max, size_t *n)
{
	struct cw_signer_request q = { .op = CW_SIGNER_READ,
		.from = from,
		.max = max < CW_SIGNER_READ_MAX ? (unsigned)max :
						  CW_SIGNER_READ_MAX };
	struct call call;
	enum cw_err err = begin(signer, &q, &call);

	*n = 0;
	if (err == CW_OK) {
		*n = cw_cbor_array(&call.r, 0, q.max);
		for (size_t i = 0; i < *n; i++)
			get_entry(&call.r, &out[i]);
		cw_cbor_array_end(&call.r);
	}
	return end(&call, err);
}
