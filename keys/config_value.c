/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration's names as tables, and one parser per kind of value. */
#include "keys/config_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/card_link.h"
#include "proto/suite.h"
#include "proto/text.h"

struct word {
	const char *text;
	unsigned bit;
};

static const struct word usage_words[] = {
	{ "sign", CW_USAGE_SIGN },
	{ "decrypt", CW_USAGE_DECRYPT },
	{ "agree", CW_USAGE_AGREE },
	{ "authenticate", CW_USAGE_AUTHENTICATE },
	{ NULL, 0 },
};

static const struct word mode_words[] = {
	{ "identified", 1u << CW_MODE_IDENTIFIED },
	{ "pseudonymous", 1u << CW_MODE_PSEUDONYMOUS },
	{ "anonymous", 1u << CW_MODE_ANONYMOUS },
	{ NULL, 0 },
};

static const struct word suite_words[] = {
	{ "1", 1u << 1 },
	{ "2", 1u << 2 },
	{ NULL, 0 },
};

static const char *
parse_string(const struct cw_config_name *self, void *at, const char *value,
    const char *folder)
{
	(void)folder;
	if (strlen(value) >= self->size)
		return "the value is too long";
	memcpy(at, value, strlen(value) + 1);
	return NULL;
}

static const char *
parse_text(const struct cw_config_name *self, void *at, const char *value,
    const char *folder)
{
	if (value[0] == '\0')
		return "the value is empty";
	if (!cw_text_is_displayable(cw_bytes_str(value)))
		return "the text has characters that are not allowed";
	return parse_string(self, at, value, folder);
}

static const char *
parse_path(const struct cw_config_name *self, void *at, const char *value,
    const char *folder)
{
	int n;

	if (value[0] == '\0')
		return "the path is empty";
	n = snprintf(at, self->size, "%s%s%s", value[0] == '/' ? "" : folder,
	    value[0] == '/' ? "" : "/", value);
	return n < 0 || (size_t)n >= self->size ? "the path is too long" : NULL;
}

/* An origin and nothing else, so that it can be compared as text. */
static const char *
parse_url(const struct cw_config_name *self, void *at, const char *value,
    const char *folder)
{
	struct cw_bytes origin;

	if (!cw_url_origin(cw_bytes_str(value), &origin) ||
	    origin.len != strlen(value))
		return "the URL must be https://host or https://host:port";
	return parse_string(self, at, value, folder);
}

static const char *
parse_number(const struct cw_config_name *self, void *at, const char *value,
    const char *folder)
{
	char *end;
	unsigned long n;

	(void)folder;
	errno = 0;
	n = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0)
		return "the value must be a whole number";
	if (n < self->min || n > self->max)
		return "the number is outside its range";
	*(unsigned *)at = (unsigned)n;
	return NULL;
}

static const char *
parse_fd(const struct cw_config_name *self, void *at, const char *value,
    const char *folder)
{
	unsigned n;
	const char *why = parse_number(self, &n, value, folder);

	if (why == NULL)
		*(int *)at = (int)n;
	return why;
}

static const char *
parse_bool(const struct cw_config_name *self, void *at, const char *value,
    const char *folder)
{
	bool yes = strcmp(value, "yes") == 0;

	(void)self;
	(void)folder;
	if (!yes && strcmp(value, "no") != 0)
		return "the value must be yes or no";
	*(bool *)at = yes;
	return NULL;
}

static const char *
parse_key_type(const struct cw_config_name *self, void *at, const char *value,
    const char *folder)
{
	(void)self;
	(void)folder;
	for (unsigned t = CW_KEY_P256; t <= CW_KEY_X25519; t++) {
		const struct cw_key_type_info *info = cw_key_type_info(t);

		if (info != NULL && strcmp(info->name, value) == 0) {
			*(enum cw_key_type *)at = info->type;
			return NULL;
		}
	}
	return "the key type must be P-256, P-384, RSA-2048, RSA-3072, Ed25519 "
	       "or X25519";
}

static const char *
parse_slot(const struct cw_config_name *self, void *at, const char *value,
    const char *folder)
{
	char *end;
	unsigned long n;

	(void)self;
	(void)folder;
	*(uint8_t *)at = 0;
	if (strcmp(value, "none") == 0)
		return NULL;
	n = strtoul(value, &end, 16);
	if (strlen(value) != 2 || *end != '\0' || !cw_slot_is_valid(n))
		return "the slot must be none, 9A, 9C, 9D, 9E or 82 to 95";
	*(uint8_t *)at = (uint8_t)n;
	return NULL;
}

static unsigned
word_bit(const struct word *words, const char *text, size_t len)
{
	for (; words->text != NULL; words++)
		if (strlen(words->text) == len &&
		    memcmp(words->text, text, len) == 0)
			return words->bit;
	return 0;
}

/* Words between commas, with or without spaces, each at most once. */
static bool
parse_words(const struct word *words, unsigned *bits, const char *value)
{
	*bits = 0;
	for (;;) {
		size_t len;
		unsigned bit;

		value += strspn(value, " ");
		len = strcspn(value, ", ");
		bit = word_bit(words, value, len);
		if (bit == 0 || (*bits & bit) != 0)
			return false;
		*bits |= bit;
		value += len;
		value += strspn(value, " ");
		if (*value == '\0')
			return true;
		if (*value++ != ',')
			return false;
	}
}

static const char *
parse_usage(const struct cw_config_name *self, void *at, const char *value,
    const char *folder)
{
	(void)self;
	(void)folder;
	return parse_words(usage_words, at, value) ?
	    NULL :
	    "the usage must be some of sign, decrypt, agree, authenticate";
}

