/* SPDX-License-Identifier: Apache-2.0 */
/* Files of private keys (PKCS#8, PEM), of certificates (PEM), and of secrets. */
#ifndef CW_KEYS_KEYFILE_H
#define CW_KEYS_KEYFILE_H

#include <sys/types.h>

#include "keys/passphrase.h"
#include "proto/x509.h"

/*
 * Writes the key as PKCS#8 in PEM, mode 0600, to a file that must not exist.
 * With a passphrase (not empty) it is encrypted by PBES2: scrypt (N 2^14, r 8,
 * p 1) and AES-256-CBC, which every OpenSSL since 1.1 reads (RFC 8018, 7914).
 * Errors: EXISTS, IO, NO_SPACE, CRYPTO_FAILED, NO_MEMORY.
 */
enum cw_err cw_keyfile_store(const char *path, const struct cw_private_key *key,
    struct cw_bytes passphrase) __attribute__((warn_unused_result));

/*
 * Reads one. The passphrase is asked for only if the key is encrypted; NULL
 * refuses such a key. Errors: NO_FILE, FILE_MODE (others may read it),
 * BAD_PRIVATE_KEY (or a wrong passphrase), and those of cw_passphrase_get.
 */
enum cw_err cw_keyfile_load(const char *path, struct cw_passphrase *passphrase,
    struct cw_private_key **out) __attribute__((warn_unused_result));

/* Certificates, DER, to a PEM file of mode 0644 that must not exist. */
enum cw_err cw_certfile_store(const char *path, const struct cw_bytes *chain,
    size_t n) __attribute__((warn_unused_result));

/* A PEM file's certificates, one behind the other in `memory` (initialised by
 * the caller), as views. Errors: NO_FILE, BAD_CERTIFICATE, TOO_LARGE. */
enum cw_err cw_certfile_load(const char *path, struct cw_buf *memory,
    struct cw_bytes chain[CW_CHAIN_MAX], size_t *n)
    __attribute__((warn_unused_result));

/* Any new file, synced; EXISTS if there is one. */
enum cw_err cw_newfile_store(const char *path, struct cw_bytes bytes,
    mode_t mode) __attribute__((warn_unused_result));

#endif
