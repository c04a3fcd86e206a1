/* SPDX-License-Identifier: Apache-2.0 */
/* Command and response APDUs (ISO 7816-4 5.1), short and extended. */
#ifndef CW_PROTO_APDU_H
#define CW_PROTO_APDU_H

#include "proto/base/buf.h"

#define CW_APDU_MAX 65544     /* header, extended Lc, data, extended Le */
#define CW_RESPONSE_MAX 65538 /* data and status word */
#define CW_LE_NONE 0          /* no response data is expected */
#define CW_LE_SHORT 256
#define CW_LE_EXTENDED 65536

struct cw_apdu {
	uint8_t cla, ins, p1, p2;
	struct cw_bytes data; /* borrowed; at most 65,535 bytes */
	uint32_t le;          /* 0 none, 1..65,536 otherwise */
	bool extended;        /* Lc and Le are (to be) written extended */
};

/* Reads one; the data borrows from `in`. Errors: TRUNCATED, MALFORMED. */
enum cw_err cw_apdu_decode(struct cw_bytes in, struct cw_apdu *out)
    __attribute__((warn_unused_result));

/* Writes one. Errors in out->err: OUT_OF_RANGE when a short APDU cannot. */
void cw_apdu_encode(const struct cw_apdu *apdu, struct cw_buf *out);

/* Status words (ISO 7816-4 5.6; docs/protocol.md "APDU binding"). */
enum cw_sw {
	CW_SW_OK = 0x9000,
	CW_SW_MORE = 0x6100,       /* low byte: bytes that wait */
	CW_SW_WRONG_LE = 0x6C00,   /* low byte: the right Le */
	CW_SW_TRIES_LEFT = 0x63C0, /* low nibble: tries left */
	CW_SW_STORAGE = 0x6581,    /* the state could not be written */
	CW_SW_WRONG_LENGTH = 0x6700,
	CW_SW_LAST_EXPECTED = 0x6883, /* a chain was broken off */
	CW_SW_SM_UNSUPPORTED = 0x6882,
	CW_SW_SECURITY = 0x6982, /* PIN first */
	CW_SW_BLOCKED = 0x6983,
	CW_SW_NO_SESSION = 0x6985, /* conditions of use: no such session */
	CW_SW_BAD_DATA = 0x6A80,
	CW_SW_FUNCTION = 0x6A81,
	CW_SW_NOT_FOUND = 0x6A82,
	CW_SW_FULL = 0x6A84,
	CW_SW_WRONG_P1P2 = 0x6A86,
	CW_SW_PIN_NEEDED = 0x6A88,    /* the PIN (reference data) is not set */
	CW_SW_BAD_SIGNATURE = 0x6988, /* R or a command is not genuine */
	CW_SW_WRONG_INS = 0x6D00,
	CW_SW_WRONG_CLA = 0x6E00,
	CW_SW_INTERNAL = 0x6F00,
};

/* Instructions of the provisioning application. CLA 80 except where noted. */
enum cw_ins {
	CW_INS_SELECT = 0xA4,       /* CLA 00 */
	CW_INS_VERIFY = 0x20,       /* CLA 00, P2 80: PIN padded with FF to 8 */
	CW_INS_CHANGE_PIN = 0x24,   /* CLA 00, P2 80 or 81: old, new */
	CW_INS_RESET_RETRY = 0x2C,  /* CLA 00, P2 80: PUK, new PIN */
	CW_INS_GET_RESPONSE = 0xC0, /* CLA 00 */
	CW_INS_GET_CAPABILITIES = 0x10,
	CW_INS_OPEN_SESSION = 0x12, /* data: R; answer: message 4 */
	CW_INS_COMMAND = 0x14,  /* data: session id, command; answer: reply */
	CW_INS_PIN_INFO = 0x16, /* no data: what is needed, else holder's */
	CW_INS_SET_PIN = 0x18,  /* data: set-pin */
	CW_INS_STATUS = 0x1A,   /* data: status-query */
	CW_INS_ABORT = 0x1C,    /* data: session id */
	CW_INS_LIST_PUBLIC = 0x1E,
	CW_INS_ATTEST_OFFLINE = 0x22,
	/* The holder's keys (proto/held_key.h). */
	CW_INS_READ_KEY = 0x30,
	CW_INS_USE_KEY = 0x32,
	CW_INS_READ_EXTENSION = 0x34,
	CW_INS_WRITE_PROPERTY = 0x36,
	CW_INS_EXPORT_KEY = 0x38,
	CW_INS_CHANGE_KEY_PIN = 0x3A,
	CW_INS_UNBLOCK_KEY = 0x3C,
	CW_INS_DELETE = 0xE4,
	CW_INS_RESET_CARD = 0xEE,
	CW_INS_PERSONALISE = 0xF0, /* data: personalisation */
};

#endif
