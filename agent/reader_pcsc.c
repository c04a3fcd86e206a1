/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers over PC/SC: the only file that includes pcsc-lite. Two contexts,
 * since a context that waits would hold up one that transmits.
 */
#include "agent/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <reader.h>
#include <winscard.h>

#include "agent/patient.h"
#include "proto/apdu.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"

#define SERVICE_SOCKET "/run/pcscd/pcscd.comm" /* as libpcsclite has it */
#define PNP "\\\\?PnP?\\Notification"
#define NAMES_MAX (CW_READERS_MAX * (CW_READER_NAME_MAX + 1) + 1)

struct pcsc {
	struct cw_reader base;
	SCARDCONTEXT context, waiting;
	bool has_context, has_waiting, has_card;
	char name[CW_READER_NAME_MAX + 1];
	LONG result;
	SCARDHANDLE card;
	DWORD protocol;
	size_t n_seen; /* what `wait` compares with */
	char seen_name[CW_READERS_MAX][CW_READER_NAME_MAX + 1];
	DWORD seen_state[CW_READERS_MAX];
	uint8_t answer[CW_RESPONSE_MAX];
};

struct meaning {
	LONG code;
	enum cw_err err;
};

/* pcsclite.h; SECURITY_VIOLATION is what a polkit refusal looks like. */
static const struct meaning meanings[] = {
	{ SCARD_S_SUCCESS, CW_OK },
	{ SCARD_E_NO_SERVICE, CW_ERR_NO_PCSC },
	{ SCARD_E_SERVICE_STOPPED, CW_ERR_NO_PCSC },
	{ SCARD_F_COMM_ERROR, CW_ERR_NO_PCSC },
	{ SCARD_E_INVALID_HANDLE, CW_ERR_NO_PCSC },
	{ SCARD_W_SECURITY_VIOLATION, CW_ERR_PCSC_FORBIDDEN },
	{ SCARD_E_NO_READERS_AVAILABLE, CW_ERR_NO_READER },
	{ SCARD_E_UNKNOWN_READER, CW_ERR_NO_READER },
	{ SCARD_E_READER_UNAVAILABLE, CW_ERR_NO_READER },
	{ SCARD_E_NO_SMARTCARD, CW_ERR_NO_CARD },
	{ SCARD_E_SHARING_VIOLATION, CW_ERR_CARD_BUSY },
	{ SCARD_W_UNRESPONSIVE_CARD, CW_ERR_WRONG_CARD },
	{ SCARD_W_UNSUPPORTED_CARD, CW_ERR_WRONG_CARD },
	{ SCARD_E_PROTO_MISMATCH, CW_ERR_WRONG_CARD },
	{ SCARD_W_UNPOWERED_CARD, CW_ERR_CARD_REMOVED },
	{ SCARD_W_REMOVED_CARD, CW_ERR_CARD_REMOVED },
	{ SCARD_W_RESET_CARD, CW_ERR_CARD_REMOVED },
	{ SCARD_E_NOT_TRANSACTED, CW_ERR_CARD_REMOVED },
	{ SCARD_E_COMM_DATA_LOST, CW_ERR_CARD_REMOVED },
	{ SCARD_E_NO_MEMORY, CW_ERR_NO_MEMORY },
	{ SCARD_E_TIMEOUT, CW_ERR_PERSON_TIMEOUT },
};

static enum cw_err
meaning(LONG code, const char *call)
{
	enum cw_err err = CW_ERR_CARD_REMOVED;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].code == code)
			err = meanings[i].err;
	if (err != CW_OK && err != CW_ERR_PERSON_TIMEOUT)
		cw_log(CW_LOG_INFO, "pcsc.failed", "call=%s code=%08lx name=%s",
		    call, (unsigned long)code & 0xffffffffUL, cw_err_name(err));
	return err;
}

/*
 * A service that turns a user away closes the connection, before or after it
 * has heard the first word; the library has a code for one of the two only.
 * So: whoever can be reached and yet does not serve, forbids.
 */
static bool
is_reachable(void)
{
	const char *path = secure_getenv("PCSCLITE_CSOCK_NAME");
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s",
	    path != NULL ? path : SERVICE_SOCKET);
	is = fd >= 0 &&
	    (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 ||
		errno == EACCES);
	if (fd >= 0)
		close(fd);
	return is;
}

