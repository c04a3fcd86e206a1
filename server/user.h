/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming another user for good. */
#ifndef CW_SERVER_USER_H
#define CW_SERVER_USER_H

#include "proto/base/err.h"

/*
 * As root: hands `folder` and what is in it to the user `name` and becomes that
 * user, for good; with "" becomes the folder's owner. Not root: nothing is done.
 * Errors: CONFINEMENT (logged).
 */
enum cw_err cw_user_become(const char *name, const char *folder)
    __attribute__((warn_unused_result));

#endif
