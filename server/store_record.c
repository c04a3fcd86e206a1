/* SPDX-License-Identifier: Apache-2.0 */
/* Records as bytes: one list of fields for both directions. */
#include "server/store_record.h"

#define LENGTH_BYTES 4u
#define KIND_BYTES 1u
#define NUMBER_BYTES 8u
#define RETIRED_BYTES (CW_SERIAL_BYTES + 4u)

/* Where the fields go, or come from. */
struct flow {
	struct cw_buf *out; /* NULL: they come from `in` */
	struct cw_bytes in;
	bool is_bad;
};

static uint64_t
get_number(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* NULL, and bad from then on, when there are fewer. */
static const uint8_t *
take(struct flow *f, size_t n)
{
	const uint8_t *at = f->in.ptr;

	if (f->is_bad || f->in.len < n) {
		f->is_bad = true;
		return NULL;
	}
	f->in = cw_bytes(at + n, f->in.len - n);
	return at;
}

static void
number(struct flow *f, uint64_t *v)
{
	const uint8_t *p;

	if (f->out != NULL) {
		cw_buf_put_u32be(f->out, (uint32_t)(*v >> 32));
		cw_buf_put_u32be(f->out, (uint32_t)*v);
	} else if ((p = take(f, NUMBER_BYTES)) != NULL) {
		*v = get_number(p, NUMBER_BYTES);
	}
}

static void
array(struct flow *f, uint8_t *v, size_t n)
{
	const uint8_t *p;

	if (f->out != NULL)
		cw_buf_put(f->out, cw_bytes(v, n));
	else if ((p = take(f, n)) != NULL)
		memcpy(v, p, n);
}

static void
bytes(struct flow *f, struct cw_bytes *v)
{
	const uint8_t *p;

	if (f->out != NULL) {
		cw_buf_put_u32be(f->out, (uint32_t)v->len);
		cw_buf_put(f->out, *v);
	} else if ((p = take(f, LENGTH_BYTES)) != NULL) {
		v->len = (size_t)get_number(p, LENGTH_BYTES);
		v->ptr = take(f, v->len);
	}
}

static void
text(struct flow *f, char *v, size_t size)
{
	struct cw_bytes b = f->out != NULL ? cw_bytes_str(v) : CW_BYTES_NONE;

	bytes(f, &b);
	if (f->out != NULL || f->is_bad)
		return;
	if (b.len >= size) {
		f->is_bad = true;
		return;
	}
	memcpy(v, b.ptr, b.len);
	v[b.len] = '\0';
}

static void
flag(struct flow *f, bool *v)
{
	uint8_t byte = *v;

	array(f, &byte, 1);
	*v = byte != 0;
}

/* ---- fields ---- */

static void
session_fields(struct flow *f, struct cw_store_record *r)
{
	array(f, r->id, sizeof(r->id));
	number(f, &r->stage);
	number(f, &r->error);
	number(f, &r->expires_s);
	array(f, r->serial, sizeof(r->serial));
	bytes(f, &r->digests);
	bytes(f, &r->verdict);
	bytes(f, &r->sealed);
}

static void
add_fields(struct flow *f, struct cw_store_record *r)
{
	array(f, r->invitation, sizeof(r->invitation));
	array(f, r->request_tag, sizeof(r->request_tag));
	number(f, &r->created_s);
	bytes(f, &r->request);
	bytes(f, &r->grant);
}

static void
certificate_fields(struct flow *f, struct cw_certificate *c)
{
	uint64_t status = c->status;
	uint64_t wanted = c->wanted;

	array(f, c->serial, sizeof(c->serial));
	array(f, c->session, sizeof(c->session));
	array(f, c->invitation, sizeof(c->invitation));
	number(f, &status);
	number(f, &wanted);
	number(f, &c->changed_s);
	text(f, c->subject, sizeof(c->subject));
	text(f, c->profile, sizeof(c->profile));
	bytes(f, &c->der);
	c->status = (enum cw_certificate_status)status;
	c->wanted = (unsigned)wanted;
}

static void
retired_fields(struct flow *f, struct cw_store_record *r)
{
	if (f->out == NULL) {
		bytes(f, &r->retired_bytes);
		r->n_retired = r->retired_bytes.len / RETIRED_BYTES;
		f->is_bad |= r->retired_bytes.len % RETIRED_BYTES != 0;
		return;
	}
	cw_buf_put_u32be(f->out, (uint32_t)(r->n_retired * RETIRED_BYTES));
	for (size_t i = 0; i < r->n_retired; i++) {
		cw_buf_put(f->out, CW_BYTES_ARRAY(r->retired[i].serial));
		cw_buf_put_u32be(f->out, r->retired[i].reason);
	}
}

static void
step_fields(struct flow *f, struct cw_store_record *r)
{
	flag(f, &r->has_step);
	if (r->has_step) {
		number(f, &r->number);
		bytes(f, &r->message);
		bytes(f, &r->answer);
		bytes(f, &r->kept);
		number(f, &r->now_s);
		retired_fields(f, r);
	}
	flag(f, &r->has_certificate);
	if (r->has_certificate)
		certificate_fields(f, &r->certificate);
}

static void
fields(struct flow *f, struct cw_store_record *r)
{
	uint8_t kind = (uint8_t)r->kind;

	array(f, &kind, KIND_BYTES);
	r->kind = (enum cw_store_record_kind)kind;
	number(f, &r->row);
	session_fields(f, r);
	if (r->kind == CW_STORE_ADD)
		add_fields(f, r);
	else if (r->kind == CW_STORE_STEP)
		step_fields(f, r);
	else
		f->is_bad = true;
}

/* ---- records ---- */

static void
take_session(struct cw_store_record *r, const struct cw_session *s)
{
	memset(r, 0, sizeof(*r));
	r->row = s->row;
	memcpy(r->id, s->id, sizeof(r->id));
	r->stage = s->stage;
	r->error = (uint64_t)s->error;
	r->expires_s = s->expires_s;
	memcpy(r->serial, s->serial, sizeof(r->serial));
	r->digests = cw_bytes(s->digests[0], s->n_digests * CW_HASH_BYTES);
	r->verdict = cw_buf_bytes(&s->verdict);
	r->sealed = cw_buf_bytes(&s->sealed);
}

void
cw_store_record_add(struct cw_store_record *record,
    const struct cw_session *session)
{
	take_session(record, session);
	record->kind = CW_STORE_ADD;
	memcpy(record->invitation, session->invitation,
	    sizeof(record->invitation));
	memcpy(record->request_tag, session->request_tag,
	    sizeof(record->request_tag));
	record->created_s = session->created_s;
	record->request = cw_buf_bytes(&session->request);
	record->grant = cw_buf_bytes(&session->grant);
}

void
cw_store_record_step(struct cw_store_record *record,
    const struct cw_session *after, const struct cw_step *step,
    const struct cw_certificate *certificate)
{
	take_session(record, after);
	record->kind = CW_STORE_STEP;
	record->has_step = step != NULL;
	record->has_certificate = certificate != NULL;
	if (step != NULL) {
		record->number = step->number;
		record->message = step->message;
		record->answer = step->answer;
		record->kept = step->kept;
		record->now_s = step->now_s;
		record->n_retired = step->n_retired;
		record->retired = step->retired;
	}
	if (certificate != NULL)
		record->certificate = *certificate;
}

void
cw_store_record_encode(const struct cw_store_record *record, struct cw_buf *out)
{
	struct cw_store_record copy = *record;
	struct flow f = { .out = out };
	size_t before = out->len;
	size_t n;

	cw_buf_put_u32be(out, 0);
	fields(&f, &copy);
	if (out->err != CW_OK)
		return;
	n = out->len - before - LENGTH_BYTES;
	for (size_t i = 0; i < LENGTH_BYTES; i++)
		out->ptr[before + i] = (uint8_t)(n >> (24 - 8 * i));
}

enum cw_err
cw_store_record_next(struct cw_bytes *in, struct cw_bytes *record)
{
	struct flow f = { .in = *in };

	if (in->len == 0)
		return CW_ERR_NOT_FOUND;
	bytes(&f, record);
	*in = f.in;
	return f.is_bad ? CW_ERR_STORE_CORRUPT : CW_OK;
}

enum cw_err
cw_store_record_row(struct cw_bytes record, uint64_t *row)
{
	struct flow f = { .in = record };

	if (take(&f, KIND_BYTES) != NULL)
		number(&f, row);
	return f.is_bad ? CW_ERR_STORE_CORRUPT : CW_OK;
}

enum cw_err
cw_store_record_decode(struct cw_bytes in, struct cw_store_record *record)
{
	struct flow f = { .in = in };

	memset(record, 0, sizeof(*record));
	fields(&f, record);
	return f.is_bad || f.in.len != 0 ||
		record->digests.len % CW_HASH_BYTES != 0 ||
		record->digests.len > (size_t)CW_STEPS_MAX * CW_HASH_BYTES ?
	    CW_ERR_STORE_CORRUPT :
	    CW_OK;
}

struct cw_retired
cw_store_record_retired(const struct cw_store_record *record, size_t i)
{
	const uint8_t *at = record->retired_bytes.ptr + i * RETIRED_BYTES;
	struct cw_retired out = {
		.reason = (unsigned)get_number(at + CW_SERIAL_BYTES, 4)
	};

	memcpy(out.serial, at, sizeof(out.serial));
	return out;
}
