/* SPDX-License-Identifier: Apache-2.0 */
/* Issuer, agent and card, and the wire between them. */
#include "tests/support/fault_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "proto/problem.h"

/* What the wrapped functions stand for; the linker gives them these names. */
enum cw_err __real_cw_net_post(struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response);
enum cw_err __wrap_cw_net_post(struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response);

static struct cw_fault_world *on_the_wire;

/* ---- the wire ---- */

static enum cw_fault_step
step_of(const struct cw_fault_world *w, const char *url)
{
	if (strstr(url, "/i/") != NULL)
		return CW_FAULT_JOIN;
	if (strcmp(url + strlen(w->daemon.url), "/session") == 0)
		return CW_FAULT_REQUEST;
	return w->step < CW_FAULT_REQUEST ? CW_FAULT_TOKEN : w->step + 1;
}

enum cw_err
cw_fault_send(const struct cw_fault_post *post, struct cw_bytes body)
{
	return __real_cw_net_post(post->net, post->url, body, post->response);
}

enum cw_err
__wrap_cw_net_post(struct cw_net *net, const char *url, struct cw_bytes body,
    struct cw_net_response *response)
{
	const struct cw_fault_post post = { net, url, body, response };
	struct cw_fault_world *w = on_the_wire;
	enum cw_fault_step step = step_of(w, url);
	enum cw_err err;

	if (w->happens != NULL && !w->is_done && step == w->at) {
		w->is_done = true;
		err = w->happens(w, &post);
	} else {
		err = cw_fault_send(&post, body);
	}
	if (err == CW_OK && response->status < 300) {
		w->step = step;
		cw_buf_reset(&w->old);
		cw_buf_put(&w->old, body);
	}
	return err;
}

enum cw_err
cw_fault_number(const struct cw_net_response *response)
{
	enum cw_err number = CW_OK;

	assert_in_range(response->status, 400, 507);
	assert_true(response->is_problem);
	assert_err(cw_problem_decode(cw_buf_bytes(&response->body), &number,
		       NULL),
	    CW_OK);
	return number;
}

/* ---- the person ---- */

static enum cw_err
person_ask(struct cw_pin_entry *entry, const struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	const char *value = prompt->what == CW_PIN_PUK ? "31415926" : "271828";

	(void)entry;
	out->len = strlen(value);
	memcpy(out->bytes, value, out->len);
	return CW_OK;
}

static void
person_close(struct cw_pin_entry *entry)
{
	(void)entry;
}

static enum cw_err
accept(void *ctx, const struct cw_consent *consent)
{
	(void)ctx;
	(void)consent;
	return CW_OK;
}

/* ---- the world ---- */

static bool
init(struct cw_fault_world *w)
{
	char path[96];

	w->person = (struct cw_pin_entry){ .ask = person_ask,
		.close = person_close,
		.can_repeat = true,
		.name = "test" };
	w->clock = cw_clock_system();
	cw_buf_init(&w->old, CW_BODY_MAX);
	snprintf(w->folder, sizeof(w->folder), "/tmp/cw-fault.XXXXXX");
	if (mkdtemp(w->folder) == NULL)
		return false;
	snprintf(path, sizeof(path), "%s/issuers", w->folder);
	return cw_known_init(&w->known, path) == CW_OK;
}

struct cw_fault_world *
cw_fault_world_new(const char *lines,
    bool (*before_launch)(struct cw_fault_world *world))
{
	const char *build = getenv("BUILD");
	struct cw_fault_world *w = calloc(1, sizeof(*w));

	/* Its children's /proc is read, and its namespaces may be mapped. */
	if (w == NULL || !cw_secret_process_init() ||
	    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
		return NULL;
	cw_log_set_level(CW_LOG_ERROR);
	on_the_wire = w;
	if (!init(w) ||
	    !cw_daemon_make(&w->daemon, build == NULL ? "build" : build, -1,
		lines) ||
	    (before_launch != NULL && !before_launch(w)) ||
	    !cw_daemon_launch(&w->daemon))
		return NULL;
	return w;
}

void
cw_fault_world_free(struct cw_fault_world *w)
{
	char path[96];

	cw_daemon_stop(&w->daemon);
	snprintf(path, sizeof(path), "%s/issuers", w->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/issuers.lock", w->folder);
	unlink(path);
	rmdir(w->folder);
	cw_fault_card_wipe(w);
	cw_buf_wipe(&w->old);
	on_the_wire = NULL;
	free(w);
}

int
cw_fault_setup(void **state)
{
	*state = cw_fault_world_new("", NULL);
	return *state == NULL ? -1 : 0;
}

int
cw_fault_teardown(void **state)
{
	cw_fault_world_free(*state);
	return 0;
}

/* ---- the card ---- */

void
cw_fault_card_of(struct cw_fault_world *w, struct cw_bytes personalisation,
    unsigned keys_max)
{
	cw_fault_card_wipe(w);
	cw_test_storage_init(&w->card.storage);
	w->card.config.storage = &w->card.storage.ops;
	w->card.config.keys_max = keys_max;
	assert_err(cw_card_open(&w->card.config, &w->card.card), CW_OK);
	assert_err(cw_card_personalise(w->card.card, personalisation), CW_OK);
	cw_local_reader_init(&w->reader, &w->card);
}

void
cw_fault_card(struct cw_fault_world *w)
{
	cw_fault_card_of(w, cw_buf_bytes(&w->daemon.personalisation), 0);
}

void
cw_fault_card_wipe(struct cw_fault_world *w)
{
	cw_card_free(&w->card.card);
	cw_test_storage_wipe(&w->card.storage);
	memset(&w->card, 0, sizeof(w->card));
}

/* ---- the session ---- */

void
cw_fault_invite(struct cw_fault_world *w, unsigned uses)
{
	assert_true(cw_daemon_invite(&w->daemon, uses, 2, w->invitation,
	    sizeof(w->invitation)));
}

enum cw_err
cw_fault_enroll(struct cw_fault_world *w, bool *resumed)
{
	const struct cw_net_config config = { .url = w->invitation,
		.ca_file = w->daemon.ca,
		.timeout_ms = 20000 };
	struct cw_run_env env = { .reader = &w->reader.base,
		.pin_entry = &w->person,
		.known = &w->known,
		.clock = &w->clock,
		.consent = accept };
	struct cw_enroll_result result = { 0 };
	struct cw_enroll e = { .url = w->invitation, .patience_ms = 20000 };
	enum cw_err err;

	w->step = CW_FAULT_JOIN;
	assert_err(cw_net_open(&config, &e.net), CW_OK);
	env.origin = cw_bytes_str(cw_net_origin(e.net));
	e.run = cw_run_new(&env);
	assert_non_null(e.run);
	err = cw_enroll(&e, &result);
	if (resumed != NULL)
		*resumed = result.is_resumed;
	cw_run_free(&e.run);
	cw_net_close(&e.net);
	return err;
}
