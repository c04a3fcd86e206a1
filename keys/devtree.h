/* SPDX-License-Identifier: Apache-2.0 */
/* The whole development tree, without questions. */
#ifndef CW_KEYS_DEVTREE_H
#define CW_KEYS_DEVTREE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"

#define CW_DEVTREE_CARDS_MAX 100
#define CW_DEVTREE_MODEL "Cardwright reference card"

struct cw_devtree {
	const char *dir; /* is made; its parent must be there */
	const char *url; /* origin of the issuer; http: without TLS */
	unsigned n_cards;
	uint64_t now_s;
};

/*
 * Makes the tree in `dir` (mode 0700), with unencrypted keys (mode 0600), all at
 * once: it is made beside and renamed. A complete tree (one with issuer.ini) is
 * left alone, and `made` says so. Errors: EXISTS (an incomplete tree), BAD_URL,
 * IO, those of party.h.
 *
 *   vendor-root batch-ca batch-attestation      .key and .pem each
 *   cards/card-1.personalisation …
 *   issuer-root issuing-ca management authority tls-root tls
 *   tag.key issuer.ini signer/ state/
 */
enum cw_err cw_devtree_make(const struct cw_devtree *tree, bool *made)
    __attribute__((warn_unused_result));

#endif