static const char *
parse_modes(const struct cw_config_name *self, void *at, const char *value,
    const char *folder)
{
	(void)self;
	(void)folder;
	return parse_words(mode_words, at, value) ?
	    NULL :
	    "the modes must be some of identified, pseudonymous, anonymous";
}

static const char *
parse_suites(const struct cw_config_name *self, void *at, const char *value,
    const char *folder)
{
	(void)self;
	(void)folder;
	return parse_words(suite_words, at, value) ?
	    NULL :
	    "the suites must be some of 1, 2";
}

#define AT(type, field) \
	offsetof(struct type, field), sizeof(((struct type *)NULL)->field)
#define ISSUER(field) AT(cw_config, field)
#define PROFILE(field) AT(cw_profile, field)

static const struct cw_config_name issuer_names[] = {
	{ "name", parse_text, ISSUER(name), 0, 0, true },
	{ "url", parse_url, ISSUER(url), 0, 0, true },
	{ "listen", parse_text, ISSUER(listen), 0, 0, true },
	{ "holder_listen", parse_text, ISSUER(holder_listen), 0, 0, false },
	{ "holder_url", parse_url, ISSUER(holder_url), 0, 0, false },
	{ "plain", parse_bool, ISSUER(plain), 0, 0, false },
	{ "forwarded_header", parse_text, ISSUER(forwarded_header), 0, 0,
	    false },
	{ "state", parse_path, ISSUER(state), 0, 0, true },
	{ "tls_certificate", parse_path, ISSUER(tls_certificate), 0, 0, false },
	{ "tls_key", parse_path, ISSUER(tls_key), 0, 0, false },
	{ "tls_root", parse_path, ISSUER(tls_root), 0, 0, false },
	{ "session_minutes", parse_number, ISSUER(session_minutes), 1, 44640,
	    false },
	{ "invitation_hours", parse_number, ISSUER(invitation_hours), 1, 8784,
	    false },
	{ "open_sessions_max", parse_number, ISSUER(open_sessions_max), 1,
	    1000000, false },
	{ "threads", parse_number, ISSUER(threads), 1, 1024, false },
	{ "user", parse_text, ISSUER(issuer_user), 0, 0, false },
	{ "one_user", parse_bool, ISSUER(one_user), 0, 0, false },
	{ NULL, NULL, 0, 0, 0, 0, false },
};

static const struct cw_config_name signer_names[] = {
	{ "management_key", parse_path, ISSUER(management_key), 0, 0, true },
	{ "management_chain", parse_path, ISSUER(management_chain), 0, 0,
	    true },
	{ "ca_key", parse_path, ISSUER(ca_key), 0, 0, true },
	{ "ca_chain", parse_path, ISSUER(ca_chain), 0, 0, true },
	{ "authority", parse_path, ISSUER(authority), 0, 0, true },
	{ "operators", parse_path, ISSUER(operators), 0, 0, false },
	{ "endorsements", parse_path, ISSUER(endorsements), 0, 0, false },
	{ "vendor_roots", parse_path, ISSUER(vendor_roots), 0, 0, true },
	{ "log", parse_path, ISSUER(log), 0, 0, true },
	{ "tag_key", parse_path, ISSUER(tag_key), 0, 0, true },
	{ "passphrase_fd", parse_fd, ISSUER(passphrase_fd), 0, 1023, false },
	{ "user", parse_text, ISSUER(signer_user), 0, 0, false },
	{ NULL, NULL, 0, 0, 0, 0, false },
};

static const struct cw_config_name admin_names[] = {
	{ "authority_key", parse_path, ISSUER(authority_key), 0, 0, true },
	{ NULL, NULL, 0, 0, 0, 0, false },
};

static const struct cw_config_name model_names[] = {
	{ "withdrawn", parse_bool, AT(cw_model, withdrawn), 0, 0, false },
	{ NULL, NULL, 0, 0, 0, 0, false },
};

static const struct cw_config_name profile_names[] = {
	{ "key_type", parse_key_type, PROFILE(key_type), 0, 0, true },
	{ "slot", parse_slot, PROFILE(slot), 0, 0, true },
	{ "usage", parse_usage, PROFILE(usage), 0, 0, true },
	{ "modes", parse_modes, PROFILE(modes), 0, 0, true },
	{ "suites", parse_suites, PROFILE(suites), 0, 0, true },
	{ "lifetime_days", parse_number, PROFILE(lifetime_days), 1, 3660,
	    true },
	{ "key_usage", parse_text, PROFILE(key_usage), 0, 0, true },
	{ "extended_key_usage", parse_text, PROFILE(extended_key_usage), 0, 0,
	    false },
	{ "policies", parse_text, PROFILE(policies), 0, 0, false },
	{ "subject_suffix", parse_text, PROFILE(subject_suffix), 0, 0, false },
	{ "uses_max", parse_number, PROFILE(uses_max), 1, 1000, false },
	{ "pin", parse_bool, PROFILE(pin), 0, 0, false },
	{ "approvals", parse_number, PROFILE(approvals), 0, 9, false },
	{ "session_minutes", parse_number, PROFILE(session_minutes), 1, 132480,
	    false },
	{ NULL, NULL, 0, 0, 0, 0, false },
};

const struct cw_config_section cw_config_sections[] = {
	{ "issuer", false, issuer_names },
	{ "signer", false, signer_names },
	{ "admin", false, admin_names },
	{ "model", true, model_names },
	{ "profile", true, profile_names },
};
const size_t cw_config_sections_n =
    sizeof(cw_config_sections) / sizeof(cw_config_sections[0]);
