/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A development tree in a temporary folder, made in this process, and a signer
 * in a child on socket pairs, for any test that needs an issuer's keys. What
 * cannot be made ends the test program with a message.
 */
#ifndef CW_TESTS_KEYS_TREE_H
#define CW_TESTS_KEYS_TREE_H

#include <sys/types.h>

#include "keys/signer.h"

#define CW_KEYS_TREE_URL "https://issuer.example:8443"

struct cw_keys_tree {
	char dir[64];
	struct cw_config config;
	pid_t pid; /* of the signer, or 0 */
	int web[CW_SIGNER_CHANNELS], own[CW_SIGNER_CHANNELS];
	size_t n;                 /* channels; 0 until the first start */
	struct cw_signer *signer; /* the client; NULL until the first start */
};

/* With `cards` personalised cards. Call cw_secret_process_init before. */
void cw_keys_tree_make(struct cw_keys_tree *tree, unsigned cards);

/* Ends the signer and removes the folder. */
void cw_keys_tree_free(struct cw_keys_tree *tree);

/* "DIR/name", good until the next call. */
const char *cw_keys_tree_path(const struct cw_keys_tree *tree,
    const char *name);

/* Starts the signer and waits until it serves. After cw_keys_tree_kill it uses
 * the same channels again, as the parent of a real issuer does. */
void cw_keys_tree_start(struct cw_keys_tree *tree, size_t channels);

/* The same, but gives the exit status of a signer that does not start. */
int cw_keys_tree_try(struct cw_keys_tree *tree);

/* Closes the channels and gives the signer's exit status. */
int cw_keys_tree_stop(struct cw_keys_tree *tree);

/* SIGKILL; the channels stay. */
void cw_keys_tree_kill(struct cw_keys_tree *tree);

/* Waits for a signer that ends by itself: its exit status, -1 for a signal. */
int cw_keys_tree_wait(struct cw_keys_tree *tree);

/* The key that signs grants; the caller frees it. */
struct cw_private_key *cw_keys_tree_authority(const struct cw_keys_tree *tree);

/* The management key that the running signer says it has. */
struct cw_public_key cw_keys_tree_management(const struct cw_keys_tree *tree);

/* What card `number` (from 1) is personalised with, into `out`. */
void cw_keys_tree_card(const struct cw_keys_tree *tree, unsigned number,
    struct cw_buf *out);

#endif
