/* SPDX-License-Identifier: Apache-2.0 */
/* The single commands of a real ceremony, one key each. */
#ifndef CW_KEYS_CEREMONY_H
#define CW_KEYS_CEREMONY_H

#include "keys/party.h"

struct cw_ceremony_options {
	const char *subject, *out;
	const char *ca_key, *ca_cert; /* the issuer */
	const char *batch_key,
	    *batch_cert; /* card: the batch attestation key */
	const char *model, *firmware, *serial;
	const char *new_cert; /* endorsement: of the key that follows */
	unsigned epoch;       /* endorsement: above all before it */
	enum cw_key_type key_type;
	unsigned days;        /* 0: the ceremony's own figure */
	int passphrase_fd;    /* of the new key; -1: the terminal */
	int ca_passphrase_fd; /* of the keys that are read; -1: the terminal */
	bool unencrypted;     /* the new key gets no passphrase */
	uint64_t now_s;
};

/* The commands, NULL behind the last. */
struct cw_ceremony {
	const char *name, *help;
	enum cw_err (*run)(const struct cw_ceremony *self,
	    const struct cw_ceremony_options *o);
	bool has_issuer;
	int path_length;
	unsigned days;
	const char *key_usage, *extended_key_usage;
};

extern const struct cw_ceremony cw_ceremonies[];

#endif
