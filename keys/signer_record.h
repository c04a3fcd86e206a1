/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record of the signer's log: a 4-byte big-endian length, so many bytes of
 * CBOR, and 32 of HMAC-SHA-256 over the CBOR, by a key that only the signer has:
 *
 *   record = [1, previous: hash, time, management: hash, ca: hash] /
 *            [2, previous: hash, time, th: hash, key-id, grant: bstr .size 16,
 *             request: hash, serial: bstr .size 16, certificate: bstr] /
 *            [3, previous: hash, time, serial: bstr .size 16, reason] /
 *            [4, previous: hash, time, grant: bstr .size 16, nonce: bstr .size 16] /
 *            [5, previous: hash, time, grant: bstr .size 16, th: hash]
 *
 * 4: an R was signed that may touch what a card holds, for this card nonce; 5: a
 * card has stated the result of a session that certified nothing.
 * `previous` is SHA-256 over the CBOR of the record before, zeros in the first.
 */
#ifndef CW_KEYS_SIGNER_RECORD_H
#define CW_KEYS_SIGNER_RECORD_H

#include "keys/signer.h"

#define CW_RECORD_HEAD 4
#define CW_RECORD_MAC 32
#define CW_RECORD_MAX (CW_CERT_MAX_BYTES + 1024)

enum cw_record_kind {
	CW_RECORD_START = 1,
	CW_RECORD_CERTIFIED = 2,
	CW_RECORD_REVOKED = 3,
	CW_RECORD_REQUESTED = 4,
	CW_RECORD_DONE = 5,
};

struct cw_record {
	enum cw_record_kind kind;
	uint8_t previous[CW_HASH_BYTES];
	uint64_t time_s;
	uint8_t management[CW_HASH_BYTES], ca[CW_HASH_BYTES]; /* start */
	uint8_t th[CW_HASH_BYTES]; /* certified, done */
	uint32_t key_id;
	uint8_t grant[CW_GRANT_ID_BYTES]; /* all but start and revoked */
	uint8_t nonce[CW_NONCE_BYTES];    /* requested */
	uint8_t
	    request[CW_HASH_BYTES]; /* of what was asked, see signer_check.h */
	struct cw_bytes certificate;
	uint8_t serial[CW_SERIAL_BYTES]; /* certified, revoked */
	unsigned reason;                 /* revoked */
};

/* Appends the CBOR, without the length. */
void cw_record_encode(const struct cw_record *record, struct cw_buf *out);

/* Views borrow. Errors: the reader's; TRUNCATED for any proper prefix. */
enum cw_err cw_record_decode(struct cw_bytes in, struct cw_record *out)
    __attribute__((warn_unused_result));

/* RFC 5280 5.3.1: 0..10 without 7; 8 (removeFromCRL) is no reason to log. */
bool cw_reason_is_valid(uint64_t reason);

#endif
