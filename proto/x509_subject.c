/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 4514 text to X509_NAME. OpenSSL chooses the string types and holds the
 * lengths of X.520 (its string table), with UTF8String as RFC 5280 wants it. */
#include "proto/x509_subject.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <strings.h>

#include "proto/text.h"
#include "proto/x509_openssl.h"

static const struct {
	const char *name;
	int nid;
} types[] = {
	{ "CN", NID_commonName },
	{ "O", NID_organizationName },
	{ "OU", NID_organizationalUnitName },
	{ "C", NID_countryName },
	{ "L", NID_localityName },
	{ "ST", NID_stateOrProvinceName },
	{ "emailAddress", NID_pkcs9_emailAddress },
	{ "E", NID_pkcs9_emailAddress },
	{ "serialNumber", NID_serialNumber },
	{ "GN", NID_givenName },
	{ "SN", NID_surname },
	{ "UID", NID_userId },
	{ "DC", NID_domainComponent },
};

struct part {
	int nid;
	bool joined; /* by '+' to the part before */
	size_t at, len;
};

struct parser {
	struct cw_bytes in;
	size_t pos;
	size_t n;
	struct part parts[CW_SUBJECT_PARTS_MAX];
	size_t used;
	uint8_t values[CW_TEXT_MAX]; /* unescaped, one behind the other */
};

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* -1 at the end of the text */
static int
peek(const struct parser *p, size_t ahead)
{
	return p->pos + ahead < p->in.len ? p->in.ptr[p->pos + ahead] : -1;
}

static bool
parse_type(struct parser *p, struct part *part)
{
	const char *start = (const char *)p->in.ptr + p->pos;
	size_t len = 0;

	while (p->pos + len < p->in.len && start[len] != '=')
		len++;
	if (p->pos + len == p->in.len)
		return false;
	p->pos += len + 1;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i].name) == len &&
		    strncasecmp(types[i].name, start, len) == 0) {
			part->nid = types[i].nid;
			return true;
		}
	return false;
}

/* RFC 4514 3: ESC ( ESC / special ) or ESC two hex digits */
static int
parse_escape(struct parser *p)
{
	int c = peek(p, 1), low;

	if (c < 0)
		return -1;
	if (strchr("\\\"+,;<> #=", c) != NULL) {
		p->pos += 2;
		return c;
	}
	low = peek(p, 2);
	if (low < 0 || hex_digit((uint8_t)c) < 0 || hex_digit((uint8_t)low) < 0)
		return -1;
	p->pos += 3;
	return hex_digit((uint8_t)c) << 4 | hex_digit((uint8_t)low);
}

static bool
parse_value(struct parser *p, struct part *part)
{
	bool bare_space = false;

	part->at = p->used;
	/* RFC 4514 3: leadchar excludes space and '#' */
	if (peek(p, 0) == ' ' || peek(p, 0) == '#')
		return false;
	while (peek(p, 0) >= 0 && peek(p, 0) != ',' && peek(p, 0) != '+') {
		int c = peek(p, 0);

		bare_space = c == ' ';
		if (c == 0 || strchr("\";<>", c) != NULL)
			return false;
		if (c == '\\')
			c = parse_escape(p);
		else
			p->pos++;
		if (c < 0 || p->used == sizeof(p->values))
			return false;
		p->values[p->used++] = (uint8_t)c;
	}
	part->len = p->used - part->at;
	/* Escapes can spell what the text itself may not hold. */
	return part->len > 0 && !bare_space &&
	    cw_text_is_displayable(cw_bytes(p->values + part->at, part->len));
}

static bool
parse_all(struct parser *p)
{
	bool joined = false;

	for (;;) {
		struct part *part = &p->parts[p->n];

		if (p->n == CW_SUBJECT_PARTS_MAX || !parse_type(p, part) ||
		    !parse_value(p, part))
			return false;
		part->joined = joined;
		p->n++;
		if (p->pos == p->in.len)
			return true;
		joined = p->in.ptr[p->pos++] == '+';
	}
}

/* RFC 5280 4.2.1.6: local-part@domain, and nothing else */
static bool
take_email(const struct parser *p, struct cw_subject *out)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct part *part = &p->parts[i];
		const uint8_t *v = p->values + part->at, *at;

		if (part->nid != NID_pkcs9_emailAddress)
			continue;
		at = memchr(v, '@', part->len);
		if (at == NULL || at == v || at + 1 == v + part->len ||
		    memchr(at + 1, '@', part->len - (size_t)(at + 1 - v)) !=
			NULL ||
		    memchr(v, ' ', part->len) != NULL)
			return false;
		if (out->email[0] == '\0')
			memcpy(out->email, v, part->len);
	}
	return true;
}

/* RFC 4514 2.1: the text runs from the last RDN to the first. */
static bool
build(const struct parser *p, X509_NAME *name)
{
	size_t end = p->n;

	while (end > 0) {
		size_t start = end - 1;

		while (p->parts[start].joined)
			start--;
		for (size_t i = start; i < end; i++)
			if (X509_NAME_add_entry_by_NID(name, p->parts[i].nid,
				MBSTRING_UTF8, p->values + p->parts[i].at,
				(int)p->parts[i].len, -1,
				i == start ? 0 : -1) != 1)
				return false;
		end = start;
	}
	return true;
}

enum cw_err
cw_subject_parse(struct cw_bytes text, struct cw_subject *out)
{
	struct parser p = { .in = text };
	enum cw_err err = CW_ERR_BAD_TEXT;
	uint8_t *at = out->name;
	X509_NAME *name;
	int len;

	memset(out, 0, sizeof(*out));
	if (text.len == 0 || text.len > CW_TEXT_MAX || !parse_all(&p) ||
	    !take_email(&p, out))
		return CW_ERR_BAD_TEXT;
	name = X509_NAME_new();
	if (name == NULL)
		return CW_ERR_NO_MEMORY;
	if (build(&p, name)) {
		len = i2d_X509_NAME(name, NULL);
		err = len <= 0 || len > CW_SUBJECT_DER_MAX ? CW_ERR_TOO_LARGE :
							     CW_OK;
		if (err == CW_OK)
			out->name_len = (size_t)i2d_X509_NAME(name, &at);
	}
	X509_NAME_free(name);
	ERR_clear_error();
	return err;
}

/* The contents of the SEQUENCE. */
static struct cw_bytes
contents(const struct cw_subject *s)
{
	const uint8_t *p = s->name;
	long len;
	int tag, class;

	if (s->name_len == 0 ||
	    ASN1_get_object(&p, &len, &tag, &class, (long)s->name_len) != 0x20)
		return CW_BYTES_NONE;
	return cw_bytes(p, (size_t)len);
}

bool
cw_subject_ends_with(const struct cw_subject *subject,
    const struct cw_subject *suffix)
{
	struct cw_bytes whole = contents(subject), end = contents(suffix);

	return end.len <= whole.len &&
	    (end.len == 0 || memcmp(whole.ptr, end.ptr, end.len) == 0);
}

enum cw_err
cw_cert_check_subject(struct cw_bytes der, const struct cw_subject *subject)
{
	const uint8_t *at = subject->name;
	X509 *cert = cw_x509_parse(der);
	X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)subject->name_len);
	enum cw_err err = CW_ERR_BAD_CERTIFICATE;

	if (cert != NULL && name != NULL)
		err = X509_NAME_cmp(X509_get_subject_name(cert), name) == 0 ?
		    CW_OK :
		    CW_ERR_BAD_EVIDENCE;
	X509_NAME_free(name);
	X509_free(cert);
	ERR_clear_error();
	return err;
}
