/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: threads
 * The store, through its interface: what every backend owes. */
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proto/base/secret.h"
#include "server/store.h"
#include "tests/support/check.h"

#define THREADS 8

struct world {
	char folder[64];
	char path[96];
	struct cw_store *store;
};

static void
open_store(struct world *w)
{
	assert_err(cw_store_open_sqlite(w->path, &w->store), CW_OK);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->folder, sizeof(w->folder), "/tmp/cw-store-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof(w->path), "%s/store.db", w->folder);
	open_store(w);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct world *w = *state;
	char path[128];

	cw_store_close(&w->store);
	for (size_t i = 0; i < COUNT(ends); i++) {
		snprintf(path, sizeof(path), "%s%s", w->path, ends[i]);
		unlink(path);
	}
	rmdir(w->folder);
	free(w);
	return 0;
}

static void
reopen(struct world *w)
{
	cw_store_close(&w->store);
	open_store(w);
}

/* ---- rows ---- */

static void
fill_session(struct cw_session *s, uint8_t id)
{
	cw_session_init(s);
	memset(s->id, id, sizeof(s->id));
	memset(s->invitation, 0x33, sizeof(s->invitation));
	memset(s->request_tag, 0x44, sizeof(s->request_tag));
	s->stage = CW_STAGE_OPENED;
	s->created_s = 1000;
	s->expires_s = 2000;
	cw_buf_put_str(&s->request, "R");
	cw_buf_put_str(&s->grant, "grant");
	cw_buf_put_str(&s->sealed, "sealed");
}

static void
add_session(struct world *w, struct cw_session *s, uint8_t id)
{
	fill_session(s, id);
	assert_err(w->store->session_add(w->store, s), CW_OK);
}

/* The session's next step, as the engine would write it. */
static enum cw_err
step(struct world *w, struct cw_session *s, enum cw_stage next, uint8_t digest,
    const struct cw_certificate *certificate)
{
	struct cw_step row = { .number = (unsigned)s->n_digests + 1,
		.message = cw_bytes_str("message"),
		.answer = cw_bytes(&digest, 1),
		.kept = cw_bytes_str("kept") };
	enum cw_stage before = s->stage;
	size_t n = s->n_digests;

	memset(s->digests[s->n_digests++], digest, CW_HASH_BYTES);
	memset(s->serial, s->id[0], sizeof(s->serial));
	s->stage = next;
	cw_buf_reset(&s->batch);
	cw_buf_put(&s->batch, row.answer);
	return w->store->session_step(w->store, s, before, n, &row,
	    certificate);
}

static struct cw_certificate
certificate_of(const struct cw_session *s, enum cw_certificate_status status)
{
	struct cw_certificate c = { .status = status,
		.wanted = CW_REASON_NONE,
		.changed_s = 1100,
		.subject = "CN=Ada",
		.profile = "person",
		.der = cw_bytes_str("DER") };

	memset(c.serial, s->id[0], sizeof(c.serial));
	memcpy(c.session, s->id, sizeof(c.session));
	memcpy(c.invitation, s->invitation, sizeof(c.invitation));
	return c;
}

static void
assert_status(struct world *w, uint8_t id, enum cw_certificate_status status,
    unsigned wanted)
{
	uint8_t serial[CW_SERIAL_BYTES];
	struct cw_certificate c;

	memset(serial, id, sizeof(serial));
	assert_err(w->store->certificate_load(w->store, serial, &c, NULL),
	    CW_OK);
	assert_int_equal(c.status, status);
	assert_int_equal(c.wanted, wanted);
}

/* ---- invitations ---- */

