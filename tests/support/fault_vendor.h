/* SPDX-License-Identifier: Apache-2.0 */
/* Cards whose attestation is not as it should be, though the issuer's own vendor
 * has signed it. */
#ifndef CW_TESTS_FAULT_VENDOR_H
#define CW_TESTS_FAULT_VENDOR_H

#include "tests/support/cert_maker.h"
#include "tests/support/daemon.h"

/* A batch attestation: vendor's root, CA, leaf. */
struct cw_fault_chain {
	struct cw_test_cert root, ca, leaf;
	struct cw_test_cert_spec ca_spec, leaf_spec;
};

/* The tree's root, and specifications that are right and hold now. */
void cw_fault_chain_init(struct cw_fault_chain *chain,
    const struct cw_daemon *server);

/* Makes the certificates, and of the tree's first card one with them. */
void cw_fault_chain_make(struct cw_fault_chain *chain,
    const struct cw_daemon *server, struct cw_buf *personalisation);
void cw_fault_chain_wipe(struct cw_fault_chain *chain);

#endif
