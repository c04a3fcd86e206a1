/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packets between web process and signer. A request is a CBOR array
 * [id, operation, arguments…], an answer [id, error number, results…], results
 * only with error 0:
 *
 *   1 info    []                      -> [key, [+ ca], [+ mgmt], [+ authority],
 *                                         commits of its log]
 *   2 sign    [grant, request-fields] -> [R, tag]
 *   3 token   [proof, token]          -> [verdict]
 *   4 certify [proof, verdict, token, key statement, serial, [* approval]]
 *                                     -> [certificate]
 *   5 revoke  [serial, reason]        -> []
 *   6 read    [from, max]             -> [[* [index, revoked, serial, th, time]]]
 *   7 done    [proof, verdict, token, result statement] -> []
 *
 *   proof = [R: bstr, tag: bstr .size 32, grant: bstr, card ephemeral: cose-key]
 *   request-fields = [suite, session-id, uri, issuer ephemeral, card nonce,
 *     caps hash, intent hash, scope, mode, lifetime, command limit]
 *   verdict = bstr .cbor [kind, model, cose-key, leaf hash,
 *     pseudonym: hash / null, tag]
 *
 * The decoder of requests is strict: the web process sends nothing else, so
 * whatever does not decode is an attack or a bug, and the signer stops.
 */
#ifndef CW_KEYS_SIGNER_WIRE_H
#define CW_KEYS_SIGNER_WIRE_H

#include "keys/signer.h"

#define CW_SIGNER_PACKET_MAX 131072
#define CW_SIGNER_READ_MAX 512 /* entries in one answer */

enum cw_signer_op {
	CW_SIGNER_INFO = 1,
	CW_SIGNER_SIGN = 2,
	CW_SIGNER_TOKEN = 3,
	CW_SIGNER_CERTIFY = 4,
	CW_SIGNER_REVOKE = 5,
	CW_SIGNER_READ = 6,
	CW_SIGNER_DONE = 7,
};

#define CW_SIGNER_OPS 8

struct cw_proof {
	struct cw_bytes request;
	uint8_t tag[CW_TAG_BYTES];
	struct cw_bytes grant;
	struct cw_public_key card_ephemeral;
};

/* A request; views borrow from the packet. */
struct cw_signer_request {
	uint64_t id;
	enum cw_signer_op op;
	struct cw_bytes grant;         /* sign */
	struct cw_request fields;      /* sign; the signer fills in the rest */
	struct cw_proof proof;         /* token, certify, done */
	struct cw_bytes token;         /* token; certify, done: may be empty */
	struct cw_verdict verdict;     /* certify, done */
	struct cw_bytes key_statement; /* certify */
	struct cw_bytes result;        /* done: the statement */
	uint8_t serial[CW_SERIAL_BYTES]; /* certify, revoke */
	size_t n_approvals;              /* certify */
	struct cw_bytes approvals[CW_OPERATORS_MAX];
	unsigned reason; /* revoke */
	uint64_t from;   /* read */
	unsigned max;    /* read */
};

void cw_signer_request_encode(const struct cw_signer_request *request,
    struct cw_buf *out);

/* Errors: the reader's and those of the fields; each means: stop. */
enum cw_err cw_signer_request_decode(struct cw_bytes packet,
    struct cw_signer_request *out) __attribute__((warn_unused_result));

/* [id, error] and, with CW_OK, the results, already encoded as `n` items. */
void cw_signer_answer_encode(uint64_t id, enum cw_err err, size_t n,
    struct cw_bytes results, struct cw_buf *out);

/* A reader that stands before the results; cw_cbor_array_end and
 * cw_cbor_finish end it. Errors: WRONG_REPLY (another id), the signer's error. */
enum cw_err cw_signer_answer_open(struct cw_bytes packet, uint64_t id,
    struct cw_cbor_reader *r) __attribute__((warn_unused_result));

/* How many results an operation has. */
size_t cw_signer_results(enum cw_signer_op op);

#endif