static void
an_invitation_is_found_by_its_hash_until_withdrawn(void **state)
{
	struct world *w = *state;
	struct cw_invitation in;
	struct cw_invitation out;

	cw_invitation_init(&in);
	cw_invitation_init(&out);
	memset(in.code_hash, 0x33, sizeof(in.code_hash));
	cw_buf_put_str(&in.grant, "grant");
	cw_buf_put_str(&in.intent, "intent");
	in.created_s = 5;
	in.expires_s = 7;
	in.uses = 2;
	assert_err(w->store->invitation_load(w->store, in.code_hash, &out),
	    CW_ERR_BAD_INVITATION);
	assert_err(w->store->invitation_add(w->store, &in), CW_OK);
	assert_err(w->store->invitation_add(w->store, &in), CW_ERR_EXISTS);
	for (unsigned i = 0; i < 3; i++) {
		assert_err(w->store->invitation_load(w->store, in.code_hash,
		               &out),
		    CW_OK);
		assert_true(cw_bytes_is(cw_buf_bytes(&out.grant), "grant"));
		assert_true(cw_bytes_is(cw_buf_bytes(&out.intent), "intent"));
		assert_int_equal(out.expires_s, 7);
		assert_int_equal(out.uses, 2);
		assert_false(out.withdrawn);
		if (i == 1)
			reopen(w);
	}
	/* The same first bytes, another hash. */
	in.code_hash[31] ^= 1;
	assert_err(w->store->invitation_load(w->store, in.code_hash, &out),
	    CW_ERR_BAD_INVITATION);
	assert_err(w->store->invitation_withdraw(w->store, in.code_hash),
	    CW_ERR_BAD_INVITATION);
	in.code_hash[31] ^= 1;
	assert_err(w->store->invitation_withdraw(w->store, in.code_hash),
	    CW_OK);
	assert_err(w->store->invitation_load(w->store, in.code_hash, &out),
	    CW_OK);
	assert_true(out.withdrawn);
	cw_invitation_wipe(&in);
	cw_invitation_wipe(&out);
}

static void
uses_are_certificates_that_are_out(void **state)
{
	struct world *w = *state;
	static const enum cw_certificate_status all[] = { CW_CERT_PENDING,
		CW_CERT_ACTIVE, CW_CERT_SUSPENDED, CW_CERT_REVOKED };
	uint8_t hash[CW_HASH_BYTES];
	unsigned used;
	unsigned confirmed;

	memset(hash, 0x33, sizeof(hash));
	for (uint8_t i = 0; i < COUNT(all); i++) {
		struct cw_session s;
		struct cw_certificate c;

		add_session(w, &s, (uint8_t)(i + 1));
		c = certificate_of(&s, all[i]);
		assert_err(step(w, &s, CW_STAGE_INSTALLING, 1, &c), CW_OK);
		cw_session_wipe(&s);
	}
	assert_err(w->store->invitation_used(w->store, hash, &used, &confirmed),
	    CW_OK);
	assert_int_equal(used, 3);
	assert_int_equal(confirmed, 1);
}

/* ---- sessions ---- */

static void
a_new_session_is_seen_at_once_and_after_an_orderly_end(void **state)
{
	struct world *w = *state;
	struct cw_session s;
	struct cw_session out;

	cw_session_init(&out);
	add_session(w, &s, 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_err(w->store->session_load(w->store, s.id, &out), CW_OK);
		assert_true(cw_bytes_is(cw_buf_bytes(&out.request), "R"));
		assert_true(cw_bytes_is(cw_buf_bytes(&out.grant), "grant"));
		assert_true(cw_bytes_is(cw_buf_bytes(&out.sealed), "sealed"));
		assert_int_equal(out.stage, CW_STAGE_OPENED);
		assert_int_equal(out.n_digests, 0);
		reopen(w);
	}
	assert_err(w->store->session_add(w->store, &s), CW_OK);
	assert_err(w->store->session_add(w->store, &s), CW_ERR_EXISTS);
	s.id[15] ^= 1;
	assert_err(w->store->session_load(w->store, s.id, &out),
	    CW_ERR_NO_SESSION);
	cw_session_wipe(&s);
	cw_session_wipe(&out);
}

