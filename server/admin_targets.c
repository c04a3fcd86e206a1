/* SPDX-License-Identifier: Apache-2.0 */
/* What an invitation to renew, manage or unlock is about. */
#include "proto/rfc4648.h"
#include "server/admin.h"

#define SERIAL_CHARS ((size_t)2 * CW_SERIAL_BYTES)

/* "SERIAL,SERIAL": any that a card has confirmed, also revoked ones, whose keys
 * may still be there. */
static enum cw_err
add_named(const struct cw_admin *admin, struct cw_targets *targets)
{
	const char *at = admin->certificates;
	enum cw_err err = CW_OK;

	while (err == CW_OK) {
		size_t n = strcspn(at, ",");
		uint8_t serial[CW_SERIAL_BYTES];

		if (n != SERIAL_CHARS ||
		    !cw_base16_decode(cw_bytes((const uint8_t *)at, n), serial,
			sizeof(serial)))
			return cw_admin_say(CW_ERR_USAGE,
			    "--certificates: 32 hex digits each, with commas");
		err = cw_targets_add(admin->store, serial, targets);
		if (err != CW_OK)
			return cw_admin_say(err, at);
		if (at[n] == '\0')
			break;
		at += n + 1;
	}
	return err;
}

static enum cw_err
set_card(const char *text, const char *option, uint8_t hash[CW_HASH_BYTES],
    const uint8_t **out)
{
	if (text == NULL)
		return CW_OK;
	if (!cw_base16_decode(cw_bytes_str(text), hash, CW_HASH_BYTES))
		return cw_admin_say(CW_ERR_USAGE, option);
	*out = hash;
	return CW_OK;
}

/* By whom they are for, and by the card: "whatever this card has of ours". */
static enum cw_err
find(const struct cw_admin *admin, struct cw_targets *targets)
{
	struct cw_target_filter filter = { .subject = admin->subject,
		.account = admin->account,
		.profile = admin->profile };
	uint8_t leaf[CW_HASH_BYTES];
	uint8_t pseudonym[CW_HASH_BYTES];
	enum cw_err err = set_card(admin->bind_leaf,
	    "--bind-leaf: 64 hex digits", leaf, &filter.leaf_hash);

	if (err == CW_OK)
		err = set_card(admin->bind_pseudonym,
		    "--bind-pseudonym: 64 hex digits", pseudonym,
		    &filter.pseudonym);
	if (err != CW_OK)
		return err;
	if (filter.subject == NULL && filter.account == NULL &&
	    filter.leaf_hash == NULL && filter.pseudonym == NULL)
		return cw_admin_say(CW_ERR_USAGE,
		    "--certificates, --subject, --account, --bind-leaf or "
		    "--bind-pseudonym");
	err = cw_targets_find(admin->store, &filter, targets);
	return err == CW_OK ? CW_OK :
			      cw_admin_say(err, "name fewer: --certificates");
}

/* A new key takes the place of one of its own kind: others are not meant. */
static void
keep_profile(const char *profile, struct cw_targets *targets)
{
	size_t n = 0;

	for (size_t i = 0; i < targets->n; i++)
		if (strcmp(targets->items[i].profile, profile) == 0)
			targets->items[n++] = targets->items[i];
	targets->n = n;
}

enum cw_err
cw_admin_find_targets(const struct cw_admin *admin, enum cw_action action,
    struct cw_targets *targets)
{
	enum cw_err err = admin->certificates != NULL ?
	    add_named(admin, targets) :
	    find(admin, targets);

	if (err != CW_OK)
		return err;
	if (targets->n > 0 && admin->certificates == NULL &&
	    (action == CW_ACTION_RENEW || admin->with_key))
		keep_profile(admin->profile != NULL ? admin->profile :
						      targets->newest.profile,
		    targets);
	return targets->n > 0 ?
	    CW_OK :
	    cw_admin_say(CW_ERR_UNKNOWN_SERIAL, "no certificate is meant");
}
