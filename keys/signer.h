/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer: the process that alone holds the management and CA keys, and how
 * the web process asks it (docs/architecture.md "Signer"). The parent makes one
 * SOCK_SEQPACKET pair per channel and keeps both ends, so that either process
 * can be started again; a request is one packet, a CBOR array [id, operation,
 * arguments…], its answer [id, error number, results…]. One channel carries one
 * request at a time. The signer takes what has come on all channels, writes its
 * log once (one fdatasync for all), then answers.
 */
#ifndef CW_KEYS_SIGNER_H
#define CW_KEYS_SIGNER_H

#include "keys/config.h"
#include "proto/grant.h"
#include "proto/request.h"
#include "proto/token.h"

#define CW_TAG_BYTES 32
/* Random, chosen by the web process; the first bit is 0, one other is not. */
#define CW_SERIAL_BYTES 16
/* Who finds none free sleeps, and is woken, once more. */
#define CW_SIGNER_CHANNELS 64
/* Card nonces a use for which an R may be signed that touches what is on a card:
 * a card loses its nonce with its power, and the wrong card may be in the reader. */
#define CW_SIGNER_TRIES 8

/* ---- the process ---- */

/* Why the signer ended; the parent starts it again, with back-off. */
enum cw_signer_exit {
	CW_SIGNER_EXIT_OK = 0,     /* the channels were closed */
	CW_SIGNER_EXIT_START = 64, /* file, log or confinement; it is logged */
	CW_SIGNER_EXIT_MALFORMED = 65, /* web sent what it never sends */
	CW_SIGNER_EXIT_LOG = 66,       /* log cannot be written, or no memory */
};

/*
 * Runs the signer until its channels close or it must stop: loads keys, becomes
 * its user (if root: [signer] user, else the owner of the management key), opens
 * and checks its log, closes all other descriptors above 2, confines itself (no
 * network, no new files, seccomp), and serves. Needs a process of its own, made
 * by fork after cw_secret_process_init. Returns an exit status. `ready_fd`, if
 * not -1, gets one byte when it serves, and is closed.
 */
int cw_signer_run(const struct cw_config *config, const int *channels, size_t n,
    int ready_fd);

/* ---- the client, in the web process; thread-safe ---- */

struct cw_signer;

/* Over the web ends of the channels, which are borrowed. NULL: no memory. */
struct cw_signer *cw_signer_new(const int *channels, size_t n);
void cw_signer_free(struct cw_signer **signer);

/* All calls may also give SIGNER_DOWN: no free channel, or no answer, within
 * 5 s. */

struct cw_signer_info {
	struct cw_public_key management_key;
	size_t n_ca, n_management, n_authority; /* chains, DER, leaf first */
	struct cw_bytes ca[CW_CHAIN_MAX];
	struct cw_bytes management[CW_CHAIN_MAX];
	struct cw_bytes authority[CW_CHAIN_MAX];
	uint64_t log_commits; /* durable ones, since the signer started */
};

/* Views borrow from `memory` (initialised by the caller). */
enum cw_err cw_signer_info(struct cw_signer *signer, struct cw_buf *memory,
    struct cw_signer_info *out) __attribute__((warn_unused_result));

/*
 * Step 3. Verifies the grant (authority, expiry, uses left, profile, mode) and
 * that the scope is within it, fills in grant hash, time, management key and
 * endorsements, and signs R; one that names objects is in the log first. `tag`
 * proves to the signer, later, that R and the grant were verified. Errors:
 * BAD_GRANT, INVITATION_EXPIRED, INVITATION_USED (also where such an R was signed
 * for CW_SIGNER_TRIES other card nonces a use), BAD_SCOPE, WRONG_MODE, UNKNOWN_PROFILE, PROFILE_REFUSES (also a lifetime
 * beyond the profile's, and a grant that asks for fewer approvals than the profile
 * or more than there are operators), BAD_ORIGIN (the
 * URI is not of the configured url; its port is free if that is 0), BAD_TEXT (the
 * grant's subject), AUTHORITY_EXPIRED, ISSUER_EXPIRED (management key or CA).
 */
