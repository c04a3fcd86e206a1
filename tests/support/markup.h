/* SPDX-License-Identifier: Apache-2.0 */
/* Whether HTML is well formed, as our pages write it: lower case, attributes in
 * double quotes, every element closed that is not void. */
#ifndef CW_TESTS_MARKUP_H
#define CW_TESTS_MARKUP_H

#include "proto/base/bytes.h"

/* NULL if it is; else what is wrong, good until the next call. */
const char *cw_markup_fault(struct cw_bytes html);

#endif
