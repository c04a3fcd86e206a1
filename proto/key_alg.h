/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keys outside the PIV slots can do, by COSE algorithm number: one table
 * for the rules of a key (session.cddl create-key) and for its use.
 */
#ifndef CW_PROTO_KEY_ALG_H
#define CW_PROTO_KEY_ALG_H

#include "proto/statement.h"

enum cw_key_operation {
	CW_OP_SIGN = 1,
	CW_OP_DECRYPT = 2, /* with a key pair or a secret */
	CW_OP_AGREE = 3,
	CW_OP_MAC = 4,
	CW_OP_ENCRYPT = 5, /* with a secret */
};

#define CW_ALG_RS256 (-257)
#define CW_ALG_RS384 (-258)
#define CW_ALG_RS512 (-259)
#define CW_ALG_PS256 (-37)
#define CW_ALG_PS384 (-38)
#define CW_ALG_PS512 (-39)
#define CW_ALG_RSA_OAEP_SHA1 (-40)
#define CW_ALG_RSA_OAEP_SHA256 (-41)
#define CW_ALG_HMAC_256 5
/* The x coordinate, or X25519's output: of COSE's range for private use. */
#define CW_ALG_RAW_AGREEMENT (-65537)

/* True if a key of this type and usage can have this algorithm at all. */
bool cw_key_alg_fits(int32_t alg, enum cw_key_type type, unsigned usage);

/*
 * Whether the key may do this with this algorithm. Errors: UNKNOWN_ALGORITHM
 * (none of the table, of another type or operation, or not among those that
 * the key is endorsed for), BAD_USAGE.
 */
enum cw_err cw_key_alg_check(const struct cw_attributes *a,
    enum cw_key_operation operation, int32_t alg)
    __attribute__((warn_unused_result));

#endif
