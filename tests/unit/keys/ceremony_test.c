/* SPDX-License-Identifier: Apache-2.0 */
/* Key files, passphrases, ceremonies and the development tree. TIMEOUT: 180 */
#include "tests/support/check.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keys/ceremony.h"
#include "keys/config.h"
#include "keys/devtree.h"
#include "keys/keyfile.h"
#include "proto/endorsement.h"
#include "proto/base/fdio.h"
#include "proto/base/secret.h"

static char dir[64];
static uint64_t now_s;

/* "DIR/name"; eight of them may be in use. */
static const char *
at(const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, 256, "%s/%s", dir, name);
	return path;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int
setup(void **state)
{
	(void)state;
	now_s = (uint64_t)time(NULL);
	snprintf(dir, sizeof(dir), "/tmp/cw-ceremony.XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}

/* A descriptor that holds a passphrase. */
static int
words(const char *text)
{
	int fd = open(dir, O_RDWR | O_TMPFILE, 0600);

	assert_true(fd >= 0);
	assert_err(cw_fd_write(fd, cw_bytes_str(text)), CW_OK);
	return fd;
}

static enum cw_err
load_with(const char *path, const char *text)
{
	struct cw_private_key *key = NULL;
	struct cw_passphrase p;
	int fd = words(text);
	enum cw_err err;

	cw_passphrase_init(&p, fd);
	err = cw_keyfile_load(path, &p, &key);
	cw_key_free(&key);
	cw_passphrase_wipe(&p);
	close(fd);
	return err;
}

static unsigned
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
a_key_file_opens_with_its_passphrase_only(void **state)
{
	static const enum cw_key_type types[] = { CW_KEY_P256, CW_KEY_P384,
		CW_KEY_ED25519 };
	struct cw_private_key *key, *none = NULL;
	const char *path = at("sealed.key");

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		assert_err(cw_key_generate(types[i], &key), CW_OK);
		assert_err(cw_keyfile_store(path, key,
			       cw_bytes_str("correct horse")),
		    CW_OK);
		assert_int_equal(mode_of(path), 0600);
		assert_err(load_with(path, "correct horse\n"), CW_OK);
		assert_err(load_with(path, "correct hors"),
		    CW_ERR_BAD_PRIVATE_KEY);
		assert_err(cw_keyfile_load(path, NULL, &none),
		    CW_ERR_BAD_PRIVATE_KEY);
		assert_null(none);
		assert_err(cw_keyfile_store(path, key, CW_BYTES_NONE),
		    CW_ERR_EXISTS);
		cw_key_free(&key);
		unlink(path);
	}
}

static void
a_key_file_that_others_may_read_is_refused(void **state)
{
	const char *path = at("open.key");
	struct cw_private_key *key, *none = NULL;

	(void)state;
	assert_err(cw_key_generate(CW_KEY_P256, &key), CW_OK);
	assert_err(cw_keyfile_store(path, key, CW_BYTES_NONE), CW_OK);
	cw_key_free(&key);
	assert_err(cw_keyfile_load(path, NULL, &key), CW_OK);
	cw_key_free(&key);
	chmod(path, 0640);
	assert_err(cw_keyfile_load(path, NULL, &none), CW_ERR_FILE_MODE);
	chmod(path, 0604);
	assert_err(cw_keyfile_load(path, NULL, &none), CW_ERR_FILE_MODE);
	assert_err(cw_keyfile_load(at("none"), NULL, &none), CW_ERR_NO_FILE);
	assert_err(cw_newfile_store(at("text.key"), cw_bytes_str("text"), 0600),
	    CW_OK);
	assert_err(cw_keyfile_load(at("text.key"), NULL, &none),
	    CW_ERR_BAD_PRIVATE_KEY);
}

static void
a_passphrase_is_a_line_of_fair_length(void **state)
{
	static const struct {
		const char *text;
		bool is_new;
		enum cw_err want;
	} rows[] = {
		{ "12345678", true, CW_OK },
		{ "1234567", true, CW_ERR_PIN_LENGTH },
		{ "1\nsecond line", false, CW_OK },
		{ "", false, CW_ERR_PIN_LENGTH },
		{ "\n", false, CW_ERR_PIN_LENGTH },
	};
	struct cw_passphrase p;
	struct cw_bytes text;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = words(rows[i].text);

		for (int again = 0; again < 2; again++) {
			cw_passphrase_init(&p, fd);
			assert_row(rows[i].text,
			    cw_passphrase_get(&p, "x", rows[i].is_new, &text) ==
				rows[i].want);
			cw_passphrase_wipe(&p);
		}
		close(fd);
	}
}