static void
a_step_is_stored_once_and_the_second_changes_nothing(void **state)
{
	struct world *w = *state;
	struct cw_session s;
	struct cw_session late;
	struct cw_session out;
	struct cw_buf answer;
	struct cw_buf kept;

	cw_session_init(&out);
	cw_session_init(&late);
	cw_buf_init(&answer, 100);
	cw_buf_init(&kept, 100);
	add_session(w, &s, 1);
	assert_err(cw_session_copy(&late, &s), CW_OK);
	assert_err(step(w, &s, CW_STAGE_CREATING, 7, NULL), CW_OK);
	assert_err(step(w, &late, CW_STAGE_FAILED, 8, NULL), CW_ERR_EXISTS);
	for (unsigned i = 0; i < 2; i++) {
		assert_err(w->store->session_load(w->store, s.id, &out), CW_OK);
		assert_int_equal(out.stage, CW_STAGE_CREATING);
		assert_int_equal(out.n_digests, 1);
		assert_int_equal(out.digests[0][5], 7);
		assert_int_equal(out.batch.len, 1);
		assert_int_equal(out.batch.ptr[0], 7);
		assert_err(w->store->step_load(w->store, s.id, 1, NULL, &answer,
		               &kept),
		    CW_OK);
		assert_int_equal(answer.ptr[0], 7);
		assert_true(cw_bytes_is(cw_buf_bytes(&kept), "kept"));
		assert_err(w->store->step_load(w->store, s.id, 2, NULL, NULL,
		               NULL),
		    CW_ERR_NO_SESSION);
		reopen(w);
	}
	cw_buf_wipe(&answer);
	cw_buf_wipe(&kept);
	cw_session_wipe(&s);
	cw_session_wipe(&late);
	cw_session_wipe(&out);
}

static void
a_step_never_brings_back_what_was_suspended_or_wanted(void **state)
{
	struct world *w = *state;
	struct cw_session s;
	struct cw_certificate c;

	add_session(w, &s, 1);
	c = certificate_of(&s, CW_CERT_PENDING);
	assert_err(step(w, &s, CW_STAGE_INSTALLING, 1, &c), CW_OK);
	assert_status(w, 1, CW_CERT_PENDING, CW_REASON_NONE);
	assert_err(w->store->certificate_set(w->store, c.serial,
	               CW_CERT_SUSPENDED, 1, 1200),
	    CW_OK);
	c = certificate_of(&s, CW_CERT_ACTIVE);
	assert_err(step(w, &s, CW_STAGE_DONE, 2, &c), CW_OK);
	assert_status(w, 1, CW_CERT_SUSPENDED, 1);
	cw_session_wipe(&s);
}

static void
sessions_that_run_out_lose_their_secrets_and_certificates(void **state)
{
	struct world *w = *state;
	struct cw_certificate due[8];
	struct cw_certificate c;
	struct cw_session s[4];
	struct cw_session out;
	uint64_t open;
	unsigned expired;
	size_t n;

	cw_session_init(&out);
	for (uint8_t i = 0; i < 4; i++)
		add_session(w, &s[i], (uint8_t)(i + 1));
	assert_err(step(w, &s[1], CW_STAGE_CREATING, 1, NULL), CW_OK);
	assert_err(step(w, &s[2], CW_STAGE_CREATING, 1, NULL), CW_OK);
	c = certificate_of(&s[2], CW_CERT_PENDING);
	assert_err(step(w, &s[2], CW_STAGE_INSTALLING, 2, &c), CW_OK);
	assert_err(step(w, &s[3], CW_STAGE_CREATING, 1, NULL), CW_OK);
	c = certificate_of(&s[3], CW_CERT_ACTIVE);
	assert_err(step(w, &s[3], CW_STAGE_DONE, 2, &c), CW_OK);
	assert_err(w->store->session_count_open(w->store, &open), CW_OK);
	assert_int_equal(open, 3);
	assert_err(w->store->session_expire(w->store, 1999, &expired), CW_OK);
	assert_int_equal(expired, 0);
	assert_err(w->store->session_expire(w->store, 2000, &expired), CW_OK);
	assert_int_equal(expired, 3);
	assert_err(w->store->session_count_open(w->store, &open), CW_OK);
	assert_int_equal(open, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_err(w->store->session_load(w->store, s[i].id, &out),
		    CW_OK);
		assert_int_equal(out.stage, CW_STAGE_EXPIRED);
		assert_int_equal(out.sealed.len, 0);
	}
	assert_status(w, 2, CW_CERT_RESERVED, CW_REASON_CESSATION);
	assert_status(w, 3, CW_CERT_SUSPENDED, CW_REASON_CESSATION);
	assert_status(w, 4, CW_CERT_ACTIVE, CW_REASON_NONE);
	assert_err(w->store->certificate_due(w->store, due, 8, &n), CW_OK);
	assert_int_equal(n, 2);
	assert_err(w->store->certificate_due(w->store, due, 1, &n), CW_OK);
	assert_int_equal(n, 1);
	for (size_t i = 0; i < 4; i++)
		cw_session_wipe(&s[i]);
	cw_session_wipe(&out);
}