static LONG
establish_once(SCARDCONTEXT *context)
{
	LONG r = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, context);

	/* A daemon that is not there shows in several ways. */
	return r == SCARD_F_COMM_ERROR || r == SCARD_F_INTERNAL_ERROR ?
	    SCARD_E_NO_SERVICE :
	    r;
}

static enum cw_err
establish(SCARDCONTEXT *context, bool *has)
{
	LONG r;

	if (*has && SCardIsValidContext(*context) == SCARD_S_SUCCESS)
		return CW_OK;
	*has = false;
	r = establish_once(context);
	/* It may have been started in between: only twice is a refusal. */
	if (r == SCARD_E_NO_SERVICE && is_reachable())
		r = establish_once(context);
	if (r == SCARD_E_NO_SERVICE && is_reachable())
		r = SCARD_W_SECURITY_VIOLATION;
	*has = r == SCARD_S_SUCCESS;
	return meaning(r, "SCardEstablishContext");
}

/* The service has gone: a context of the old one is of no use with a new one,
 * and SCardIsValidContext, which asks nobody, does not say so. */
static enum cw_err
forget_if_gone(struct pcsc *p, enum cw_err err)
{
	if (err != CW_ERR_NO_PCSC || p->base.is_stuck)
		return err;
	if (p->has_context)
		SCardReleaseContext(p->context);
	if (p->has_waiting)
		SCardReleaseContext(p->waiting);
	p->has_context = p->has_waiting = p->has_card = false;
	return err;
}

static enum cw_err
list_names(SCARDCONTEXT context,
    char names[CW_READERS_MAX][CW_READER_NAME_MAX + 1], size_t *n)
{
	char all[NAMES_MAX] = { 0 };
	DWORD len = sizeof(all) - 1;
	LONG r = SCardListReaders(context, NULL, all, &len);

	*n = 0;
	if (r == SCARD_E_NO_READERS_AVAILABLE)
		return CW_OK;
	if (r != SCARD_S_SUCCESS)
		return meaning(r, "SCardListReaders");
	for (const char *at = all; *at != '\0' && *n < CW_READERS_MAX;
	     at += strlen(at) + 1) {
		size_t size = strlen(at);

		if (size > CW_READER_NAME_MAX)
			continue;
		memcpy(names[(*n)++], at, size + 1);
	}
	return CW_OK;
}

/* States of all readers now, or when one changes. PnP stands behind them. */
static LONG
get_states(struct pcsc *p, SCARDCONTEXT context, DWORD timeout_ms,
    SCARD_READERSTATE states[CW_READERS_MAX + 1], bool with_pnp)
{
	DWORD n = (DWORD)p->n_seen;

	memset(states, 0, (CW_READERS_MAX + 1) * sizeof(states[0]));
	for (DWORD i = 0; i < n; i++) {
		states[i].szReader = p->seen_name[i];
		states[i].dwCurrentState = p->seen_state[i];
	}
	if (with_pnp)
		states[n++].szReader = PNP;
	return SCardGetStatusChange(context, timeout_ms, states, n);
}

static void
describe(struct cw_reader_info *info, const SCARD_READERSTATE *state)
{
	size_t len = state->cbAtr < CW_ATR_MAX ? state->cbAtr : CW_ATR_MAX;

	memset(info, 0, sizeof(*info));
	memcpy(info->name, state->szReader, strlen(state->szReader) + 1);
	info->has_card = (state->dwEventState & SCARD_STATE_PRESENT) != 0;
	info->is_mute = (state->dwEventState & SCARD_STATE_MUTE) != 0;
	info->is_exclusive = (state->dwEventState & SCARD_STATE_EXCLUSIVE) != 0;
	if (info->has_card) {
		memcpy(info->atr, state->rgbAtr, len);
		info->atr_len = len;
	}
}

static enum cw_err
pcsc_list(struct cw_reader *reader, struct cw_reader_info info[CW_READERS_MAX],
    size_t *n)
{
	struct pcsc *p = (struct pcsc *)reader;
	SCARD_READERSTATE states[CW_READERS_MAX + 1];
	enum cw_err err;
	LONG r;

	*n = 0;
	/* The call that has not come back has the context to itself. */
	if (reader->is_stuck)
		return CW_ERR_CARD_BUSY;
	err = establish(&p->context, &p->has_context);
	if (err == CW_OK)
		err = list_names(p->context, p->seen_name, &p->n_seen);
	if (err != CW_OK || p->n_seen == 0)
		return forget_if_gone(p, err);
	memset(p->seen_state, 0, sizeof(p->seen_state));
	r = get_states(p, p->context, 0, states, false);
	if (r != SCARD_S_SUCCESS && r != SCARD_E_TIMEOUT)
		return forget_if_gone(p, meaning(r, "SCardGetStatusChange"));
	for (size_t i = 0; i < p->n_seen; i++) {
		describe(&info[i], &states[i]);
		/* The upper half counts events, so that none is missed. */
		p->seen_state[i] =
		    states[i].dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
	}
	*n = p->n_seen;
	return CW_OK;
}

