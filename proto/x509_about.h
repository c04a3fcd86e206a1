/* SPDX-License-Identifier: Apache-2.0 */
/* What a certificate says, taken apart for people. Says nothing of trust. */
#ifndef CW_PROTO_X509_ABOUT_H
#define CW_PROTO_X509_ABOUT_H

#include "proto/base/buf.h"
#include "proto/limits.h"

/* What a certificate may be used for (RFC 5280 4.2.1.3, 4.2.1.12), as bits. */
enum cw_cert_use {
	CW_CERT_USE_LOGIN = 1u << 0,  /* TLS client authentication */
	CW_CERT_USE_MAIL = 1u << 1,   /* e-mail protection */
	CW_CERT_USE_SERVER = 1u << 2, /* TLS server authentication */
	CW_CERT_USE_CODE = 1u << 3,   /* code signing */
	CW_CERT_USE_SIGN = 1u << 4, /* contentCommitment: binding signatures */
};

/* UTF-8 that can be displayed (proto/text.h); "" where the Name has no such
 * part, or one that cannot be displayed or is too long. */
struct cw_cert_party {
	char name[CW_TEXT_MAX + 1];         /* commonName */
	char organisation[CW_TEXT_MAX + 1]; /* organizationName */
};

struct cw_cert_about {
	struct cw_cert_party subject, issuer;
	uint64_t not_before_s, not_after_s;
	unsigned uses; /* enum cw_cert_use */
};

/* Errors: BAD_CERTIFICATE (also one that is never valid, or was not after
 * 1970); `out` is zeroed then. */
enum cw_err cw_cert_about(struct cw_bytes der, struct cw_cert_about *out)
    __attribute__((warn_unused_result));

#endif
