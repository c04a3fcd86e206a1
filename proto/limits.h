/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures that both ends share (docs/protocol.md "Limits"), and the names that
 * stand in signed objects. Checked before work is done.
 */
#ifndef CW_PROTO_LIMITS_H
#define CW_PROTO_LIMITS_H

#define CW_VERSION 1
#define CW_BODY_MAX 65536    /* HTTP body */
#define CW_COMMAND_MAX 32768 /* command or reply, encrypted */
#define CW_KEYS_MAX 32       /* keys a session */
#define CW_COMMANDS_MAX 256  /* commands a session */
#define CW_TEXT_MAX 200      /* session.cddl text, bytes */
#define CW_URI_MAX 512
#define CW_NONCE_BYTES 16
#define CW_SESSION_ID_BYTES 16
#define CW_GRANT_ID_BYTES 16
#define CW_GRANT_MAX 4096   /* bytes of a grant */
#define CW_REQUEST_MAX 8192 /* bytes of R */
#define CW_LIFETIME_MAX_S 31622400
#define CW_APPROVAL_MAX 512 /* bytes of an approval */
#define CW_OPERATORS_MAX 16 /* who may approve, and approvals of one key */
#define CW_CLOCK_SKEW_S 60  /* between the clocks of one issuer */
#define CW_BATCH_MAX (CW_BODY_MAX)

#define CW_MEDIA_TYPE "application/cardwright+cbor"
#define CW_PROBLEM_TYPE "application/concise-problem-details+cbor"

#define CW_TYP_GRANT "application/cardwright-grant+cose"
#define CW_TYP_REQUEST "application/cardwright-request+cose"
#define CW_TYP_ENDORSEMENT "application/cardwright-endorsement+cose"
#define CW_TYP_TOKEN "application/cardwright-token+cose"
#define CW_TYP_KEY "application/cardwright-key+cose"
#define CW_TYP_RESULT "application/cardwright-result+cose"
#define CW_TYP_OFFLINE "application/cardwright-offline+cose"
#define CW_TYP_APPROVAL "application/cardwright-approval+cose"

/* The provisioning application (docs/protocol.md "APDU binding"). */
#define CW_AID       \
	"\xF0"       \
	"CARDWRIGHT" \
	"\x01"
#define CW_AID_BYTES 12

enum cw_mode {
	CW_MODE_IDENTIFIED = 1,
	CW_MODE_PSEUDONYMOUS = 2,
	CW_MODE_ANONYMOUS = 3,
};

enum cw_action {
	CW_ACTION_ENROLL = 1,
	CW_ACTION_RENEW = 2,
	CW_ACTION_MANAGE = 3,
	CW_ACTION_UNLOCK = 4,
};

#endif
