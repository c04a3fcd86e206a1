/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: run_yubico FILE.pem... (in the folder with roots/, f9/, slot/, …)
 *
 * Real chains: key in a slot <- the device's own CA (F9) <- vendor. They say
 * nothing of Cardwright, so cw_trust_check without EKU is what they go through.
 * Every file must parse; the table says which chains hold, and why others do
 * not. An F9 carries no keyUsage, which RFC 5280 6.1.4 (n) lets pass.
 */
#include <stdio.h>

#include "proto/x509.h"

#define IN_2026 1767225600
#define IN_2053 2619216000
#define FILES_MAX 4

#define OLD_ROOT "roots/Yubico_PIV_Root_CA_Serial_263751_63ece914.pem"
#define FIRST_ROOT "roots/Yubico_PIV_Root_CA_Serial_263751_7e996a28.pem"
#define U2F_ROOT "roots/Yubico_U2F_Root_CA_Serial_457200631_0fa1386f.pem"
#define NEW_ROOT "roots/Yubico_Attestation_Root_1_62760c6a.pem"
#define B_1 "intermediates/Yubico_PIV_Attestation_B_1_2d55b799.pem"
#define B2_1 "intermediates/Yubico_PIV_Attestation_B2_1_0c90b7d1.pem"
#define A_1 "intermediates/Yubico_PIV_Attestation_A_1_6de693f0.pem"
#define ABOVE_B "intermediates/Yubico_Attestation_Intermediate_B_1_d4cc3f45.pem"
#define ABOVE_A "intermediates/Yubico_Attestation_Intermediate_A_1_4698a1d3.pem"
#define F9(id) "f9/Yubico_PIV_Attestation_" id ".pem"
#define F9_NEW "f9/YubiKey_PIV_Attestation_e53fc330.pem"
#define SLOT(id) "slot/YubiKey_PIV_Attestation_9a_" id ".pem"

/* Three devices below the old root; their F9s all have the same name. */
#define SLOT_1 SLOT("5c7793cd")
#define SLOT_2 SLOT("8da5943b")
#define SLOT_3 SLOT("98afd616")
#define F9_1 F9("dcbfad81")
#define F9_2 F9("fbfcabe1")
#define F9_3 F9("556cd0b7")
#define SLOT_NEW SLOT("29ee9c71")
/* A batch of 2018 whose F9 has no basicConstraints. */
#define SLOT_2018 SLOT("06842907")
#define F9_2018 F9("5378deb2")

static const struct row {
	const char *sentence;
	uint64_t at_s;
	const char *root;
	const char *chain[FILES_MAX + 1];
	enum cw_err want;
} rows[] = {
	{ "P-256 of the first device", IN_2026, OLD_ROOT, { SLOT_1, F9_1 },
	    CW_OK },
	{ "P-384 of the second device", IN_2026, OLD_ROOT, { SLOT_2, F9_2 },
	    CW_OK },
	{ "RSA of the third device", IN_2026, OLD_ROOT, { SLOT_3, F9_3 },
	    CW_OK },
	{ "a device of firmware 5.7.4", IN_2026, NEW_ROOT,
	    { SLOT_NEW, F9_NEW, B_1, ABOVE_B }, CW_OK },
	{ "slot 1 below device 2", IN_2026, OLD_ROOT, { SLOT_1, F9_2 },
	    CW_ERR_BAD_SIGNATURE },
	{ "slot 1 below device 3", IN_2026, OLD_ROOT, { SLOT_1, F9_3 },
	    CW_ERR_BAD_SIGNATURE },
	{ "slot 2 below device 1", IN_2026, OLD_ROOT, { SLOT_2, F9_1 },
	    CW_ERR_BAD_SIGNATURE },
	{ "slot 2 below device 3", IN_2026, OLD_ROOT, { SLOT_2, F9_3 },
	    CW_ERR_BAD_SIGNATURE },
	{ "slot 3 below device 1", IN_2026, OLD_ROOT, { SLOT_3, F9_1 },
	    CW_ERR_BAD_SIGNATURE },
	{ "slot 3 below device 2", IN_2026, OLD_ROOT, { SLOT_3, F9_2 },
	    CW_ERR_BAD_SIGNATURE },
	{ "a new slot below an old device", IN_2026, OLD_ROOT,
	    { SLOT_NEW, F9_1 }, CW_ERR_UNTRUSTED_CHAIN },
	{ "an old slot below a new device", IN_2026, NEW_ROOT,
	    { SLOT_1, F9_NEW, B_1, ABOVE_B }, CW_ERR_UNTRUSTED_CHAIN },
	{ "the F9 of 2018 is no CA", IN_2026, U2F_ROOT, { SLOT_2018, F9_2018 },
	    CW_ERR_BAD_CONSTRAINTS },
	{ "an F9 itself is no leaf", IN_2026, OLD_ROOT, { F9_1 },
	    CW_ERR_BAD_CONSTRAINTS },
	{ "the first root had path length 0", IN_2026, FIRST_ROOT,
	    { SLOT_1, F9_1 }, CW_ERR_BAD_CONSTRAINTS },
	{ "another root", IN_2026, NEW_ROOT, { SLOT_1, F9_1 },
	    CW_ERR_UNTRUSTED_CHAIN },
	{ "no F9", IN_2026, OLD_ROOT, { SLOT_1 }, CW_ERR_UNTRUSTED_CHAIN },
	{ "no intermediates", IN_2026, NEW_ROOT, { SLOT_NEW, F9_NEW },
	    CW_ERR_UNTRUSTED_CHAIN },
	{ "intermediate B2 for B", IN_2026, NEW_ROOT,
	    { SLOT_NEW, F9_NEW, B2_1, ABOVE_B }, CW_ERR_UNTRUSTED_CHAIN },
	{ "intermediates A for B", IN_2026, NEW_ROOT,
	    { SLOT_NEW, F9_NEW, A_1, ABOVE_A }, CW_ERR_UNTRUSTED_CHAIN },
	{ "intermediates in the wrong order", IN_2026, NEW_ROOT,
	    { SLOT_NEW, F9_NEW, ABOVE_B, B_1 }, CW_ERR_UNTRUSTED_CHAIN },
	{ "the root along with them", IN_2026, OLD_ROOT,
	    { SLOT_1, F9_1, OLD_ROOT }, CW_ERR_UNTRUSTED_CHAIN },
	{ "in 2053", IN_2053, OLD_ROOT, { SLOT_1, F9_1 },
	    CW_ERR_EXPIRED_CERTIFICATE },
	{ "in 2053, valid until 9999", IN_2053, NEW_ROOT,
	    { SLOT_NEW, F9_NEW, B_1, ABOVE_B }, CW_OK },
};