static enum cw_err
pcsc_wait(struct cw_reader *reader, unsigned timeout_ms)
{
	struct pcsc *p = (struct pcsc *)reader;
	SCARD_READERSTATE states[CW_READERS_MAX + 1];
	enum cw_err err = establish(&p->waiting, &p->has_waiting);

	if (err != CW_OK)
		return err;
	return forget_if_gone(p,
	    meaning(get_states(p, p->waiting, timeout_ms, states, true),
		"SCardGetStatusChange"));
}

/*
 * The longest command that the reader takes (PC/SC part 10, 2.6.14): few
 * drivers say it, and what is not said counts as not known.
 */
static size_t
max_apdu(SCARDHANDLE card)
{
	uint8_t features[256];
	uint8_t tlv[256];
	DWORD n = 0;
	DWORD len = 0;
	uint32_t control = 0;

	if (SCardControl(card, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, features,
		sizeof(features), &n) != SCARD_S_SUCCESS)
		return 0;
	for (DWORD i = 0; i + 6 <= n; i += 6)
		if (features[i] == FEATURE_GET_TLV_PROPERTIES)
			control = (uint32_t)features[i + 2] << 24 |
			    (uint32_t)features[i + 3] << 16 |
			    (uint32_t)features[i + 4] << 8 | features[i + 5];
	if (control == 0 ||
	    SCardControl(card, control, NULL, 0, tlv, sizeof(tlv), &len) !=
		SCARD_S_SUCCESS)
		return 0;
	for (DWORD i = 0; i + 2 <= len && i + 2 + tlv[i + 1] <= len;
	     i += 2 + (DWORD)tlv[i + 1]) /* little-endian values */
		if (tlv[i] == PCSCv2_PART10_PROPERTY_dwMaxAPDUDataSize &&
		    tlv[i + 1] == 4)
			return (size_t)tlv[i + 2] | (size_t)tlv[i + 3] << 8 |
			    (size_t)tlv[i + 4] << 16 | (size_t)tlv[i + 5] << 24;
	return 0;
}

/* A call that waits while another program holds a transaction. */
static enum cw_err
call_patiently(struct pcsc *p, void (*call)(void *p))
{
	enum cw_err err;

	if (p->base.is_stuck)
		return CW_ERR_CARD_BUSY;
	err = cw_patient_call(&p->base.patience, call, p);
	p->base.is_stuck = err == CW_ERR_REFUSED || err == CW_ERR_CARD_BUSY;
	return err;
}

static void
do_connect(void *arg)
{
	struct pcsc *p = arg;

	p->result = SCardConnect(p->context, p->name, SCARD_SHARE_SHARED,
	    SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &p->card, &p->protocol);
}

static enum cw_err
pcsc_connect(struct cw_reader *reader, const char *name)
{
	struct pcsc *p = (struct pcsc *)reader;
	enum cw_err err = p->base.is_stuck ?
	    CW_ERR_CARD_BUSY :
	    establish(&p->context, &p->has_context);
	DWORD len = CW_ATR_MAX;
	LONG r;

	if (err != CW_OK)
		return err;
	snprintf(p->name, sizeof(p->name), "%s", name);
	err = call_patiently(p, do_connect);
	if (err != CW_OK)
		return err;
	r = p->result;
	/* At connect time a card that is gone is simply not there. */
	if (r == SCARD_W_REMOVED_CARD || r == SCARD_W_UNPOWERED_CARD)
		r = SCARD_E_NO_SMARTCARD;
	if (r != SCARD_S_SUCCESS)
		return meaning(r, "SCardConnect");
	p->has_card = true;
	reader->atr_len = 0;
	if (SCardStatus(p->card, NULL, NULL, NULL, NULL, reader->atr, &len) ==
	    SCARD_S_SUCCESS)
		reader->atr_len = len;
	reader->max_apdu = max_apdu(p->card);
	reader->resets++;
	return CW_OK;
}

