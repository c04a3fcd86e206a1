/* SPDX-License-Identifier: Apache-2.0 */
/* The signer as the web process sees it: a child on socket pairs.
 * TIMEOUT: 120 */
#include "tests/support/check.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "keys/certmaker.h"
#include "keys/signer_wire.h"
#include "proto/base/secret.h"
#include "tests/support/keys_card.h"
#include "tests/support/log_file.h"

/* signer_test.wrap: the signer's process dies behind this commit. */
static int die_after; /* 0: never */
static int commits;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int
__wrap_fdatasync(int fd)
{
	int r = __real_fdatasync(fd);

	if (die_after != 0 && ++commits == die_after)
		raise(SIGKILL);
	return r;
}

static struct cw_keys_tree tree;
static struct cw_keys_card card;
static struct cw_private_key *authority;
static struct cw_public_key management;

static uint64_t
now_s(void)
{
	return (uint64_t)time(NULL);
}

static int
setup(void **state)
{
	(void)state;
	cw_keys_tree_make(&tree, 1);
	cw_keys_tree_start(&tree, 4);
	cw_keys_card_load(&card, &tree, 1);
	authority = cw_keys_tree_authority(&tree);
	management = cw_keys_tree_management(&tree);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cw_key_free(&authority);
	cw_keys_card_free(&card);
	cw_keys_tree_free(&tree);
	return 0;
}

/* A session up to and with its token. */
static void
open_session(struct cw_keys_session *x, const struct cw_grant *grant)
{
	struct cw_request fields = cw_keys_request(grant);

	cw_keys_session_init(x, &card, grant->mode);
	assert_err(cw_grant_make(grant, authority, &x->grant), CW_OK);
	assert_err(cw_signer_sign_request(tree.signer, cw_buf_bytes(&x->grant),
		       &fields, &x->request, x->request_tag),
	    CW_OK);
	cw_keys_session_open(x);
	assert_err(cw_signer_check_token(tree.signer, &x->proof,
		       cw_buf_bytes(&x->token), &x->verdict),
	    CW_OK);
}

static enum cw_err
certify(struct cw_keys_session *x, struct cw_buf *certificate)
{
	return cw_signer_certify(tree.signer, &x->proof, &x->verdict,
	    CW_BYTES_NONE, cw_buf_bytes(&x->statement), x->serial, certificate);
}

static void
a_key_of_a_genuine_card_is_certified(void **state)
{
	struct cw_grant grant = cw_keys_grant(now_s());
	struct cw_key_statement statement;
	struct cw_buf certificate;
	struct cw_public_key certified;
	struct cw_keys_session x;
	char subject[256];

	(void)state;
	cw_buf_init(&certificate, CW_CERT_MAX_BYTES);
	open_session(&x, &grant);
	statement = cw_keys_session_key(&x, &management, 7);
	cw_keys_session_state(&x, &statement);
	assert_err(certify(&x, &certificate), CW_OK);
	assert_err(cw_cert_public_key(cw_buf_bytes(&certificate), &certified),
	    CW_OK);
	assert_memory_equal(&certified, &statement.key, sizeof(certified));
	assert_err(cw_cert_subject(cw_buf_bytes(&certificate), subject,
		       sizeof(subject)),
	    CW_OK);
	assert_string_equal(subject, "CN=Jane Doe,O=Example,C=DE");
	cw_buf_wipe(&certificate);
	cw_keys_session_wipe(&x);
}

/* A session whose key could be certified now. */
static void
ready_session(struct cw_keys_session *x)
{
	struct cw_grant grant = cw_keys_grant(now_s());
	struct cw_key_statement statement;

	open_session(x, &grant);
	statement = cw_keys_session_key(x, &management, 1);
	cw_keys_session_state(x, &statement);
}

static void
a_kill_between_log_and_answer_loses_no_certificate(void **state)
{
	struct cw_signer_entry entries[8], last;
	struct cw_keys_session x;
	struct cw_buf certificate, again;
	size_t n = 0;

	(void)state;
	cw_buf_init(&certificate, CW_CERT_MAX_BYTES);
	cw_buf_init(&again, CW_CERT_MAX_BYTES);
	cw_keys_tree_kill(&tree);
	die_after = 2; /* the start record is the first */
	cw_keys_tree_start(&tree, 4);
	die_after = 0;
	ready_session(&x);
	assert_err(certify(&x, &certificate), CW_ERR_SIGNER_DOWN);
	assert_int_equal(cw_keys_tree_wait(&tree), -1);
	cw_keys_tree_start(&tree, 4);
	/* the web process can see it, and gets it */
	assert_err(cw_signer_log_read(tree.signer, 0, entries, 8, &n), CW_OK);
	assert_true(n > 0);
	last = entries[n - 1];
	assert_int_equal(last.index, n - 1);
	assert_memory_equal(last.serial, x.serial, sizeof(x.serial));
	assert_memory_equal(last.th, x.th, sizeof(x.th));
	assert_err(certify(&x, &certificate), CW_OK);
	assert_err(certify(&x, &again), CW_OK);
	assert_true(
	    cw_bytes_equal(cw_buf_bytes(&certificate), cw_buf_bytes(&again)));
	cw_buf_wipe(&certificate);
	cw_buf_wipe(&again);
	cw_keys_session_wipe(&x);
}

