/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of the card's state: making, listing, wiping. */
#include "card/state.h"

#include <stdlib.h>

#include "proto/base/secret.h"

#define PRIVATE_KEY_MAX CW_PRIVATE_KEY_MAX

struct cw_card_key *
cw_card_key_new(void)
{
	struct cw_card_key *key = calloc(1, sizeof(*key));

	if (key == NULL)
		return NULL;
	cw_buf_init(&key->name, CW_TEXT_MAX);
	cw_buf_init(&key->private_key, PRIVATE_KEY_MAX);
	cw_buf_init(&key->chain, CW_COMMAND_MAX);
	return key;
}

void
cw_card_key_free(struct cw_card_key **pointer)
{
	struct cw_card_key *key = *pointer;

	if (key == NULL)
		return;
	while (key->extensions != NULL) {
		struct cw_card_extension *extension = key->extensions;

		key->extensions = extension->next;
		cw_card_extension_free(&extension);
	}
	cw_buf_wipe(&key->name);
	cw_buf_wipe(&key->private_key);
	cw_buf_wipe(&key->chain);
	cw_wipe(key, sizeof(*key));
	free(key);
	*pointer = NULL;
}

struct cw_card_extension *
cw_card_extension_new(void)
{
	struct cw_card_extension *extension = calloc(1, sizeof(*extension));

	if (extension == NULL)
		return NULL;
	cw_buf_init(&extension->type, CW_TEXT_MAX);
	cw_buf_init(&extension->media_type, CW_TEXT_MAX);
	cw_buf_init(&extension->data, CW_EXTENSION_MAX);
	return extension;
}

void
cw_card_extension_free(struct cw_card_extension **pointer)
{
	struct cw_card_extension *extension = *pointer;

	if (extension == NULL)
		return;
	cw_buf_wipe(&extension->type);
	cw_buf_wipe(&extension->media_type);
	cw_buf_wipe(&extension->data);
	free(extension);
	*pointer = NULL;
}

/* ---- PINs ---- */

struct cw_card_policy *
cw_card_policy_new(void)
{
	return calloc(1, sizeof(struct cw_card_policy));
}

void
cw_card_policy_free(struct cw_card_policy **pointer)
{
	struct cw_card_policy *policy = *pointer;

	if (policy == NULL)
		return;
	while (policy->groups != NULL) {
		struct cw_card_group *group = policy->groups;

		policy->groups = group->next;
		cw_card_group_free(&group);
	}
	free(policy);
	*pointer = NULL;
}

struct cw_card_group *
cw_card_group_new(void)
{
	return calloc(1, sizeof(struct cw_card_group));
}

void
cw_card_group_free(struct cw_card_group **pointer)
{
	if (*pointer == NULL)
		return;
	cw_wipe(*pointer, sizeof(**pointer));
	free(*pointer);
	*pointer = NULL;
}

struct cw_card_puk *
cw_card_puk_new(void)
{
	return calloc(1, sizeof(struct cw_card_puk));
}

void
cw_card_puk_free(struct cw_card_puk **pointer)
{
	if (*pointer == NULL)
		return;
	cw_wipe(*pointer, sizeof(**pointer));
	free(*pointer);
	*pointer = NULL;
}

/* ---- sessions ---- */

struct cw_card_post *
cw_card_post_new(void)
{
	return calloc(1, sizeof(struct cw_card_post));
}

void
cw_card_posts_wipe(struct cw_card_post **posts)
{
	while (*posts != NULL) {
		struct cw_card_post *post = *posts;

		*posts = post->next;
		free(post);
	}
}

struct cw_card_record *
cw_card_record_new(void)
{
	struct cw_card_record *record = calloc(1, sizeof(*record));

	if (record != NULL)
		cw_buf_init(&record->reply, CW_COMMAND_MAX);
	return record;
}

void
cw_card_record_free(struct cw_card_record **pointer)
{
	if (*pointer == NULL)
		return;
	cw_buf_wipe(&(*pointer)->reply);
	free(*pointer);
	*pointer = NULL;
}

struct cw_card_session *
cw_card_session_new(void)
{
	struct cw_card_session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	cw_buf_init(&session->uri, CW_URI_MAX);
	cw_buf_init(&session->message_4, CW_CARD_MESSAGE_MAX);
	return session;
}

void
cw_card_session_free(struct cw_card_session **pointer)
{
	struct cw_card_session *session = *pointer;

	if (session == NULL)
		return;
	while (session->records != NULL) {
		struct cw_card_record *record = session->records;

		session->records = record->next;
		cw_card_record_free(&record);
	}
	cw_card_objects_wipe(&session->objects);
	cw_card_posts_wipe(&session->posts);
	cw_buf_wipe(&session->uri);
	cw_buf_wipe(&session->message_4);
	cw_wipe(session, sizeof(*session));
	free(session);
	*pointer = NULL;
}

void
cw_card_objects_wipe(struct cw_card_objects *objects)
{
	while (objects->keys != NULL) {
		struct cw_card_key *key = objects->keys;

		objects->keys = key->next;
		cw_card_key_free(&key);
	}
	while (objects->policies != NULL) {
		struct cw_card_policy *policy = objects->policies;

		objects->policies = policy->next;
		cw_card_policy_free(&policy);
	}
	while (objects->puks != NULL) {
		struct cw_card_puk *puk = objects->puks;

		objects->puks = puk->next;
		cw_card_puk_free(&puk);
	}
}

/* ---- lists ---- */

#define APPEND(name, type)                                                  \
	void cw_card_##name##_append(struct type **list, struct type *item) \
	{                                                                   \
		while (*list != NULL)                                       \
			list = &(*list)->next;                              \
		*list = item;                                               \
	}

APPEND(keys, cw_card_key)
APPEND(extensions, cw_card_extension)
APPEND(policies, cw_card_policy)
APPEND(groups, cw_card_group)
APPEND(puks, cw_card_puk)
APPEND(posts, cw_card_post)
APPEND(records, cw_card_record)
APPEND(sessions, cw_card_session)

struct cw_card_state *
cw_card_state_new(void)
{
	struct cw_card_state *state = calloc(1, sizeof(*state));

	if (state == NULL)
		return NULL;
	cw_buf_init(&state->personalisation, CW_CARD_MESSAGE_MAX);
	cw_random(state->guid, sizeof(state->guid));
	state->next_handle = 1;
	return state;
}

void
cw_card_state_free(struct cw_card_state **pointer)
{
	struct cw_card_state *state = *pointer;

	if (state == NULL)
		return;
	while (state->sessions != NULL) {
		struct cw_card_session *session = state->sessions;

		state->sessions = session->next;
		cw_card_session_free(&session);
	}
	cw_card_objects_wipe(&state->objects);
	cw_buf_wipe(&state->personalisation);
	cw_wipe(state, sizeof(*state));
	free(state);
	*pointer = NULL;
}
