/* SPDX-License-Identifier: Apache-2.0 */
/* `cardwright-admin log-accept`: after a restore a signer's log may be shorter than
 * what the store has looked at. That it is meant to be is a person's word. */
#include <stdio.h>

#include "proto/base/log.h"
#include "server/admin.h"
#include "server/reconcile.h"

enum cw_err
cw_admin_log_accept(struct cw_admin *admin)
{
	uint64_t known = 0;
	enum cw_err err =
	    admin->store->number_get(admin->store, CW_RECONCILED, &known);

	if (err != CW_OK)
		return cw_admin_say(err, "log-accept");
	if (!admin->has_entries) {
		printf("The store has looked at %llu entries of the signer's "
		       "log.\nIf it has fewer now, and is to: "
		       "cardwright-admin log-accept --entries %llu\n",
		    (unsigned long long)known, (unsigned long long)known);
		return CW_OK;
	}
	if (admin->entries != known || known == 0)
		return cw_admin_say(CW_ERR_REFUSED, "--entries");
	/* Not only what is new: what was written in the place of what is lost
	 * counts as well. */
	err = admin->store->number_set(admin->store, CW_RECONCILED, 0);
	if (err != CW_OK)
		return cw_admin_say(err, "log-accept");
	cw_log(CW_LOG_WARN, "signer_log.accepted", "known=%llu",
	    (unsigned long long)known);
	return CW_OK;
}
