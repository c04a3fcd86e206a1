/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a card with keys outside the PIV slots, without a server: a state file
 * for cardwright-card.
 *
 *   card_held STATE
 *
 * The keys are those of the table; secrets are the bytes 00, 01, … 1F. The PIN
 * of those with the first policy is 4711, its PUK 83920174.
 */
#include <stdio.h>

#include "proto/base/secret.h"
#include "proto/key_alg.h"
#include "tests/support/issuer.h"

#define PUK 30
#define MODIFIABLE 20 /* PIN policies */
#define FIXED 21

static const uint8_t secret[32] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
	13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
	31 };

static const struct row {
	const char *name;
	enum cw_key_type type;
	unsigned usage;
	uint32_t policy;
	int32_t algorithm;
	bool exportable;
	enum cw_guard export_guard, delete_guard;
} rows[] = {
	{ "Sign P-256", CW_KEY_P256, CW_USAGE_SIGN, MODIFIABLE, 0, false, 0,
	    CW_GUARD_PIN },
	{ "Sign P-384", CW_KEY_P384, CW_USAGE_SIGN, 0, 0, false, 0, 0 },
	{ "Sign RSA", CW_KEY_RSA2048, CW_USAGE_SIGN, 0, 0, false, 0, 0 },
	{ "Decrypt RSA", CW_KEY_RSA2048, CW_USAGE_DECRYPT, 0, 0, false, 0, 0 },
	{ "Sign Ed25519", CW_KEY_ED25519, CW_USAGE_SIGN, 0, 0, false, 0, 0 },
	{ "Agree P-256", CW_KEY_P256, CW_USAGE_AGREE, 0, 0, false, 0, 0 },
	{ "Agree P-384", CW_KEY_P384, CW_USAGE_AGREE, 0, 0, false, 0, 0 },
	{ "Agree X25519", CW_KEY_X25519, CW_USAGE_AGREE, 0, 0, false, 0, 0 },
	{ "Mac", CW_KEY_SECRET, CW_USAGE_MAC, 0, 0, false, 0, CW_GUARD_NEVER },
	{ "AES", CW_KEY_SECRET, CW_USAGE_ENCRYPT, 0, CW_ALG_AES_CCM_16_128_256,
	    false, 0, 0 },
	{ "ChaCha", CW_KEY_SECRET, CW_USAGE_ENCRYPT, 0,
	    CW_ALG_CHACHA20_POLY1305, false, 0, 0 },
	{ "Keep", CW_KEY_SECRET, CW_USAGE_KEEP, MODIFIABLE, 0, true,
	    CW_GUARD_PIN, 0 },
	{ "Copy", CW_KEY_P256, CW_USAGE_SIGN, 0, 0, true, 0, 0 },
	{ "Fixed", CW_KEY_P256, CW_USAGE_SIGN, FIXED, 0, false, 0, 0 },
	{ "Twin", CW_KEY_P256, CW_USAGE_SIGN, 0, 0, false, 0, 0 },
	{ "Twin", CW_KEY_P256, CW_USAGE_SIGN, 0, 0, false, 0, 0 },
};

static void
transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	cw_card_transmit(ctx, command, response);
}

static enum cw_err
run(struct cw_test_issuer *issuer, struct cw_command *command)
{
	struct cw_reply reply = { .err = CW_OK };

	return cw_test_issuer_command(issuer, command, &reply);
}

static enum cw_err
make_policy(struct cw_test_issuer *issuer, uint32_t id, const char *pin,
    uint32_t puk)
{
	struct cw_command c = { .no = CW_CREATE_PIN_POLICY };

	c.u.create_pin_policy = (struct cw_create_pin_policy){
		.id = id,
		.rule = { CW_PIN_DIGITS, 4, 8, 3, CW_PIN_NO_SEQUENCE },
		.issuer_set = true,
		.modifiable = id == MODIFIABLE,
		.value = cw_bytes_str(pin),
		.puk = puk,
	};
	return run(issuer, &c);
}

static enum cw_err
make_policies(struct cw_test_issuer *issuer)
{
	struct cw_command c = { .no = CW_CREATE_PUK_POLICY };
	enum cw_err err;

	c.u.create_puk_policy = (struct cw_create_puk_policy){
		.id = PUK,
		.rule = { CW_PIN_DIGITS, 8, 8, 3, 0 },
		.value = cw_bytes_str("83920174"),
	};
	err = run(issuer, &c);
	if (err == CW_OK)
		err = make_policy(issuer, MODIFIABLE, "4711", PUK);
	return err == CW_OK ? make_policy(issuer, FIXED, "2486", 0) : err;
}

static enum cw_err
make_key(struct cw_test_issuer *issuer, const struct row *row, uint32_t id)
{
	struct cw_command c = { .no = CW_IMPORT_SYMMETRIC_KEY };
	struct cw_public_key made;
	enum cw_err err;

	c.u.create_key = (struct cw_create_key){
		.id = id,
		.type = row->type,
		.usage = row->usage,
		.pin_policy = row->policy,
		.name = cw_bytes_str(row->name),
		.exportable = row->exportable,
		.export_guard = row->export_guard,
		.delete_guard = row->delete_guard,
		.n_algorithms = row->algorithm != 0,
		.algorithms = { row->algorithm },
	};
	if (row->type == CW_KEY_SECRET) {
		c.u.create_key.secret = CW_BYTES_ARRAY(secret);
		return run(issuer, &c);
	}
	err = cw_test_issuer_create_key(issuer, &c.u.create_key, false, &made);
	return err == CW_OK ? cw_test_issuer_certify(issuer, id, &made) : err;
}

static enum cw_err
make_all(struct cw_test_issuer *issuer)
{
	enum cw_err err = cw_test_issuer_begin(issuer);

	if (err == CW_OK)
		err = make_policies(issuer);
	for (uint32_t i = 0; err == CW_OK && i < sizeof(rows) / sizeof(rows[0]);
	     i++)
		err = make_key(issuer, &rows[i], i + 1);
	return err == CW_OK ? cw_test_issuer_close(issuer, NULL) : err;
}

static enum cw_err
make_card(const char *state)
{
	const struct cw_card_config config = { .state_path = state };
	struct cw_test_vendor vendor;
	struct cw_test_issuer issuer;
	struct cw_test_wire wire = { transmit, NULL };
	struct cw_card *card = NULL;
	struct cw_buf b;
	enum cw_err err = cw_card_open(&config, &card);

	if (err != CW_OK)
		return err;
	wire.ctx = card;
	cw_buf_init(&b, 65536);
	cw_test_vendor_init(&vendor);
	cw_test_issuer_init(&issuer, &wire);
	cw_test_personalisation(&vendor, &b);
	err = cw_card_personalise(card, cw_buf_bytes(&b));
	if (err == CW_OK)
		err = make_all(&issuer);
	if (err == CW_ERR_CARD_SAYS)
		fprintf(stderr, "status word %04X\n", issuer.sw);
	cw_test_issuer_wipe(&issuer);
	cw_test_vendor_wipe(&vendor);
	cw_buf_wipe(&b);
	cw_card_free(&card);
	return err;
}

int
main(int argc, char **argv)
{
	enum cw_err err;

	if (argc != 2 || !cw_secret_process_init())
		return 2;
	err = make_card(argv[1]);
	if (err != CW_OK)
		fprintf(stderr, "card_held: %s\n", cw_err_name(err));
	return err == CW_OK ? 0 : 1;
}