static void
a_reserved_serial_is_known_while_its_session_is_open(void **state)
{
	struct world *w = *state;
	uint8_t serial[CW_SERIAL_BYTES];
	struct cw_session s;
	unsigned expired;
	bool found;

	memset(serial, 1, sizeof(serial));
	add_session(w, &s, 1);
	assert_err(w->store->session_reserved(w->store, serial, &found), CW_OK);
	assert_false(found);
	assert_err(step(w, &s, CW_STAGE_CREATING, 1, NULL), CW_OK);
	assert_err(w->store->session_reserved(w->store, serial, &found), CW_OK);
	assert_true(found);
	assert_err(w->store->session_expire(w->store, 3000, &expired), CW_OK);
	assert_err(w->store->session_reserved(w->store, serial, &found), CW_OK);
	assert_false(found);
	assert_err(w->store->certificate_drop(w->store, serial), CW_OK);
	assert_err(w->store->certificate_load(w->store, serial,
	               &(struct cw_certificate){ 0 }, NULL),
	    CW_ERR_UNKNOWN_SERIAL);
	cw_session_wipe(&s);
}

static void
only_sessions_without_a_certificate_are_forgotten(void **state)
{
	struct world *w = *state;
	struct cw_session a;
	struct cw_session b;
	struct cw_certificate c;
	unsigned expired;

	add_session(w, &a, 1);
	add_session(w, &b, 2);
	assert_err(step(w, &b, CW_STAGE_CREATING, 1, NULL), CW_OK);
	c = certificate_of(&b, CW_CERT_PENDING);
	assert_err(step(w, &b, CW_STAGE_INSTALLING, 2, &c), CW_OK);
	assert_err(w->store->session_expire(w->store, 3000, &expired), CW_OK);
	assert_err(w->store->session_forget(w->store, 2000), CW_OK);
	assert_err(w->store->session_load(w->store, a.id, &a), CW_OK);
	assert_err(w->store->session_forget(w->store, 2001), CW_OK);
	assert_err(w->store->session_load(w->store, a.id, &a),
	    CW_ERR_NO_SESSION);
	assert_err(w->store->session_load(w->store, b.id, &b), CW_OK);
	assert_err(w->store->step_load(w->store, b.id, 1, NULL, NULL, NULL),
	    CW_OK);
	cw_session_wipe(&a);
	cw_session_wipe(&b);
}

/* ---- certificates, policies, numbers ---- */

static void
an_unknown_serial_is_said_to_be_unknown(void **state)
{
	struct world *w = *state;
	uint8_t serial[CW_SERIAL_BYTES] = { 9 };
	struct cw_certificate c;

	assert_err(w->store->certificate_load(w->store, serial, &c, NULL),
	    CW_ERR_UNKNOWN_SERIAL);
	assert_err(w->store->certificate_set(w->store, serial, CW_CERT_REVOKED,
	               1, 1),
	    CW_ERR_UNKNOWN_SERIAL);
}

