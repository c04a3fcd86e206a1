/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps the web process, which reads strangers' bytes, from the files of
 * the signer's keys: another user, or Landlock. Decided before anything starts.
 */
#ifndef CW_SERVER_SEPARATE_H
#define CW_SERVER_SEPARATE_H

#include <sys/types.h>

#include "keys/config.h"

#define CW_SEPARATE_OWNERS 4

struct cw_separation {
	uid_t self;        /* who starts the issuer */
	uid_t web, signer; /* whom the processes become */
	size_t n_owners;   /* of the files of keys */
	uid_t owners[CW_SEPARATE_OWNERS];
	bool has_landlock;
	bool one_user; /* the configuration says that this will do */
};

/* From the configuration, the files and the kernel; a file that is missing is
 * left to who needs it. Errors: CONFINEMENT (no such user; logged). */
enum cw_err cw_separation_find(const struct cw_config *config,
    struct cw_separation *out) __attribute__((warn_unused_result));

/*
 * `how` is "users", "landlock" or "nothing". Started as root, two users are
 * wanted, of which the web process's is not root and owns no key; started as
 * somebody else, Landlock; unless one_user is set: then nothing is refused.
 * Errors: NOT_SEPARATED.
 */
enum cw_err cw_separation_judge(const struct cw_separation *s, const char **how)
    __attribute__((warn_unused_result));

/* Both, and the log says how, loudly if it is nothing. */
enum cw_err cw_separate(const struct cw_config *config)
    __attribute__((warn_unused_result));

#endif
