/* SPDX-License-Identifier: Apache-2.0 */
/* Confinement of the web process. */
#include "server/confine.h"

#include <sys/prctl.h>

#include "proto/base/log.h"

enum cw_err
cw_confine_web(const struct cw_config *config)
{
	(void)config;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return cw_log_fail(CW_ERR_CONFINEMENT, "confine", "part=privs");
	return CW_OK;
}