enum cw_err cw_signer_sign_request(struct cw_signer *signer,
    struct cw_bytes grant, const struct cw_request *fields,
    struct cw_buf *request, uint8_t tag[CW_TAG_BYTES])
    __attribute__((warn_unused_result));

/* What the signer found of a token: lets the web process check statements and
 * the signer certify without doing the same again. */
struct cw_verdict {
	struct cw_attestation attestation;
	bool has_pseudonym;
	uint8_t pseudonym[CW_HASH_BYTES];
	uint8_t tag[CW_TAG_BYTES]; /* over th, mode, H(grant), all of this */
};

/* For the session's row in the store. */
void cw_verdict_encode(const struct cw_verdict *verdict, struct cw_buf *out);
enum cw_err cw_verdict_decode(struct cw_bytes in, struct cw_verdict *out)
    __attribute__((warn_unused_result));

struct cw_session_proof {
	struct cw_bytes request; /* R */
	const uint8_t *request_tag;
	struct cw_bytes grant;
	const struct cw_public_key *card_ephemeral;
	const struct cw_bytes *approvals; /* for certify; may be none */
	size_t n_approvals;               /* CW_OPERATORS_MAX at most */
};

/*
 * Step 4. `token` is the decrypted token. Checks R's time and lifetime, chain,
 * model, card information, statement over th in R's mode, and the grant's
 * binding. A tag that does not match (another signer's) costs a full check
 * instead. Errors: those of cw_trust_check_attestation and cw_token_check,
 * UNKNOWN_MODEL, BINDING_REFUSED, SESSION_EXPIRED, BAD_GRANT.
 */
enum cw_err cw_signer_check_token(struct cw_signer *signer,
    const struct cw_session_proof *proof, struct cw_bytes token,
    struct cw_verdict *out) __attribute__((warn_unused_result));

/*
 * Step 6 to 7. The token is given again only if the verdict's tag may be from
 * another signer; the whole check of docs/protocol.md "The signer's check" is
 * made. (th, key id) is certified once: the byte-identical request again gets
 * the same certificate from the log, another one ALREADY_CERTIFIED. The
 * certificate (DER) is in the log before it is answered.
 * Errors: APPROVAL_PENDING (fewer operators have approved this key statement
 * than the grant asks for); also WRONG_STATEMENT (also a verdict of another signer without token),
 * PROFILE_REFUSES, INVITATION_USED, BAD_SCOPE (more keys than the scope has, or
 * another slot).
 */
enum cw_err cw_signer_certify(struct cw_signer *signer,
    const struct cw_session_proof *proof, const struct cw_verdict *verdict,
    struct cw_bytes token, struct cw_bytes key_statement,
    const uint8_t serial[CW_SERIAL_BYTES], struct cw_buf *certificate)
    __attribute__((warn_unused_result));

/*
 * Step 8 where nothing was certified: the card's result statement, so that the
 * session counts as a use of its grant. Again is CW_OK; so is a session whose time
 * is over. Errors: WRONG_STATEMENT (not of this session; also a verdict of another
 * signer without token), BAD_SIGNATURE, BAD_GRANT, and those of a token's check.
 */
enum cw_err cw_signer_done(struct cw_signer *signer,
    const struct cw_session_proof *proof, const struct cw_verdict *verdict,
    struct cw_bytes token, struct cw_bytes result)
    __attribute__((warn_unused_result));

/* Logs a revocation (RFC 5280 reason), once; again is CW_OK. Errors:
 * UNKNOWN_SERIAL. A revoked certificate's session no longer counts as a use. */
enum cw_err cw_signer_revoke(struct cw_signer *signer,
    const uint8_t serial[CW_SERIAL_BYTES], unsigned reason)
    __attribute__((warn_unused_result));

struct cw_signer_entry {
	uint64_t index;
	bool revoked; /* a later entry revokes it */
	uint8_t serial[CW_SERIAL_BYTES];
	uint8_t th[CW_HASH_BYTES];
	uint64_t time_s;
};

/* Up to `max` certified entries (512 at most a call) from index `from` on,
 * oldest first; the index counts certificates from 0 without gaps. */
enum cw_err cw_signer_log_read(struct cw_signer *signer, uint64_t from,
    struct cw_signer_entry *out, size_t max, size_t *n)
    __attribute__((warn_unused_result));

#endif
