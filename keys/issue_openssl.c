/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TBSCertificate (RFC 5280 4.1) as an ASN.1 template of OpenSSL whose fixed
 * fields hold finished DER. One template object a profile, filled at start; a
 * certificate changes serial, validity, subject, key and the last extensions.
 */
#include "keys/issue.h"

#include <openssl/asn1t.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "keys/issue_parts.h"
#include "proto/base/log.h"

#define SKEW_S 60
#define DAY_S 86400
#define KEY_TYPES (CW_KEY_X25519 + 1)

/* OpenSSL's macros want type names. ASN1_TYPE holds whole items in DER. */
typedef struct cw_tbs {
	ASN1_INTEGER *version, *serial;
	ASN1_TYPE *algorithm, *issuer;
	X509_VAL *validity;
	ASN1_TYPE *subject, *spki;
	STACK_OF(ASN1_TYPE) * extensions;
} cw_tbs;

typedef struct cw_signed {
	ASN1_TYPE *body, *algorithm;
	ASN1_BIT_STRING *bits;
} cw_signed;

typedef struct cw_spki {
	ASN1_TYPE *algorithm;
	ASN1_BIT_STRING *bits;
} cw_spki;

/* clang-format off */
ASN1_SEQUENCE(cw_tbs) = {
	ASN1_EXP(cw_tbs, version, ASN1_INTEGER, 0),
	ASN1_SIMPLE(cw_tbs, serial, ASN1_INTEGER),
	ASN1_SIMPLE(cw_tbs, algorithm, ASN1_ANY),
	ASN1_SIMPLE(cw_tbs, issuer, ASN1_ANY),
	ASN1_SIMPLE(cw_tbs, validity, X509_VAL),
	ASN1_SIMPLE(cw_tbs, subject, ASN1_ANY),
	ASN1_SIMPLE(cw_tbs, spki, ASN1_ANY),
	ASN1_EXP_SEQUENCE_OF(cw_tbs, extensions, ASN1_ANY, 3),
} static_ASN1_SEQUENCE_END(cw_tbs)

