/* SPDX-License-Identifier: Apache-2.0 */
/* What keys are called on the command line, and a key as a line. */
#ifndef CW_AGENT_KEY_WORDS_H
#define CW_AGENT_KEY_WORDS_H

#include "proto/held_key.h"

/* As RFC 9864, 7518 and IANA's COSE registry write them: "ESP256", "PS256",
 * "RSA-OAEP-256", "ECDH", "HMAC 256/256"; "unknown" for what is in no table. */
const char *cw_algorithm_name(int32_t algorithm);

/* The number of such a name, either case; also of those of RFC 7518 for the
 * same ("ES256", "HS256"). 0 if there is none. */
int32_t cw_algorithm_number(const char *name);

/* "P-256", "RSA-2048", "secret". */
const char *cw_key_word_type(enum cw_key_type type);

/* One usage of those in `bits`, from the lowest; NULL behind the last:
 * for (i = 0; (word = cw_key_word_usage(bits, i)) != NULL; i++) */
const char *cw_key_word_usage(unsigned bits, unsigned i);

/* For people: one line and what belongs to it; for scripts: one object. */
void cw_key_show(const struct cw_held_key *key);
void cw_key_show_json(const struct cw_held_key *key);

#endif
