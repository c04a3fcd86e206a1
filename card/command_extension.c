/* SPDX-License-Identifier: Apache-2.0 */
/* SET_EXTENSION: data for a key of this session. */
#include "card/command.h"
#include "proto/properties.h"

static enum cw_err
check(const struct cw_card_key *key, const struct cw_set_extension *c)
{
	const struct cw_card_extension *other = key->extensions;
	unsigned n = 0;

	for (; other != NULL; other = other->next, n++)
		if (cw_bytes_equal(cw_buf_bytes(&other->type), c->type))
			return CW_ERR_DUPLICATE_ID;
	if (n >= CW_EXTENSIONS_MAX)
		return CW_ERR_CARD_FULL;
	/* Confidential is what a PIN protects. */
	if (c->kind == CW_EXTENSION_CONFIDENTIAL &&
	    key->attributes.pin_policy == 0 && key->attributes.slot == 0)
		return CW_ERR_BAD_EXTENSION;
	return c->kind == CW_EXTENSION_PROPERTIES ?
	    cw_properties_check(c->data) :
	    CW_OK;
}

enum cw_err
cw_card_do_extension(struct cw_card_job *job, const struct cw_command *command)
{
	const struct cw_set_extension *c = &command->u.set_extension;
	const struct cw_reply reply = { .err = CW_OK };
	struct cw_card_extension *extension;
	struct cw_card_key *key =
	    cw_card_find_key(&job->session->objects, job->session, c->id);
	enum cw_err err = key == NULL ? CW_ERR_UNKNOWN_ID : check(key, c);

	if (err != CW_OK)
		return err;
	extension = cw_card_extension_new();
	if (extension == NULL)
		return CW_ERR_NO_MEMORY;
	extension->kind = c->kind;
	cw_buf_put(&extension->type, c->type);
	cw_buf_put(&extension->media_type, c->media_type);
	cw_buf_put(&extension->data, c->data);
	if (extension->type.err != CW_OK ||
	    extension->media_type.err != CW_OK ||
	    extension->data.err != CW_OK) {
		cw_card_extension_free(&extension);
		return CW_ERR_NO_MEMORY;
	}
	cw_card_extensions_append(&key->extensions, extension);
	cw_reply_encode(CW_SET_EXTENSION, &reply, job->plain);
	return CW_OK;
}
