/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a proxy says that it speaks for. */
#ifndef CW_SERVER_FORWARDED_H
#define CW_SERVER_FORWARDED_H

#include "proto/base/bytes.h"

#define CW_ADDRESS_CHARS 48 /* of a numeric address, with the NUL */

/*
 * The client's address from the last header that the proxy adds, of which only
 * the last element is the proxy's own word: "Forwarded" as RFC 7239 has it, any
 * other name as a list of addresses (X-Forwarded-For). False if that element is
 * no numeric address ("unknown", a name).
 */
bool cw_forwarded_address(const char *header, struct cw_bytes value,
    char out[CW_ADDRESS_CHARS]) __attribute__((warn_unused_result));

#endif
