/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets from a web process that somebody else controls: the decoder, what it
 * accepts encoded again, and the whole handler with real keys behind it, whose
 * log is never written. FUZZ: -max_len=16384
 */
#include <stdlib.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "tests/support/keys_desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cw_keys_desk desk;

static void
clean_up(void)
{
	cw_keys_desk_close(&desk);
}

static void
open_desk(void)
{
	if (!cw_secret_process_init())
		abort();
	cw_log_set_level(CW_LOG_ERROR);
	cw_keys_desk_open(&desk);
	atexit(clean_up);
}

/* Deterministic encoding: what is accepted has one form. */
static void
check_form(struct cw_bytes packet)
{
	static struct cw_signer_request q;
	struct cw_buf again;

	if (cw_signer_request_decode(packet, &q) != CW_OK)
		return;
	cw_buf_init(&again, CW_SIGNER_PACKET_MAX);
	cw_signer_request_encode(&q, &again);
	/* A scope may hold keys below zero, which are passed over. */
	if (again.err != CW_OK ||
	    (q.op != CW_SIGNER_SIGN &&
		!cw_bytes_equal(cw_buf_bytes(&again), packet)) ||
	    cw_signer_request_decode(cw_buf_bytes(&again), &q) != CW_OK)
		abort();
	cw_buf_wipe(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_bytes packet = cw_bytes(data, size);

	if (desk.packet.max == 0)
		open_desk();
	check_form(packet);
	(void)!cw_signer_handle(&desk.state, packet, &desk.answer);
	/* Nothing can be certified here: nobody has the keys. */
	if (desk.state.log.pending.len != 0)
		abort();
	return 0;
}
