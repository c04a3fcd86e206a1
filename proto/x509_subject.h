/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects: RFC 4514 text, as grants carry it, to a DER Name (RFC 5280). */
#ifndef CW_PROTO_X509_SUBJECT_H
#define CW_PROTO_X509_SUBJECT_H

#include "proto/base/buf.h"
#include "proto/limits.h"

#define CW_SUBJECT_PARTS_MAX 16
#define CW_SUBJECT_DER_MAX 1024

struct cw_subject {
	size_t name_len;
	uint8_t name[CW_SUBJECT_DER_MAX]; /* DER of Name */
	char email[CW_TEXT_MAX + 1];      /* of the first emailAddress, or "" */
};

/*
 * Strict: known attribute types only (CN, O, OU, C, L, ST, emailAddress or E,
 * serialNumber, GN, SN, UID, DC; letters of either case), no empty value, no
 * space that is not part of a value, no hex form (#…), escapes as in RFC 4514
 * 2.4, values displayable and as long as X.520 allows; the last in the text is
 * the first in the Name. Errors: BAD_TEXT, TOO_LARGE, NO_MEMORY.
 */
enum cw_err cw_subject_parse(struct cw_bytes text, struct cw_subject *out)
    __attribute__((warn_unused_result));

/* True if the text of `subject` ends with all of `suffix`'s attributes, compared
 * in DER, so that an escaped comma is no border. */
bool cw_subject_ends_with(const struct cw_subject *subject,
    const struct cw_subject *suffix);

/* The certificate's subject must be this name (RFC 5280 7.1). Errors:
 * BAD_CERTIFICATE; BAD_EVIDENCE when it is another. */
enum cw_err cw_cert_check_subject(struct cw_bytes der,
    const struct cw_subject *subject) __attribute__((warn_unused_result));

#endif
