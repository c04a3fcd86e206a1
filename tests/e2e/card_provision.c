/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a provisioned card without a server: a state file for cardwright-card.
 *
 *   card_provision STATE NAME:SLOT...     for example P-256:9A RSA-2048:9D
 *
 * Runs a whole session per key with the test issuer, and writes each
 * certificate (DER) to STATE.SLOT.der. The PIN is CW_TEST_PIN.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/fdio.h"
#include "proto/base/secret.h"
#include "tests/support/issuer.h"

static void
transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	cw_card_transmit(ctx, command, response);
}

static enum cw_key_type
type_of(struct cw_bytes name)
{
	for (uint64_t type = 1; cw_key_type_info(type) != NULL; type++)
		if (cw_bytes_is(name, cw_key_type_info(type)->name))
			return cw_key_type_info(type)->type;
	return (enum cw_key_type)0;
}

static enum cw_err
provision(struct cw_test_issuer *issuer, const char *state, const char *what)
{
	const char *colon = strchr(what, ':');
	enum cw_key_type type;
	unsigned long slot;
	char path[512];
	enum cw_err err;

	if (colon == NULL)
		return CW_ERR_USAGE;
	type = type_of(cw_bytes((const uint8_t *)what, (size_t)(colon - what)));
	slot = strtoul(colon + 1, NULL, 16);
	if (cw_key_type_info((uint64_t)type) == NULL || !cw_slot_is_valid(slot))
		return CW_ERR_USAGE;
	err = cw_test_issuer_enroll(issuer, type, (uint8_t)slot);
	snprintf(path, sizeof(path), "%s.%02lX.der", state, slot);
	return err != CW_OK ?
	    err :
	    cw_file_store(path, cw_buf_bytes(&issuer->certificate), 0644);
}

static enum cw_err
run(const char *state, char **keys)
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
	if (!cw_card_is_personalised(card)) {
		cw_test_personalisation(&vendor, &b);
		err = cw_card_personalise(card, cw_buf_bytes(&b));
	}
	for (; err == CW_OK && *keys != NULL; keys++)
		err = provision(&issuer, state, *keys);
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

	if (argc < 2 || !cw_secret_process_init())
		return 2;
	err = run(argv[1], argv + 2);
	if (err != CW_OK)
		fprintf(stderr, "card_provision: %s\n", cw_err_name(err));
	return err == CW_OK ? 0 : 1;
}