static enum cw_err
pcsc_transmit(struct cw_reader *reader, struct cw_bytes command,
    struct cw_buf *response)
{
	struct pcsc *p = (struct pcsc *)reader;
	const SCARD_IO_REQUEST *pci =
	    p->protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
	DWORD len = sizeof(p->answer);
	uint64_t start = cw_clock_monotonic_ms();
	LONG r;

	if (!p->has_card || command.len < 4)
		return CW_ERR_CARD_REMOVED;
	r = SCardTransmit(p->card, pci, command.ptr, command.len, NULL,
	    p->answer, &len);
	cw_log(CW_LOG_DEBUG, "apdu", "ins=%02x out=%zu in=%lu ms=%llu",
	    command.ptr[1], command.len, r == SCARD_S_SUCCESS ? len : 0UL,
	    (unsigned long long)(cw_clock_monotonic_ms() - start));
	if (r != SCARD_S_SUCCESS) {
		(void)meaning(r, "SCardTransmit");
		return CW_ERR_CARD_REMOVED;
	}
	/* Success without a status word: the card left the reader meanwhile. */
	if (len < 2)
		return CW_ERR_CARD_REMOVED;
	cw_buf_put(response, cw_bytes(p->answer, len));
	cw_wipe(p->answer, len);
	return response->err;
}

static void
do_begin(void *arg)
{
	struct pcsc *p = arg;
	LONG r = SCardBeginTransaction(p->card);

	for (int i = 0; i < 3 && r == SCARD_W_RESET_CARD; i++) {
		p->base.resets++;
		r = SCardReconnect(p->card, SCARD_SHARE_SHARED,
		    SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, SCARD_LEAVE_CARD,
		    &p->protocol);
		if (r == SCARD_S_SUCCESS)
			r = SCardBeginTransaction(p->card);
	}
	p->result = r;
}

static enum cw_err
pcsc_begin(struct cw_reader *reader)
{
	struct pcsc *p = (struct pcsc *)reader;
	enum cw_err err;

	if (!p->has_card)
		return CW_ERR_CARD_REMOVED;
	err = call_patiently(p, do_begin);
	if (err != CW_OK)
		return err;
	if (p->result == SCARD_E_NO_SMARTCARD ||
	    p->result == SCARD_E_READER_UNAVAILABLE)
		p->result = SCARD_W_REMOVED_CARD;
	return meaning(p->result, "SCardBeginTransaction");
}

static void
pcsc_end(struct cw_reader *reader, bool reset)
{
	struct pcsc *p = (struct pcsc *)reader;

	if (!p->has_card)
		return;
	if (reset)
		reader->resets++;
	SCardEndTransaction(p->card,
	    reset ? SCARD_RESET_CARD : SCARD_LEAVE_CARD);
}

static void
pcsc_disconnect(struct cw_reader *reader, bool reset)
{
	struct pcsc *p = (struct pcsc *)reader;

	if (!p->has_card || p->base.is_stuck)
		return;
	SCardDisconnect(p->card, reset ? SCARD_RESET_CARD : SCARD_LEAVE_CARD);
	p->has_card = false;
}

static void
pcsc_close(struct cw_reader *reader)
{
	struct pcsc *p = (struct pcsc *)reader;

	pcsc_disconnect(reader, false);
	if (p->has_waiting)
		SCardReleaseContext(p->waiting);
	if (p->base.is_stuck)
		return; /* the call that has not come back still uses it */
	if (p->has_context)
		SCardReleaseContext(p->context);
	cw_wipe(p->answer, sizeof(p->answer));
	free(p);
}

static const struct cw_reader_ops pcsc_ops = {
	.list = pcsc_list,
	.wait = pcsc_wait,
	.connect = pcsc_connect,
	.transmit = pcsc_transmit,
	.begin = pcsc_begin,
	.end = pcsc_end,
	.disconnect = pcsc_disconnect,
	.close = pcsc_close,
};

struct cw_reader *
cw_reader_pcsc_open(void)
{
	struct pcsc *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->base.ops = &pcsc_ops;
	return &p->base;
}

void
cw_reader_close(struct cw_reader **reader)
{
	if (*reader != NULL)
		(*reader)->ops->close(*reader);
	*reader = NULL;
}

const char *
cw_reader_pcsc_version(void)
{
	return PCSCLITE_VERSION_NUMBER;
}
