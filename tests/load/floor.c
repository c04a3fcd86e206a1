/* SPDX-License-Identifier: Apache-2.0 */
/* 2 signatures, 1 key generation, 1 agreement, 5 verifications. */
#include "tests/load/floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/suite.h"

#define ROUNDS 400

struct bench {
	struct cw_private_key *signer;
	struct cw_public_key signer_public;
	struct cw_private_key *own;
	struct cw_public_key peer;
	enum cw_key_type agreement;
	struct cw_buf signature;
	struct cw_bytes message;
};

static double
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
must(enum cw_err err)
{
	if (err != CW_OK) {
		fprintf(stderr, "floor: %s\n", cw_err_what(err));
		abort();
	}
}

static void
sign(struct bench *b)
{
	cw_buf_reset(&b->signature);
	must(cw_sign(b->signer, b->message, &b->signature));
}

static void
verify(struct bench *b)
{
	must(cw_verify(&b->signer_public, b->message,
	    cw_buf_bytes(&b->signature)));
}

static void
generate(struct bench *b)
{
	cw_key_free(&b->own);
	must(cw_key_generate(b->agreement, &b->own));
}

static void
agree(struct bench *b)
{
	uint8_t z[32];

	must(cw_agree(b->own, &b->peer, z));
}

static const struct {
	const char *name;
	void (*run)(struct bench *b);
} operations[CW_FLOOR_ROWS] = {
	{ "sign: session request", sign },
	{ "sign: certificate", sign },
	{ "generate: issuer ephemeral", generate },
	{ "agree: session keys", agree },
	{ "verify: grant", verify },
	{ "verify: attestation leaf", verify },
	{ "verify: token statement", verify },
	{ "verify: key statement", verify },
	{ "verify: result statement", verify },
};

double
cw_floor_measure(unsigned suite, struct cw_floor_row rows[CW_FLOOR_ROWS])
{
	static const uint8_t message[300];
	struct bench b = { .message = { message, sizeof(message) } };
	struct cw_private_key *peer = NULL;
	double sum = 0;

	b.agreement = cw_suite_find(suite)->agreement;
	cw_buf_init(&b.signature, CW_SIGNATURE_MAX);
	must(cw_key_generate(CW_KEY_P256, &b.signer));
	cw_key_public(b.signer, &b.signer_public);
	must(cw_key_generate(b.agreement, &peer));
	cw_key_public(peer, &b.peer);
	cw_key_free(&peer);
	for (size_t i = 0; i < CW_FLOOR_ROWS; i++) {
		double start;

		operations[i].run(&b); /* warm */
		start = cpu_us();
		for (int n = 0; n < ROUNDS; n++)
			operations[i].run(&b);
		rows[i].name = operations[i].name;
		rows[i].us = (cpu_us() - start) / ROUNDS;
		sum += rows[i].us;
	}
	cw_key_free(&b.own);
	cw_key_free(&b.signer);
	cw_buf_wipe(&b.signature);
	return sum;
}
