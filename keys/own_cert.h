/* SPDX-License-Identifier: Apache-2.0 */
/* The issuer's own certificates, as the signer finds them in its files: may they
 * be used for what they are used for, and when. */
#ifndef CW_KEYS_OWN_CERT_H
#define CW_KEYS_OWN_CERT_H

#include "proto/x509.h"

/* Both ends included, seconds since 1970. */
struct cw_own_window {
	uint64_t from_s, to_s;
};

/*
 * Checks a chain (leaf first, without the root) whose leaf is a CA's certificate
 * (`eku` NULL) or has this extended key usage: version 3; a CA with keyCertSign,
 * or no CA with digitalSignature; everything above a CA with keyCertSign, each
 * signed by the next. `window` is when all of them are valid. Errors:
 * BAD_CERTIFICATE, BAD_CONSTRAINTS, UNTRUSTED_CHAIN (not signed by the next).
 */
enum cw_err cw_own_cert_check(const struct cw_bytes *chain, size_t n,
    const char *eku, struct cw_own_window *window)
    __attribute__((warn_unused_result));

bool cw_own_window_has(const struct cw_own_window *window, uint64_t now_s);

#endif
