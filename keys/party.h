/* SPDX-License-Identifier: Apache-2.0 */
/* A key pair with its certificate in a tree of issuers, and its two files. */
#ifndef CW_KEYS_PARTY_H
#define CW_KEYS_PARTY_H

#include "keys/certmaker.h"
#include "keys/passphrase.h"
#include "proto/card_link.h"

struct cw_party {
	struct cw_private_key *key;
	size_t n_chain;
	struct cw_bytes chain[CW_CHAIN_MAX]; /* DER, leaf first, without root */
	struct cw_buf memory;                /* what the chain points into */
	bool self_signed;                    /* then the chain is just that */
};

/*
 * Makes a key of this type and a certificate by `issuer`, or self-signed with
 * NULL. `spec->key` is set here. Errors: those of cw_key_generate, cw_cert_make.
 */
enum cw_err cw_party_make(struct cw_party *party, enum cw_key_type type,
    struct cw_cert_spec spec, const struct cw_party *issuer, uint64_t now_s)
    __attribute__((warn_unused_result));

/* Key and chain as PREFIX.key and PREFIX.pem. Errors: EXISTS (before either is
 * written), and those of keyfile.h. */
enum cw_err cw_party_store(const struct cw_party *party, const char *prefix,
    struct cw_bytes passphrase) __attribute__((warn_unused_result));

/* Errors: those of keyfile.h; BAD_PRIVATE_KEY if the key is not the
 * certificate's. */
enum cw_err cw_party_load(struct cw_party *party, const char *key_path,
    const char *cert_path, struct cw_passphrase *passphrase)
    __attribute__((warn_unused_result));

void cw_party_wipe(struct cw_party *party);

/* What a card is told of itself. */
struct cw_card_names {
	const char *subject, *model, *firmware, *serial;
	unsigned days;
};

/*
 * Makes a card's own attestation key under the batch CA and writes what the
 * card is given (session.cddl personalisation), mode 0600, to a new file. The
 * batch attestation key is shared by all cards of the batch CA.
 */
enum cw_err cw_party_personalise(const struct cw_card_names *names,
    const struct cw_party *batch_ca, const struct cw_party *batch,
    uint64_t now_s, const char *path) __attribute__((warn_unused_result));

/* The certificate of an attestation key: its usages and what it attests. */
struct cw_cert_spec cw_attestation_spec(const char *subject, unsigned days,
    enum cw_attestation_kind kind, const char *model);

#endif
