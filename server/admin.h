/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cardwright-admin: the operator's command line. It works on the store's file
 * itself; only what needs the signer (revocation) is left there as a wish, which
 * the web process carries out.
 */
#ifndef CW_SERVER_ADMIN_H
#define CW_SERVER_ADMIN_H

#include "server/target.h"

struct cw_admin {
	/* options; NULL or 0 where not given */
	const char *config_path;
	const char *subject, *profile, *account, *purpose, *authority_key;
	const char *bind_model, *bind_leaf, *bind_pseudonym;
	const char *out, *vendor_root, *issuer;
	const char *operator_key, *action, *certificates;
	unsigned approvals, uses, hours, mode, reason, passphrase_fd, wait_s;
	unsigned entries; /* of the signer's log */
	bool has_reason, has_passphrase_fd, has_entries, wait, json, with_key;
	const char *argument; /* SERIAL, FILE or CODE */
	/* opened for the commands that need them */
	struct cw_config *config;
	struct cw_store *store;
};

/* The commands: CW_OK, or an error that was said on stderr. */
enum cw_err cw_admin_invite(struct cw_admin *admin)
    __attribute__((warn_unused_result));
enum cw_err cw_admin_withdraw(struct cw_admin *admin)
    __attribute__((warn_unused_result));
enum cw_err cw_admin_list(struct cw_admin *admin)
    __attribute__((warn_unused_result));
enum cw_err cw_admin_sessions(struct cw_admin *admin)
    __attribute__((warn_unused_result));
enum cw_err cw_admin_invitations(struct cw_admin *admin)
    __attribute__((warn_unused_result));
enum cw_err cw_admin_revoke(struct cw_admin *admin)
    __attribute__((warn_unused_result));
enum cw_err cw_admin_evidence_export(struct cw_admin *admin)
    __attribute__((warn_unused_result));
enum cw_err cw_admin_evidence_verify(struct cw_admin *admin)
    __attribute__((warn_unused_result));

/* Sessions that wait for operators; approve or reject the one of `argument` with
 * the operator's key. */
enum cw_err cw_admin_approvals(struct cw_admin *admin)
    __attribute__((warn_unused_result));
enum cw_err cw_admin_approve(struct cw_admin *admin)
    __attribute__((warn_unused_result));
enum cw_err cw_admin_reject(struct cw_admin *admin)
    __attribute__((warn_unused_result));

/* Says how many entries of the signer's log the store knows; with that very number
 * in --entries, a shorter log is taken for the whole, and looked at from its
 * beginning. Errors: REFUSED (another number), STORE_FAILED. */
enum cw_err cw_admin_log_accept(struct cw_admin *admin)
    __attribute__((warn_unused_result));

/* What an invitation of this action is about, as the options name it. Errors: those
 * of cw_targets_add and _find, USAGE; UNKNOWN_SERIAL if it is nothing. All said. */
enum cw_err cw_admin_find_targets(const struct cw_admin *admin,
    enum cw_action action, struct cw_targets *targets)
    __attribute__((warn_unused_result));

/* Says what is wrong, on stderr: `what` and the error's texts. Returns `err`. */
enum cw_err cw_admin_say(enum cw_err err, const char *what);

/* Makes the state folder if it is not there. Errors: IO. */
enum cw_err cw_admin_make_state(const struct cw_config *config)
    __attribute__((warn_unused_result));

/* The text in quotes, as JSON. */
void cw_admin_json(const char *text);

/* "2026-11-21 09:00:00Z" */
void cw_admin_time(uint64_t time_s, char out[32]);

#endif
