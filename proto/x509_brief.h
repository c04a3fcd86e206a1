/* SPDX-License-Identifier: Apache-2.0 */
/* What people are shown of a certificate. */
#ifndef CW_PROTO_X509_BRIEF_H
#define CW_PROTO_X509_BRIEF_H

#include "proto/x509.h"

#define CW_BRIEF_NAME_MAX 512

struct cw_cert_brief {
	char subject[CW_BRIEF_NAME_MAX + 1]; /* RFC 4514, UTF-8 */
	char issuer[CW_BRIEF_NAME_MAX + 1];
	uint8_t serial[CW_SERIAL_MAX]; /* big-endian, no sign byte */
	size_t serial_len;
	uint64_t not_after_s;
};

/* Errors: BAD_CERTIFICATE (also names that are not displayable), TOO_LARGE. */
enum cw_err cw_cert_brief_read(struct cw_bytes der, struct cw_cert_brief *out)
    __attribute__((warn_unused_result));

#endif