static unsigned tests;
static unsigned failures;

static void
report(const char *sentence, enum cw_err got, enum cw_err want)
{
	tests++;
	failures += got == want ? 0 : 1;
	printf("%s %u - %s: %s\n", got == want ? "ok" : "not ok", tests,
	    sentence, cw_err_name(got));
}

static enum cw_err
keep(void *out, struct cw_bytes der)
{
	struct cw_buf *b = out;

	cw_buf_put(b, der);
	return b->err;
}

/* Key, serial number and subject of one certificate. */
static void
parse(const char *path)
{
	struct cw_public_key key;
	uint8_t serial[CW_SERIAL_MAX];
	char subject[256];
	struct cw_buf der;
	size_t len;
	enum cw_err err;

	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	err = cw_pem_certificates(path, keep, &der);
	if (err == CW_OK)
		err = cw_cert_public_key(cw_buf_bytes(&der), &key);
	if (err == CW_OK)
		err = cw_cert_serial(cw_buf_bytes(&der), serial, &len);
	if (err == CW_OK)
		err = cw_cert_subject(cw_buf_bytes(&der), subject,
		    sizeof(subject));
	report(path, err, CW_OK);
	cw_buf_wipe(&der);
}

static enum cw_err
check(const struct row *row)
{
	struct cw_trust *trust = cw_trust_new();
	struct cw_buf root, der[FILES_MAX];
	struct cw_bytes chain[FILES_MAX];
	struct cw_public_key key;
	size_t n = 0;
	enum cw_err err = trust == NULL ? CW_ERR_NO_MEMORY : CW_OK;

	cw_buf_init(&root, CW_CERT_MAX_BYTES);
	if (err == CW_OK)
		err = cw_pem_certificates(row->root, keep, &root);
	if (err == CW_OK)
		err = cw_trust_add_root(trust, cw_buf_bytes(&root));
	for (; err == CW_OK && row->chain[n] != NULL; n++) {
		cw_buf_init(&der[n], CW_CERT_MAX_BYTES);
		err = cw_pem_certificates(row->chain[n], keep, &der[n]);
		chain[n] = cw_buf_bytes(&der[n]);
	}
	if (err == CW_OK)
		err = cw_trust_check(trust, chain, n, row->at_s, NULL, &key);
	while (n > 0)
		cw_buf_wipe(&der[--n]);
	cw_buf_wipe(&root);
	cw_trust_free(&trust);
	return err;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		parse(argv[i]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		report(rows[i].sentence, check(&rows[i]), rows[i].want);
	printf("1..%u\n", tests);
	return failures == 0 ? 0 : 1;
}