static enum cw_err
run(const char *name, struct cw_ceremony_options o)
{
	for (size_t i = 0; cw_ceremonies[i].name != NULL; i++)
		if (strcmp(cw_ceremonies[i].name, name) == 0)
			return cw_ceremonies[i].run(&cw_ceremonies[i], &o);
	fail_msg("no ceremony %s", name);
	return CW_ERR_USAGE;
}

static struct cw_ceremony_options
options(const char *subject, const char *out)
{
	return (struct cw_ceremony_options){ .subject = subject,
		.out = out,
		.key_type = CW_KEY_P256,
		.passphrase_fd = -1,
		.ca_passphrase_fd = -1,
		.unencrypted = true,
		.now_s = now_s };
}

static void
a_whole_ceremony_gives_chains_that_verify(void **state)
{
	struct cw_ceremony_options o = options("CN=Root", at("root"));
	struct cw_trust *trust = cw_trust_new();
	struct cw_bytes chain[CW_CHAIN_MAX];
	struct cw_public_key key;
	struct cw_buf memory;
	size_t n;

	(void)state;
	o.unencrypted = false;
	o.key_type = CW_KEY_P384;
	o.passphrase_fd = words("a long passphrase\n");
	assert_err(run("issuer-root", o), CW_OK);
	assert_err(run("issuer-root", o), CW_ERR_EXISTS);
	o = options("CN=Management", at("mgmt"));
	o.ca_key = at("root.key");
	o.ca_cert = at("root.pem");
	o.ca_passphrase_fd = words("another passphrase\n");
	assert_err(run("management-key", o), CW_ERR_BAD_PRIVATE_KEY);
	o.ca_passphrase_fd = words("a long passphrase\n");
	assert_err(run("management-key", o), CW_OK);
	o.out = at("auth");
	assert_err(run("authority-key", o), CW_OK);
	o.out = at("issuing");
	o.subject = "CN=Issuing";
	assert_err(run("issuing-ca", o), CW_OK);
	cw_buf_init(&memory, CW_BODY_MAX);
	assert_err(cw_certfile_load(at("root.pem"), &memory, chain, &n), CW_OK);
	assert_err(cw_trust_add_root(trust, chain[0]), CW_OK);
	cw_buf_reset(&memory);
	assert_err(cw_certfile_load(at("mgmt.pem"), &memory, chain, &n), CW_OK);
	assert_err(cw_trust_check(trust, chain, n, now_s, CW_OID_EKU_MANAGEMENT,
		       &key),
	    CW_OK);
	assert_int_not_equal(cw_trust_check(trust, chain, n, now_s,
				 CW_OID_EKU_AUTHORITY, &key),
	    CW_OK);
	cw_trust_free(&trust);
	cw_buf_wipe(&memory);
}