static void
the_log_is_read_in_pages_with_its_revocations(void **state)
{
	struct cw_signer_entry first[2], all[64];
	struct cw_buf certificate;
	struct cw_keys_session x;
	size_t n, total;

	(void)state;
	cw_buf_init(&certificate, CW_CERT_MAX_BYTES);
	ready_session(&x);
	assert_err(certify(&x, &certificate), CW_OK);
	assert_err(cw_signer_revoke(tree.signer, x.serial, 1), CW_OK);
	assert_err(cw_signer_revoke(tree.signer, x.serial, 4), CW_OK);
	assert_err(cw_signer_log_read(tree.signer, 0, all, 64, &total), CW_OK);
	assert_true(total >= 3);
	assert_true(all[total - 1].revoked);
	assert_false(all[total - 2].revoked);
	assert_err(cw_signer_log_read(tree.signer, 1, first, 2, &n), CW_OK);
	assert_int_equal(n, 2);
	assert_int_equal(first[0].index, 1);
	assert_err(cw_signer_log_read(tree.signer, total, first, 2, &n), CW_OK);
	assert_int_equal(n, 0);
	x.serial[5] ^= 1;
	assert_err(cw_signer_revoke(tree.signer, x.serial, 1),
	    CW_ERR_UNKNOWN_SERIAL);
	cw_buf_wipe(&certificate);
	cw_keys_session_wipe(&x);
}

static void
a_malformed_request_stops_the_signer_after_the_others(void **state)
{
	struct cw_signer_request info = { .id = 77, .op = CW_SIGNER_INFO };
	struct cw_cbor_reader r;
	uint8_t answer[CW_BODY_MAX];
	struct cw_buf b;
	ssize_t n;

	(void)state;
	cw_buf_init(&b, CW_BODY_MAX);
	cw_signer_request_encode(&info, &b);
	/* while it is stopped, both come in one round */
	kill(tree.pid, SIGSTOP);
	assert_true(send(tree.web[0], "\x82\x01", 2, 0) == 2);
	assert_true(send(tree.web[1], b.ptr, b.len, 0) == (ssize_t)b.len);
	kill(tree.pid, SIGCONT);
	assert_int_equal(cw_keys_tree_wait(&tree), CW_SIGNER_EXIT_MALFORMED);
	n = recv(tree.web[1], answer, sizeof(answer), MSG_DONTWAIT);
	assert_true(n > 0);
	assert_err(cw_signer_answer_open(cw_bytes(answer, (size_t)n), 77, &r),
	    CW_OK);
	cw_keys_tree_start(&tree, 4);
	cw_buf_wipe(&b);
}

static void
what_the_signer_would_stop_at_does_not_leave_the_client(void **state)
{
	struct cw_keys_session x;
	struct cw_buf certificate;

	(void)state;
	cw_buf_init(&certificate, CW_CERT_MAX_BYTES);
	ready_session(&x);
	cw_buf_reset(&x.statement);
	assert_int_equal(cw_err_category(certify(&x, &certificate)),
	    CW_CAT_INPUT);
	assert_int_equal(cw_err_category(cw_signer_check_token(tree.signer,
			     &x.proof, CW_BYTES_NONE, &x.verdict)),
	    CW_CAT_INPUT);
	x.serial[0] |= 0x80;
	assert_err(cw_signer_revoke(tree.signer, x.serial, 1),
	    CW_ERR_OUT_OF_RANGE);
	x.serial[0] &= 0x7f;
	assert_err(cw_signer_revoke(tree.signer, x.serial, 8),
	    CW_ERR_OUT_OF_RANGE);
	assert_err(cw_signer_revoke(tree.signer, x.serial, 1),
	    CW_ERR_UNKNOWN_SERIAL);
	cw_buf_wipe(&certificate);
	cw_keys_session_wipe(&x);
}

