/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token buckets, so that one invitation or one network cannot take all of the
 * issuer's signatures. A bounded table: under pressure the bucket that has been
 * idle longest among a few is given up.
 */
#ifndef CW_SERVER_LIMIT_H
#define CW_SERVER_LIMIT_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"

struct cw_limits;

struct cw_limits *cw_limits_new(void); /* NULL: no memory */
void cw_limits_free(struct cw_limits **limits);

/*
 * Takes one token of `key`'s bucket, which holds `burst` and gains one every
 * `refill_ms`. Errors: TOO_BUSY. NULL limits: always CW_OK. Thread-safe.
 */
enum cw_err cw_limit_take(struct cw_limits *limits, struct cw_bytes key,
    unsigned burst, unsigned refill_ms, uint64_t now_ms)
    __attribute__((warn_unused_result));

/*
 * The network of a numeric address, for a bucket: IPv4 /24, IPv6 /56. Loopback
 * gives none (a length of 0): behind a proxy everybody would share it.
 */
struct cw_bytes cw_limit_network(const char *address, uint8_t out[17]);

#endif