static void
a_card_of_a_ceremony_attests(void **state)
{
	struct cw_ceremony_options o = options("CN=Vendor", at("vendor"));
	struct cw_trust *trust = cw_trust_new();
	struct cw_bytes chain[CW_CHAIN_MAX];
	struct cw_attestation a;
	struct cw_personalisation p;
	struct cw_buf memory, file;
	size_t n;

	(void)state;
	assert_err(run("vendor-root", o), CW_OK);
	o = options("CN=Batch", at("batch"));
	o.ca_key = at("vendor.key");
	o.ca_cert = at("vendor.pem");
	assert_err(run("batch-ca", o), CW_ERR_USAGE); /* no model */
	o.model = "Test card";
	assert_err(run("batch-ca", o), CW_OK);
	o = options("CN=Card 1", at("card"));
	o.ca_key = at("batch.key");
	o.ca_cert = at("batch.pem");
	o.batch_key = at("batch-attestation.key");
	o.batch_cert = at("batch-attestation.pem");
	o.model = "Test card";
	o.firmware = "1";
	o.serial = "1";
	assert_err(run("card", o), CW_OK);
	assert_err(run("card", o), CW_ERR_EXISTS);
	assert_int_equal(mode_of(at("card")), 0600);
	cw_buf_init(&memory, CW_BODY_MAX);
	cw_buf_init(&file, CW_BODY_MAX);
	assert_err(cw_certfile_load(at("vendor.pem"), &memory, chain, &n),
	    CW_OK);
	assert_err(cw_trust_add_root(trust, chain[0]), CW_OK);
	assert_err(cw_file_load_own(at("card"), &file), CW_OK);
	assert_err(cw_personalisation_decode(cw_buf_bytes(&file), &p), CW_OK);
	assert_err(cw_trust_check_attestation(trust, p.card_chain,
		       p.n_card_chain, now_s, &a),
	    CW_OK);
	assert_int_equal(a.kind, CW_ATTESTATION_CARD);
	assert_string_equal(a.model, "Test card");
	assert_err(cw_trust_check_attestation(trust, p.batch_chain,
		       p.n_batch_chain, now_s, &a),
	    CW_OK);
	assert_int_equal(a.kind, CW_ATTESTATION_BATCH);
	cw_trust_free(&trust);
	cw_buf_wipe(&memory);
	cw_buf_wipe(&file);
}

static void
a_ceremony_without_what_it_needs_makes_nothing(void **state)
{
	struct cw_ceremony_options o = options(NULL, at("nothing"));

	(void)state;
	assert_err(run("vendor-root", o), CW_ERR_USAGE);
	o.subject = "CN=a";
	assert_err(run("issuing-ca", o), CW_ERR_USAGE);
	o.subject = "a";
	assert_err(run("vendor-root", o), CW_ERR_BAD_TEXT);
	o.subject = "CN=a";
	o.out = NULL;
	assert_err(run("vendor-root", o), CW_ERR_USAGE);
	assert_err(run("tag-key", o), CW_ERR_USAGE);
	assert_int_not_equal(access(at("nothing.key"), F_OK), 0);
	o.out = at("tag");
	assert_err(run("tag-key", o), CW_OK);
	assert_err(run("tag-key", o), CW_ERR_EXISTS);
	assert_int_equal(mode_of(at("tag")), 0600);
}