static void
policies_and_numbers_are_kept(void **state)
{
	struct world *w = *state;
	struct cw_buf content;
	uint64_t number;

	cw_buf_init(&content, 100);
	assert_err(w->store->policy_put(w->store, "v1", cw_bytes_str("one")),
	    CW_OK);
	assert_err(w->store->policy_put(w->store, "v1", cw_bytes_str("two")),
	    CW_OK);
	assert_err(w->store->policy_load(w->store, "v1", &content), CW_OK);
	assert_true(cw_bytes_is(cw_buf_bytes(&content), "one"));
	assert_err(w->store->policy_load(w->store, "v2", &content),
	    CW_ERR_NOT_FOUND);
	assert_err(w->store->number_get(w->store, "n", &number), CW_OK);
	assert_int_equal(number, 0);
	assert_err(w->store->number_set(w->store, "n", 77), CW_OK);
	assert_err(w->store->number_set(w->store, "n", 78), CW_OK);
	reopen(w);
	assert_err(w->store->number_get(w->store, "n", &number), CW_OK);
	assert_int_equal(number, 78);
	cw_buf_wipe(&content);
}

/* ---- when it cannot write ---- */

static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
a_full_disk_stores_nothing_by_halves_and_passes(void **state)
{
	struct world *w = *state;
	struct cw_session s;
	struct cw_session again;
	struct cw_session out;

	cw_session_init(&out);
	cw_session_init(&again);
	signal(SIGXFSZ, SIG_IGN);
	add_session(w, &s, 1);
	assert_err(cw_session_copy(&again, &s), CW_OK);
	assert_err(w->store->number_set(w->store, "n", 1), CW_OK);
	limit_files(1);
	assert_err(step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_ERR_STORE_FAILED);
	assert_false(w->store->is_well(w->store));
	s.id[0] = 9;
	assert_err(w->store->session_add(w->store, &s), CW_ERR_STORE_FAILED);
	limit_files(RLIM_INFINITY);
	assert_err(w->store->session_load(w->store, again.id, &out), CW_OK);
	assert_int_equal(out.stage, CW_STAGE_OPENED);
	assert_err(step(w, &again, CW_STAGE_CREATING, 1, NULL), CW_OK);
	assert_true(w->store->is_well(w->store));
	reopen(w);
	assert_err(w->store->session_load(w->store, again.id, &out), CW_OK);
	assert_int_equal(out.stage, CW_STAGE_CREATING);
	cw_session_wipe(&s);
	cw_session_wipe(&again);
	cw_session_wipe(&out);
}

static void
a_store_of_another_version_is_left_alone(void **state)
{
	struct world *w = *state;
	sqlite3 *db;

	cw_store_close(&w->store);
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL,
	                     NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	assert_err(cw_store_open_sqlite(w->path, &w->store),
	    CW_ERR_STORE_CORRUPT);
}

static void
a_path_that_cannot_be_opened_is_an_error(void **state)
{
	struct cw_store *store = NULL;

	(void)state;
	assert_err(cw_store_open_sqlite("/nowhere/store.db", &store),
	    CW_ERR_STORE_FAILED);
	assert_null(store);
}

/* ---- threads ---- */

struct racer {
	struct world *world;
	struct cw_session session;
	uint8_t digest;
	enum cw_err err;
};

static void *
race(void *arg)
{
	struct racer *r = arg;

	r->err = step(r->world, &r->session, CW_STAGE_CREATING, r->digest, NULL);
	return NULL;
}