ASN1_SEQUENCE(cw_signed) = {
	ASN1_SIMPLE(cw_signed, body, ASN1_ANY),
	ASN1_SIMPLE(cw_signed, algorithm, ASN1_ANY),
	ASN1_SIMPLE(cw_signed, bits, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(cw_signed)

ASN1_SEQUENCE(cw_spki) = {
	ASN1_SIMPLE(cw_spki, algorithm, ASN1_ANY),
	ASN1_SIMPLE(cw_spki, bits, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(cw_spki)
/* clang-format on */

struct template
{
	cw_tbs *tbs;
	ASN1_TYPE *key_id; /* in tbs->extensions */
	int fixed;         /* extensions of every certificate */
	struct cw_subject suffix;
};

struct cw_issue {
	const struct cw_config *config;
	const struct cw_private_key *ca_key;
	enum cw_key_type ca_type;
	X509 *ca;
	time_t ca_end;
	cw_signed *certificate;
	cw_spki *spki[KEY_TYPES];
	struct template templates[CW_PROFILES_MAX];
};

/* Fills a field that holds one whole SEQUENCE. */
static bool
set_der(ASN1_TYPE *item, struct cw_bytes der)
{
	ASN1_STRING *string = item->value.sequence;

	if (item->type != V_ASN1_SEQUENCE) {
		string = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
		if (string == NULL)
			return false;
		ASN1_TYPE_set(item, V_ASN1_SEQUENCE, string);
	}
	return ASN1_STRING_set(string, der.ptr, (int)der.len) == 1;
}

/* All bits count: OpenSSL would cut zero bits off the end. */
static bool
set_bits(ASN1_BIT_STRING *string, struct cw_bytes bits)
{
	string->flags &= ~0x07L;
	string->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	return ASN1_STRING_set(string, bits.ptr, (int)bits.len) == 1;
}

static enum cw_err
put_item(const void *value, const ASN1_ITEM *item, struct cw_buf *out)
{
	int len = ASN1_item_i2d(value, NULL, item);
	uint8_t *at = len <= 0 ? NULL : cw_buf_extend(out, (size_t)len);

	if (at == NULL)
		return CW_ERR_NO_MEMORY;
	ASN1_item_i2d(value, &at, item);
	return CW_OK;
}

/* Encodes the extension and pushes it; frees it. */
static ASN1_TYPE *
push_extension(cw_tbs *tbs, X509_EXTENSION *ext)
{
	ASN1_TYPE *item = ext == NULL ? NULL : ASN1_TYPE_new();
	uint8_t *der = NULL;
	int len = item == NULL ? 0 : i2d_X509_EXTENSION(ext, &der);

	if (len <= 0 || !set_der(item, cw_bytes(der, (size_t)len)) ||
	    sk_ASN1_TYPE_push(tbs->extensions, item) <= 0) {
		ASN1_TYPE_free(item);
		item = NULL;
	}
	OPENSSL_free(der);
	X509_EXTENSION_free(ext);
	return item;
}

static bool
push_text(const struct cw_issue *x, cw_tbs *tbs, int nid, const char *value)
{
	CONF *empty; /* certificatePolicies wants one */
	X509V3_CTX ctx;
	bool ok;

	if (value[0] == '\0')
		return true;
	empty = NCONF_new(NULL);
	if (empty == NULL)
		return false;
	/* The subject's own extensions are not asked for here. */
	X509V3_set_ctx(&ctx, x->ca, NULL, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, empty);
	ok = push_extension(tbs,
		 X509V3_EXT_nconf_nid(empty, &ctx, nid, value)) != NULL;
	NCONF_free(empty);
	return ok;
}

/* The identifier's value is the last 20 bytes, set for each certificate. */
static bool
push_key_id(struct template *t)
{
	static const uint8_t zeros[20];
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();

	if (id != NULL && ASN1_OCTET_STRING_set(id, zeros, 20) == 1)
		t->key_id = push_extension(t->tbs,
		    X509V3_EXT_i2d(NID_subject_key_identifier, 0, id));
	ASN1_OCTET_STRING_free(id);
	return t->key_id != NULL;
}

static bool
push_extensions(const struct cw_issue *x, const struct cw_profile *p,
    struct template *t)
{
	return push_text(x, t->tbs, NID_basic_constraints,
		   "critical,CA:FALSE") &&
	    push_text(x, t->tbs, NID_key_usage, p->key_usage) &&
	    push_text(x, t->tbs, NID_ext_key_usage, p->extended_key_usage) &&
	    push_text(x, t->tbs, NID_certificate_policies, p->policies) &&
	    push_text(x, t->tbs, NID_authority_key_identifier,
		"keyid:always") &&
	    push_key_id(t);
}

static enum cw_err
fill_template(const struct cw_issue *x, const struct cw_profile *p,
    struct template *t)
{
	const X509_NAME *name = X509_get_subject_name(x->ca);
	uint8_t *issuer = NULL;
	struct cw_buf alg;
	enum cw_err err;
	int len;

	t->tbs = (cw_tbs *)ASN1_item_new(ASN1_ITEM_rptr(cw_tbs));
	if (t->tbs == NULL ||
	    ASN1_INTEGER_set(t->tbs->version, X509_VERSION_3) != 1)
		return CW_ERR_NO_MEMORY;
	cw_buf_init(&alg, 64);
	err = cw_issue_signature_algorithm(x->ca_type, &alg);
	len = i2d_X509_NAME(name, &issuer);
	if (err == CW_OK &&
	    (len <= 0 || !set_der(t->tbs->algorithm, cw_buf_bytes(&alg)) ||
		!set_der(t->tbs->issuer, cw_bytes(issuer, (size_t)len))))
		err = CW_ERR_NO_MEMORY;
	OPENSSL_free(issuer);
	cw_buf_wipe(&alg);
	if (err == CW_OK && !push_extensions(x, p, t))
		err = CW_ERR_BAD_CONFIG;
	if (err == CW_OK && p->subject_suffix[0] != '\0' &&
	    cw_subject_parse(cw_bytes_str(p->subject_suffix), &t->suffix) !=
		CW_OK)
		err = CW_ERR_BAD_CONFIG;
	t->fixed = sk_ASN1_TYPE_num(t->tbs->extensions);
	if (err == CW_ERR_BAD_CONFIG)
		return cw_log_fail(err, "signer.profile", "profile=%s",
		    p->name);
	return err;
}

static enum cw_err
fill_spki(struct cw_issue *x, enum cw_key_type type)
{
	struct cw_buf alg;
	enum cw_err err;

	x->spki[type] = (cw_spki *)ASN1_item_new(ASN1_ITEM_rptr(cw_spki));
	if (x->spki[type] == NULL)
		return CW_ERR_NO_MEMORY;
	cw_buf_init(&alg, 64);
	err = cw_issue_key_algorithm(type, &alg);
	if (err == CW_OK &&
	    !set_der(x->spki[type]->algorithm, cw_buf_bytes(&alg)))
		err = CW_ERR_NO_MEMORY;
	cw_buf_wipe(&alg);
	return err;
}

static enum cw_err
load_ca(struct cw_issue *x, struct cw_bytes der)
{
	struct tm tm;
	struct cw_buf alg;
	enum cw_err err;

	x->ca = d2i_X509(NULL, &der.ptr, (long)der.len);
	if (x->ca == NULL ||
	    ASN1_TIME_to_tm(X509_get0_notAfter(x->ca), &tm) != 1)
		return CW_ERR_BAD_CERTIFICATE;
	x->ca_end = timegm(&tm);
	x->certificate = (cw_signed *)ASN1_item_new(ASN1_ITEM_rptr(cw_signed));
	if (x->certificate == NULL)
		return CW_ERR_NO_MEMORY;
	cw_buf_init(&alg, 64);
	err = cw_issue_signature_algorithm(x->ca_type, &alg);
	if (err == CW_OK &&
	    !set_der(x->certificate->algorithm, cw_buf_bytes(&alg)))
		err = CW_ERR_NO_MEMORY;
	cw_buf_wipe(&alg);
	return err;
}

enum cw_err
cw_issue_new(const struct cw_config *config, struct cw_bytes ca,
    const struct cw_private_key *ca_key, struct cw_issue **out)
{
	struct cw_issue *x = calloc(1, sizeof(*x));
	struct cw_public_key pub;
	enum cw_err err;

	*out = NULL;
	if (x == NULL)
		return CW_ERR_NO_MEMORY;
	cw_key_public(ca_key, &pub);
	x->config = config;
	x->ca_key = ca_key;
	x->ca_type = pub.type;
	err = load_ca(x, ca);
	for (unsigned t = CW_KEY_P256; err == CW_OK && t < KEY_TYPES; t++)
		err = fill_spki(x, (enum cw_key_type)t);
	for (size_t i = 0; err == CW_OK && i < config->n_profiles; i++)
		err = fill_template(x, &config->profiles[i], &x->templates[i]);
	if (err == CW_OK)
		*out = x;
	else
		cw_issue_free(&x);
	ERR_clear_error();
	return err;
}

void
cw_issue_free(struct cw_issue **issue)
{
	struct cw_issue *x = *issue;

	if (x == NULL)
		return;
	for (size_t i = 0; i < CW_PROFILES_MAX; i++)
		ASN1_item_free((ASN1_VALUE *)x->templates[i].tbs,
		    ASN1_ITEM_rptr(cw_tbs));
	for (size_t i = 0; i < KEY_TYPES; i++)
		ASN1_item_free((ASN1_VALUE *)x->spki[i],
		    ASN1_ITEM_rptr(cw_spki));
	ASN1_item_free((ASN1_VALUE *)x->certificate, ASN1_ITEM_rptr(cw_signed));
	X509_free(x->ca);
	free(x);
	*issue = NULL;
}

void
cw_issue_set_end(struct cw_issue *x, uint64_t end_s)
{
	if (end_s < (uint64_t)x->ca_end)
		x->ca_end = (time_t)end_s;
}

enum cw_err
cw_issue_subject(const struct cw_issue *x, const struct cw_profile *profile,
    struct cw_bytes text, struct cw_subject *out)
{
	const struct template *t = &x->templates[profile - x->config->profiles];
	enum cw_err err = cw_subject_parse(text, out);

	if (err == CW_OK && t->suffix.name_len > 0 &&
	    !cw_subject_ends_with(out, &t->suffix))
		err = CW_ERR_PROFILE_REFUSES;
	return err;
}

static bool
set_serial(cw_tbs *tbs, const uint8_t serial[16])
{
	int zeros = 0;

	while (zeros < 15 && serial[zeros] == 0)
		zeros++;
	return ASN1_STRING_set(tbs->serial, serial + zeros, 16 - zeros) == 1;
}

static enum cw_err
set_validity(const struct cw_issue *x, const struct cw_profile *profile,
    cw_tbs *tbs, uint64_t now_s)
{
	time_t from = (time_t)now_s - SKEW_S;
	time_t to = from + (time_t)profile->lifetime_days * DAY_S;

	if ((time_t)now_s >= x->ca_end)
		return CW_ERR_EXPIRED_CERTIFICATE;
	if (to > x->ca_end)
		to = x->ca_end;
	if (ASN1_TIME_set(tbs->validity->notBefore, from) == NULL ||
	    ASN1_TIME_set(tbs->validity->notAfter, to) == NULL)
		return CW_ERR_NO_MEMORY;
	return CW_OK;
}

static enum cw_err
set_key(struct cw_issue *x, struct template *t, const struct cw_public_key *key,
    struct cw_buf *scratch)
{
	ASN1_STRING *id = t->key_id->value.sequence;
	uint8_t hash[CW_HASH_BYTES];
	cw_spki *spki;
	enum cw_err err;

	cw_buf_reset(scratch);
	err = cw_issue_key_bits(key, scratch);
	if (err != CW_OK)
		return err;
	spki = x->spki[key->type];
	/* RFC 7093 2 (1) */
	cw_hash(cw_buf_bytes(scratch), hash);
	memcpy(id->data + id->length - 20, hash, 20);
	if (!set_bits(spki->bits, cw_buf_bytes(scratch)))
		return CW_ERR_NO_MEMORY;
	cw_buf_reset(scratch);
	err = put_item(spki, ASN1_ITEM_rptr(cw_spki), scratch);
	if (err == CW_OK && !set_der(t->tbs->spki, cw_buf_bytes(scratch)))
		err = CW_ERR_NO_MEMORY;
	return err;
}

/* RFC 5280 4.1.2.6: an address in the subject stands in subjectAltName too. */
static enum cw_err
push_email(struct template *t, const char *email)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	enum cw_err err = CW_ERR_NO_MEMORY;

	if (names == NULL || name == NULL || text == NULL ||
	    ASN1_STRING_set(text, email, -1) != 1 ||
	    sk_GENERAL_NAME_push(names, name) <= 0) {
		ASN1_IA5STRING_free(text);
		GENERAL_NAME_free(name);
	} else {
		GENERAL_NAME_set0_value(name, GEN_EMAIL, text);
		if (push_extension(t->tbs,
			X509V3_EXT_i2d(NID_subject_alt_name, 0, names)) != NULL)
			err = CW_OK;
	}
	GENERAL_NAMES_free(names);
	return err;
}

static enum cw_err
sign(struct cw_issue *x, const cw_tbs *tbs, struct cw_buf *scratch,
    struct cw_buf *out)
{
	struct cw_buf cose;
	enum cw_err err;

	cw_buf_init(&cose, CW_SIGNATURE_MAX);
	cw_buf_reset(scratch);
	err = put_item(tbs, ASN1_ITEM_rptr(cw_tbs), scratch);
	if (err == CW_OK)
		err = cw_sign(x->ca_key, cw_buf_bytes(scratch), &cose);
	if (err == CW_OK &&
	    !set_der(x->certificate->body, cw_buf_bytes(scratch)))
		err = CW_ERR_NO_MEMORY;
	cw_buf_reset(scratch);
	if (err == CW_OK)
		err = cw_issue_signature(x->ca_type, cw_buf_bytes(&cose),
		    scratch);
	if (err == CW_OK &&
	    !set_bits(x->certificate->bits, cw_buf_bytes(scratch)))
		err = CW_ERR_NO_MEMORY;
	if (err == CW_OK)
		err = put_item(x->certificate, ASN1_ITEM_rptr(cw_signed), out);
	cw_buf_wipe(&cose);
	return err;
}

enum cw_err
cw_issue_make(struct cw_issue *x, const struct cw_issue_order *o,
    struct cw_buf *out)
{
	struct template *t = &x->templates[o->profile - x->config->profiles];
	const struct cw_subject *subject = o->subject;
	struct cw_buf scratch;
	enum cw_err err = CW_OK;

	cw_buf_init(&scratch, CW_CERT_MAX_BYTES);
	if (!set_serial(t->tbs, o->serial) ||
	    !set_der(t->tbs->subject,
		cw_bytes(subject->name, subject->name_len)))
		err = CW_ERR_NO_MEMORY;
	if (err == CW_OK)
		err = set_validity(x, o->profile, t->tbs, o->now_s);
	if (err == CW_OK)
		err = set_key(x, t, o->key, &scratch);
	if (err == CW_OK && subject->email[0] != '\0')
		err = push_email(t, subject->email);
	if (err == CW_OK)
		err = sign(x, t->tbs, &scratch, out);
	while (sk_ASN1_TYPE_num(t->tbs->extensions) > t->fixed)
		ASN1_TYPE_free(sk_ASN1_TYPE_pop(t->tbs->extensions));
	cw_buf_wipe(&scratch);
	return err;
}