static void
a_log_that_cannot_be_written_stops_the_signer(void **state)
{
	struct rlimit before, small;
	struct cw_buf certificate;
	struct cw_keys_session x;

	(void)state;
	cw_buf_init(&certificate, CW_CERT_MAX_BYTES);
	cw_keys_tree_kill(&tree);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	/* room for the start record, not for a certificate */
	small.rlim_cur = (rlim_t)cw_log_file_cut(tree.config.log) + 300;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	cw_keys_tree_start(&tree, 4);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	ready_session(&x);
	assert_err(certify(&x, &certificate), CW_ERR_SIGNER_LOG);
	assert_int_equal(cw_keys_tree_wait(&tree), CW_SIGNER_EXIT_LOG);
	/* with room again nothing was issued, and all goes on */
	cw_keys_tree_start(&tree, 4);
	assert_err(cw_signer_revoke(tree.signer, x.serial, 1),
	    CW_ERR_UNKNOWN_SERIAL);
	assert_err(certify(&x, &certificate), CW_OK);
	cw_buf_wipe(&certificate);
	cw_keys_session_wipe(&x);
}

static uint64_t
log_commits(void)
{
	struct cw_signer_info info;
	struct cw_buf memory;

	cw_buf_init(&memory, CW_BODY_MAX);
	assert_err(cw_signer_info(tree.signer, &memory, &info), CW_OK);
	cw_buf_wipe(&memory);
	return info.log_commits;
}

static void
a_certificate_is_one_commit_and_the_same_again_none(void **state)
{
	struct cw_buf certificate;
	struct cw_keys_session x;
	uint64_t before;

	(void)state;
	cw_buf_init(&certificate, CW_CERT_MAX_BYTES);
	ready_session(&x);
	before = log_commits();
	assert_err(certify(&x, &certificate), CW_OK);
	assert_int_equal(log_commits(), before + 1);
	cw_buf_reset(&certificate);
	assert_err(certify(&x, &certificate), CW_OK);
	assert_int_equal(log_commits(), before + 1);
	cw_buf_wipe(&certificate);
	cw_keys_session_wipe(&x);
}

static void
an_answer_that_comes_too_late_is_not_taken_for_another(void **state)
{
	struct cw_signer_info info;
	struct cw_buf memory;

	(void)state;
	cw_buf_init(&memory, CW_BODY_MAX);
	kill(tree.pid, SIGSTOP);
	assert_err(cw_signer_info(tree.signer, &memory, &info),
	    CW_ERR_SIGNER_DOWN);
	kill(tree.pid, SIGCONT);
	for (int i = 0; i < 8; i++) {
		cw_buf_reset(&memory);
		assert_err(cw_signer_info(tree.signer, &memory, &info), CW_OK);
		assert_int_equal(info.n_ca, 1);
		assert_int_equal(info.n_management, 1);
		assert_int_equal(info.n_authority, 1);
	}
	cw_buf_wipe(&memory);
}

static void
a_second_signer_on_the_same_log_does_not_start(void **state)
{
	struct cw_keys_tree second = tree;

	(void)state;
	second.n = 0;
	second.pid = 0;
	assert_int_equal(cw_keys_tree_try(&second), CW_SIGNER_EXIT_START);
	cw_keys_tree_stop(&second);
}

/* "Name:\tVALUE" of /proc/PID/status */
static int
status_of(pid_t pid, const char *name)
{
	char path[64], line[256];
	int value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			value = line[strlen(name) + 1] - '0';
	fclose(f);
	return value;
}

static void
the_signer_is_confined(void **state)
{
	(void)state;
	assert_int_equal(status_of(tree.pid, "NoNewPrivs:"), 1);
#ifdef CW_SANITIZE
	skip(); /* the rest needs the system call filter */
#endif
	assert_int_equal(status_of(tree.pid, "Seccomp:"), 2);
}

static void
the_signer_ends_when_its_channels_are_closed(void **state)
{
	(void)state;
	assert_int_equal(cw_keys_tree_stop(&tree), CW_SIGNER_EXIT_OK);
	cw_keys_tree_start(&tree, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_of_a_genuine_card_is_certified),
		cmocka_unit_test(
		    a_kill_between_log_and_answer_loses_no_certificate),
		cmocka_unit_test(the_log_is_read_in_pages_with_its_revocations),
		cmocka_unit_test(
		    a_malformed_request_stops_the_signer_after_the_others),
		cmocka_unit_test(
		    what_the_signer_would_stop_at_does_not_leave_the_client),
		cmocka_unit_test(a_log_that_cannot_be_written_stops_the_signer),
		cmocka_unit_test(
		    an_answer_that_comes_too_late_is_not_taken_for_another),
		cmocka_unit_test(
		    a_certificate_is_one_commit_and_the_same_again_none),
		cmocka_unit_test(
		    a_second_signer_on_the_same_log_does_not_start),
		cmocka_unit_test(the_signer_is_confined),
		cmocka_unit_test(the_signer_ends_when_its_channels_are_closed),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