static void
of_racing_steps_exactly_one_is_stored(void **state)
{
	struct world *w = *state;

	for (uint8_t round = 1; round < 20; round++) {
		struct racer racers[THREADS];
		pthread_t threads[THREADS];
		struct cw_session s;
		struct cw_session out;
		unsigned won = 0;
		uint8_t winner = 0;

		cw_session_init(&out);
		add_session(w, &s, round);
		for (uint8_t i = 0; i < THREADS; i++) {
			racers[i].world = w;
			racers[i].digest = (uint8_t)(i + 1);
			cw_session_init(&racers[i].session);
			assert_err(cw_session_copy(&racers[i].session, &s),
			    CW_OK);
			pthread_create(&threads[i], NULL, race, &racers[i]);
		}
		for (size_t i = 0; i < THREADS; i++) {
			pthread_join(threads[i], NULL);
			if (racers[i].err == CW_OK) {
				won++;
				winner = racers[i].digest;
			} else {
				assert_err(racers[i].err, CW_ERR_EXISTS);
			}
			cw_session_wipe(&racers[i].session);
		}
		assert_int_equal(won, 1);
		assert_err(w->store->session_load(w->store, s.id, &out), CW_OK);
		assert_int_equal(out.digests[0][0], winner);
		cw_session_wipe(&out);
		cw_session_wipe(&s);
	}
}

static void *
many_sessions(void *arg)
{
	struct racer *r = arg;

	for (uint8_t i = 0; i < 25; i++) {
		struct cw_session s;
		struct cw_certificate c;

		fill_session(&s, r->digest);
		s.id[1] = i;
		r->err = r->world->store->session_add(r->world->store, &s);
		if (r->err == CW_OK)
			r->err = step(r->world, &s, CW_STAGE_CREATING, 1, NULL);
		c = certificate_of(&s, CW_CERT_PENDING);
		c.serial[1] = i;
		if (r->err == CW_OK)
			r->err = step(r->world, &s, CW_STAGE_INSTALLING, 2, &c);
		cw_session_wipe(&s);
		if (r->err != CW_OK)
			break;
	}
	return NULL;
}

static bool
count(void *ctx, const struct cw_session *row)
{
	assert_int_equal(row->stage, CW_STAGE_INSTALLING);
	++*(unsigned *)ctx;
	return true;
}

static void
what_many_threads_stored_is_there_after_opening_again(void **state)
{
	struct world *w = *state;
	struct racer racers[THREADS];
	pthread_t threads[THREADS];
	uint64_t commits;
	unsigned n = 0;

	for (uint8_t i = 0; i < THREADS; i++) {
		racers[i].world = w;
		racers[i].digest = (uint8_t)(i + 1);
		pthread_create(&threads[i], NULL, many_sessions, &racers[i]);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_err(racers[i].err, CW_OK);
	}
	commits = w->store->commits(w->store);
	assert_true(commits > 0 && commits <= 3 * 25 * THREADS);
	reopen(w);
	assert_err(w->store->session_each(w->store, count, &n), CW_OK);
	assert_int_equal(n, 25 * THREADS);
}

#define sentence(s) cmocka_unit_test_setup_teardown(s, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		sentence(an_invitation_is_found_by_its_hash_until_withdrawn),
		sentence(uses_are_certificates_that_are_out),
		sentence(
		    a_new_session_is_seen_at_once_and_after_an_orderly_end),
		sentence(a_step_is_stored_once_and_the_second_changes_nothing),
		sentence(a_step_never_brings_back_what_was_suspended_or_wanted),
		sentence(
		    sessions_that_run_out_lose_their_secrets_and_certificates),
		sentence(a_reserved_serial_is_known_while_its_session_is_open),
		sentence(only_sessions_without_a_certificate_are_forgotten),
		sentence(an_unknown_serial_is_said_to_be_unknown),
		sentence(policies_and_numbers_are_kept),
		sentence(a_full_disk_stores_nothing_by_halves_and_passes),
		sentence(a_store_of_another_version_is_left_alone),
		sentence(a_path_that_cannot_be_opened_is_an_error),
		sentence(of_racing_steps_exactly_one_is_stored),
		sentence(what_many_threads_stored_is_there_after_opening_again),
	};

	return cw_secret_process_init() ?
	    cmocka_run_group_tests(tests, NULL, NULL) :
	    1;
}