static void
an_endorsement_leads_from_the_old_key_to_the_new_one(void **state)
{
	struct cw_ceremony_options o = options("CN=Root", at("roll"));
	struct cw_endorsement e;
	struct cw_public_key key;
	struct cw_bytes chain[CW_CHAIN_MAX];
	struct cw_buf memory, file;
	size_t n;

	(void)state;
	assert_err(run("issuer-root", o), CW_OK);
	o = options("CN=Old", at("old"));
	o.ca_key = at("roll.key");
	o.ca_cert = at("roll.pem");
	assert_err(run("management-key", o), CW_OK);
	o.subject = "CN=New";
	o.out = at("new");
	o.key_type = CW_KEY_ED25519;
	assert_err(run("management-key", o), CW_OK);
	o = options(NULL, at("old-new.endorsement"));
	o.ca_key = at("old.key");
	o.ca_cert = at("old.pem");
	o.new_cert = at("new.pem");
	assert_err(run("endorsement", o), CW_ERR_USAGE); /* no epoch */
	o.epoch = 1;
	o.days = 30;
	assert_err(run("endorsement", o), CW_OK);
	assert_err(run("endorsement", o), CW_ERR_EXISTS);
	cw_buf_init(&memory, CW_BODY_MAX);
	cw_buf_init(&file, CW_BODY_MAX);
	assert_err(cw_file_load(o.out, &file), CW_OK);
	assert_err(cw_endorsement_verify(cw_buf_bytes(&file), &e), CW_OK);
	assert_int_equal(e.epoch, 1);
	assert_true(e.not_after_s == o.now_s + 30 * 86400);
	assert_err(cw_certfile_load(at("new.pem"), &memory, chain, &n), CW_OK);
	assert_err(cw_cert_public_key(chain[0], &key), CW_OK);
	assert_memory_equal(&key, &e.to, sizeof(key));
	/* A key does not endorse itself. */
	o.out = at("self");
	o.new_cert = at("old.pem");
	assert_err(run("endorsement", o), CW_ERR_BAD_ENDORSEMENT);
	assert_int_not_equal(access(at("self"), F_OK), 0);
	cw_buf_wipe(&memory);
	cw_buf_wipe(&file);
}

static void
a_development_tree_is_made_once_and_whole(void **state)
{
	struct cw_devtree tree = { at("dev"), "https://ca.example:9443", 2,
		now_s };
	static struct cw_config config;
	struct cw_buf before, after;
	char message[512];
	bool made;

	(void)state;
	cw_buf_init(&before, 65536);
	cw_buf_init(&after, 65536);
	assert_err(cw_devtree_make(&tree, &made), CW_OK);
	assert_true(made);
	assert_int_equal(mode_of(at("dev")), 0700);
	assert_int_equal(mode_of(at("dev/issuing-ca.key")), 0600);
	assert_int_equal(mode_of(at("dev/tag.key")), 0600);
	assert_int_equal(mode_of(at("dev/cards/card-2.personalisation")), 0600);
	assert_int_not_equal(access(at("dev/cards/card-3.personalisation"),
				 F_OK),
	    0);
	assert_err(cw_config_load(at("dev/issuer.ini"), &config, message,
		       sizeof(message)),
	    CW_OK);
	assert_string_equal(config.url, "https://ca.example:9443");
	assert_string_equal(config.listen, "127.0.0.1:9443");
	assert_err(cw_file_load(at("dev/tag.key"), &before), CW_OK);
	tree.n_cards = 5;
	assert_err(cw_devtree_make(&tree, &made), CW_OK);
	assert_false(made);
	assert_err(cw_file_load(at("dev/tag.key"), &after), CW_OK);
	assert_true(
	    cw_bytes_equal(cw_buf_bytes(&before), cw_buf_bytes(&after)));
	/* an incomplete one is nobody's to repair */
	unlink(at("dev/issuer.ini"));
	assert_err(cw_devtree_make(&tree, &made), CW_ERR_EXISTS);
	tree.dir = at("dev2");
	tree.url = "nonsense";
	assert_err(cw_devtree_make(&tree, &made), CW_ERR_BAD_URL);
	assert_int_not_equal(access(at("dev2"), F_OK), 0);
	cw_buf_wipe(&before);
	cw_buf_wipe(&after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_file_opens_with_its_passphrase_only),
		cmocka_unit_test(a_key_file_that_others_may_read_is_refused),
		cmocka_unit_test(a_passphrase_is_a_line_of_fair_length),
		cmocka_unit_test(a_whole_ceremony_gives_chains_that_verify),
		cmocka_unit_test(a_card_of_a_ceremony_attests),
		cmocka_unit_test(
		    a_ceremony_without_what_it_needs_makes_nothing),
		cmocka_unit_test(
		    an_endorsement_leads_from_the_old_key_to_the_new_one),
		cmocka_unit_test(a_development_tree_is_made_once_and_whole),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
