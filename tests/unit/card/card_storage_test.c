/* SPDX-License-Identifier: Apache-2.0 */
/* The state file: private, locked, whole; and what the state decoder refuses. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "card/state.h"
#include "proto/base/fdio.h"
#include "tests/support/card_world.h"

static char folder[64];
static char path[128];

static int
make_folder(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/cs.XXXXXX",
	    tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/state", folder);
	return 0;
}

static int
drop_folder(void **state)
{
	static const char *const names[] = { "state", "state.lock",
		"state.new" };
	char file[160];

	(void)state;
	chmod(folder, 0700);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(file, sizeof(file), "%s/%s", folder, names[i]);
		unlink(file);
	}
	return rmdir(folder);
}

#define file_test(sentence) \
	cmocka_unit_test_setup_teardown(sentence, make_folder, drop_folder)

static void
wire_transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct cw_card **card = ctx;

	cw_card_transmit(*card, command, response);
}

static enum cw_err
open_file(struct cw_card **card)
{
	const struct cw_card_config config = { .state_path = path };

	return cw_card_open(&config, card);
}

static void
personalise(struct cw_card *card)
{
	struct cw_test_vendor vendor;
	struct cw_buf b;

	cw_buf_init(&b, 65536);
	cw_test_vendor_init(&vendor);
	cw_test_personalisation(&vendor, &b);
	assert_err(cw_card_personalise(card, cw_buf_bytes(&b)), CW_OK);
	cw_test_vendor_wipe(&vendor);
	cw_buf_wipe(&b);
}

static void
a_card_lives_in_its_file(void **state)
{
	struct cw_card *card = NULL;
	struct cw_test_wire wire = { wire_transmit, &card };
	struct cw_test_issuer issuer;
	struct stat st;

	(void)state;
	assert_err(open_file(&card), CW_OK);
	personalise(card);
	cw_test_issuer_init(&issuer, &wire);
	assert_err(cw_test_issuer_begin(&issuer), CW_OK);
	cw_card_free(&card);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_err(open_file(&card), CW_OK);
	cw_test_select_provisioning(&wire);
	assert_err(cw_test_issuer_close(&issuer, NULL), CW_OK);
	cw_card_free(&card);
	cw_test_issuer_wipe(&issuer);
}

static void
a_second_card_on_the_same_file_is_refused(void **state)
{
	struct cw_card *card = NULL, *second = NULL;

	(void)state;
	assert_err(open_file(&card), CW_OK);
	assert_err(open_file(&second), CW_ERR_LOCKED);
	cw_card_free(&card);
	assert_err(open_file(&second), CW_OK);
	cw_card_free(&second);
}

static void
a_file_that_others_can_read_is_refused(void **state)
{
	struct cw_card *card = NULL;

	(void)state;
	assert_err(open_file(&card), CW_OK);
	cw_card_free(&card);
	chmod(path, 0640);
	assert_err(open_file(&card), CW_ERR_FILE_MODE);
}

static void
a_damaged_file_is_refused_and_left_alone(void **state)
{
	struct cw_card *card = NULL;
	struct cw_buf before, after;

	(void)state;
	assert_err(cw_file_store(path, cw_bytes_str("\x88\x01 no state"), 0600),
	    CW_OK);
	cw_buf_init(&before, 1024);
	cw_buf_init(&after, 1024);
	assert_err(cw_file_load(path, &before), CW_OK);
	assert_err(open_file(&card), CW_ERR_BAD_STATE_FILE);
	assert_null(card);
	assert_err(cw_file_load(path, &after), CW_OK);
	assert_true(
	    cw_bytes_equal(cw_buf_bytes(&before), cw_buf_bytes(&after)));
	cw_buf_wipe(&before);
	cw_buf_wipe(&after);
}

static void
a_folder_that_is_not_there_is_told(void **state)
{
	struct cw_card *card = NULL;

	(void)state;
	snprintf(path, sizeof(path), "%s/none/state", folder);
	assert_err(open_file(&card), CW_ERR_IO);
}

/* Where tearing_fault_test kills it, at every byte: a card starts beside what
 * is left, and takes it away. */
static void
a_card_starts_beside_what_a_killed_one_left(void **state)
{
	struct cw_card *card = NULL;
	struct cw_test_wire wire = { wire_transmit, &card };
	struct cw_test_issuer issuer;
	char left[160];

	(void)state;
	assert_err(open_file(&card), CW_OK);
	personalise(card);
	cw_card_free(&card);
	snprintf(left, sizeof(left), "%s.new", path);
	assert_err(cw_file_store(left, cw_bytes_str("half a st"), 0600), CW_OK);
	assert_err(open_file(&card), CW_OK);
	assert_true(cw_card_is_personalised(card));
	cw_test_issuer_init(&issuer, &wire);
	assert_err(cw_test_issuer_begin(&issuer), CW_OK);
	cw_card_free(&card);
	cw_test_issuer_wipe(&issuer);
	assert_int_equal(access(left, F_OK), -1);
	assert_err(open_file(&card), CW_OK);
	cw_card_free(&card);
}

static void
a_card_without_storage_forgets(void **state)
{
	const struct cw_card_config config = { .state_path = NULL };
	struct cw_card *card = NULL;

	(void)state;
	assert_err(cw_card_open(&config, &card), CW_OK);
	personalise(card);
	cw_card_free(&card);
	assert_err(cw_card_open(&config, &card), CW_OK);
	assert_false(cw_card_is_personalised(card));
	cw_card_free(&card);
}

/* ---- the state itself ---- */

static void
a_state_is_the_same_after_encoding(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = { .id = 2,
		.type = CW_KEY_P256,
		.usage = 1,
		.pin_policy = 20 };

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_RSA2048, 0x9A),
	    CW_OK);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&cw_test_policy));
	w->issuer.pin = "7314";
	cw_test_must_run(&w->issuer, cw_test_key_command(&key));
	cw_test_state_reads_back(w);
}

static void
a_cut_state_is_refused_at_every_byte(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_bytes whole;
	struct cw_card_state *decoded = NULL;

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	whole = cw_buf_bytes(&w->card.storage.bytes);
	for (size_t len = 0; len < whole.len; len++) {
		assert_err(cw_card_state_decode(cw_bytes(whole.ptr, len),
			       &decoded),
		    CW_ERR_BAD_STATE_FILE);
		assert_null(decoded);
	}
}

/* ---- many cards ---- */

static void
cards_in_one_process_know_nothing_of_one_another(void **state)
{
	struct cw_test_world *w = *state;
	void *second_state = NULL;
	struct cw_test_world *second;

	assert_int_equal(cw_test_world_setup(&second_state), 0);
	second = second_state;
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_err(cw_test_issuer_capabilities(&second->issuer), CW_OK);
	assert_sw(cw_test_verify(&second->card.wire, CW_TEST_PIN), 0x6A88);
	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_false(cw_bytes_equal(cw_buf_bytes(&w->issuer.caps),
	    cw_buf_bytes(&second->issuer.caps)));
	cw_test_world_teardown(&second_state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(a_card_lives_in_its_file),
		file_test(a_second_card_on_the_same_file_is_refused),
		file_test(a_file_that_others_can_read_is_refused),
		file_test(a_damaged_file_is_refused_and_left_alone),
		file_test(a_folder_that_is_not_there_is_told),
		file_test(a_card_starts_beside_what_a_killed_one_left),
		cmocka_unit_test(a_card_without_storage_forgets),
		world_test(a_state_is_the_same_after_encoding),
		world_test(a_cut_state_is_refused_at_every_byte),
		world_test(cards_in_one_process_know_nothing_of_one_another),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
