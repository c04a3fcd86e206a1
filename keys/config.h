/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file: INI, read once by the parent before it forks, and
 * borrowed by web and signer. The one file that uses libinih is config.c.
 *
 *   [issuer]  name url listen plain forwarded_header state tls_certificate
 *             tls_key tls_root session_minutes invitation_hours
 *             open_sessions_max threads user one_user
 *             holder_listen holder_url
 *   [signer]  management_key management_chain ca_key ca_chain authority
 *             operators endorsements vendor_roots log tag_key passphrase_fd user
 *   [admin]   authority_key
 *   [model "NAME"]    withdrawn
 *   [profile "NAME"]  key_type slot usage modes suites lifetime_days
 *             key_usage extended_key_usage policies subject_suffix uses_max pin
 *             approvals session_minutes
 *
 * Relative paths are relative to the file's folder. An unknown section or name,
 * a name or section that stands twice, a value out of its range and a missing
 * name are errors with file and line, never ignored. docs/operations.md says
 * what each name means.
 */
#ifndef CW_KEYS_CONFIG_H
#define CW_KEYS_CONFIG_H

#include "proto/intent.h"
#include "proto/statement.h"

#define CW_PATH_MAX 1024
#define CW_PROFILES_MAX 32
#define CW_MODELS_MAX 64

/* A certificate profile: what may be issued, and what the card is told. */
struct cw_profile {
	char name[64];
	enum cw_key_type key_type;
	uint8_t slot;    /* PIV key reference, or 0 */
	unsigned usage;  /* CW_USAGE_ bits for CREATE_KEY */
	unsigned modes;  /* bit 1 << mode for every mode allowed */
	unsigned suites; /* bit 1 << suite, likewise */
	unsigned lifetime_days;
	char key_usage[128]; /* OpenSSL's names, "critical,digitalSignature" */
	char extended_key_usage[128];
	char policies[128]; /* certificate policies, dotted OIDs; may be "" */
	char
	    subject_suffix[128]; /* every subject must end with it; may be "" */
	unsigned uses_max;       /* most uses of one grant */
	bool pin;                /* the key must need a PIN (the default) */
	unsigned approvals; /* operators who must approve each key, at least */
	unsigned
	    session_minutes; /* lifetime of its sessions; 0: the issuer's */
};

struct cw_model {
	char name[CW_TEXT_MAX + 1];
	bool withdrawn;
};

struct cw_config {
	/* [issuer] */
	char name[CW_TEXT_MAX + 1];
	char url[CW_URI_MAX];    /* origin, no path: https://host[:port] */
	char listen[128];        /* address:port, port 0 picks one; unix:path */
	int listen_fd;           /* bound; by cw_listen_reserve, else -1 */
	char holder_listen[128]; /* likewise, where certificates are asked for;
				  * "": nowhere */
	int holder_listen_fd;
	char holder_url[CW_URI_MAX];       /* its origin */
	char forwarded_header[64];         /* of a trusted proxy; may be "" */
	char state[CW_PATH_MAX];           /* folder of the store */
	char tls_certificate[CW_PATH_MAX]; /* PEM chain; "" with plain = yes */
	char tls_key[CW_PATH_MAX];
	char tls_root[CW_PATH_MAX]; /* for clients of this machine; may be "" */
	bool plain;                 /* no TLS: only on loopback, or unix: */
	char issuer_user[64]; /* whom the web process becomes; may be "" */
	bool one_user;        /* web and signer may be one user (development) */
	unsigned
	    session_minutes; /* lifetime of a session; the signer's limit */
	unsigned invitation_hours; /* lifetime of an invitation, unless given */
	unsigned open_sessions_max;
	unsigned threads; /* of the web process; connections at once */
	/* [signer] */
	char management_key[CW_PATH_MAX], management_chain[CW_PATH_MAX];
	char ca_key[CW_PATH_MAX], ca_chain[CW_PATH_MAX];
	char authority[CW_PATH_MAX];    /* PEM chain of the grant authority */
	char operators[CW_PATH_MAX];    /* PEM, who may approve; may be "" */
	char endorsements[CW_PATH_MAX]; /* of the management key, oldest first,
					 * one behind the other; may be "" */
	char vendor_roots[CW_PATH_MAX]; /* PEM */
	char log[CW_PATH_MAX];          /* the signer's own log */
	char tag_key[CW_PATH_MAX];      /* 32 bytes, mode 0600 */
	int passphrase_fd;              /* -1: the keys are not encrypted */
	char signer_user[64];           /* whom the signer becomes; may be "" */
	/* [admin]: never read by web or signer */
	char authority_key[CW_PATH_MAX]; /* signs grants; may be "" */
	size_t n_models, n_profiles;
	struct cw_model models[CW_MODELS_MAX];
	struct cw_profile profiles[CW_PROFILES_MAX];
};

/* Errors: NO_FILE, BAD_CONFIG with `message` (at least 256 bytes) naming file,
 * line and what is wrong there. */
enum cw_err cw_config_load(const char *path, struct cw_config *out,
    char *message, size_t message_size) __attribute__((warn_unused_result));

/* NULL if there is none of this name. */
const struct cw_profile *cw_config_profile(const struct cw_config *config,
    struct cw_bytes name);
/* Lifetime of a session of this profile, and the longest of any, in seconds. */
uint64_t cw_config_session_s(const struct cw_config *config,
    const struct cw_profile *profile);
uint64_t cw_config_session_max_s(const struct cw_config *config);
const struct cw_model *cw_config_model(const struct cw_config *config,
    struct cw_bytes name);

#endif
