/* SPDX-License-Identifier: Apache-2.0 */
/* Words for keys. */
#include "agent/key_words.h"

#include <stdio.h>
#include <strings.h>

#include "agent/jsonl.h"
#include "proto/text.h"

#define LINE_MAX_BYTES 65536

/* The first name of a number is the one that is shown. */
static const struct {
	const char *name;
	int32_t number;
} algorithms[] = {
	{ "ESP256", CW_ALG_ESP256 },
	{ "ES256", CW_ALG_ESP256 },
	{ "ESP384", CW_ALG_ESP384 },
	{ "ES384", CW_ALG_ESP384 },
	{ "Ed25519", CW_ALG_ED25519 },
	{ "RS256", CW_ALG_RS256 },
	{ "RS384", CW_ALG_RS384 },
	{ "RS512", CW_ALG_RS512 },
	{ "PS256", CW_ALG_PS256 },
	{ "PS384", CW_ALG_PS384 },
	{ "PS512", CW_ALG_PS512 },
	{ "RSA-OAEP-256", CW_ALG_RSA_OAEP_SHA256 },
	{ "RSA-OAEP", CW_ALG_RSA_OAEP_SHA1 },
	{ "ECDH", CW_ALG_RAW_AGREEMENT },
	{ "X25519", CW_ALG_RAW_AGREEMENT },
	{ "HMAC 256/256", CW_ALG_HMAC_256 },
	{ "HS256", CW_ALG_HMAC_256 },
	{ "AES-CCM-16-128-256", CW_ALG_AES_CCM_16_128_256 },
	{ "AES-CCM", CW_ALG_AES_CCM_16_128_256 },
	{ "ChaCha20/Poly1305", CW_ALG_CHACHA20_POLY1305 },
	{ "ChaCha20-Poly1305", CW_ALG_CHACHA20_POLY1305 },
};

static const struct {
	unsigned bit;
	const char *word;
} usages[] = {
	{ CW_USAGE_SIGN, "sign" },
	{ CW_USAGE_DECRYPT, "decrypt" },
	{ CW_USAGE_AGREE, "agree" },
	{ CW_USAGE_AUTHENTICATE, "authenticate" },
	{ CW_USAGE_MAC, "mac" },
	{ CW_USAGE_ENCRYPT, "encrypt" },
	{ CW_USAGE_KEEP, "keep" },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *
cw_algorithm_name(int32_t algorithm)
{
	for (size_t i = 0; i < COUNT(algorithms); i++)
		if (algorithms[i].number == algorithm)
			return algorithms[i].name;
	return "unknown";
}

int32_t
cw_algorithm_number(const char *name)
{
	for (size_t i = 0; i < COUNT(algorithms); i++)
		if (strcasecmp(algorithms[i].name, name) == 0)
			return algorithms[i].number;
	return 0;
}

const char *
cw_key_word_type(enum cw_key_type type)
{
	const struct cw_key_type_info *info = cw_key_type_info(type);

	if (type == CW_KEY_SECRET)
		return "secret";
	return info != NULL ? info->name : "unknown";
}

const char *
cw_key_word_usage(unsigned bits, unsigned i)
{
	for (size_t at = 0; at < COUNT(usages); at++)
		if ((bits & usages[at].bit) != 0 && i-- == 0)
			return usages[at].word;
	return NULL;
}

/* The card's text was checked when it was read; a terminal gets nothing else. */
static void
put_text(struct cw_buf *out, struct cw_bytes text)
{
	if (text.len > 0 && cw_text_is_displayable(text))
		cw_buf_put(out, text);
	else
		cw_buf_put_str(out, "(no name)");
}

static void
put_pins(struct cw_buf *out, const struct cw_held_key *key)
{
	if (key->has_pin)
		cw_buf_printf(out, "       PIN%s, tries left: %u\n",
		    key->is_modifiable ? "" : " that cannot be changed",
		    key->pin_tries);
	if (key->has_puk)
		cw_buf_printf(out, "       PUK, tries left: %u\n",
		    key->puk_tries);
}

void
cw_key_show(const struct cw_held_key *key)
{
	const struct cw_attributes *a = &key->attributes;
	struct cw_buf out;
	const char *word;

	cw_buf_init(&out, LINE_MAX_BYTES);
	cw_buf_printf(&out, "%4u  ", key->handle);
	put_text(&out, a->name);
	cw_buf_printf(&out, "\n       %s", cw_key_word_type(a->type));
	if (a->slot != 0)
		cw_buf_printf(&out, " in PIV slot %02X", a->slot);
	for (unsigned i = 0; (word = cw_key_word_usage(a->usage, i)) != NULL;
	     i++)
		cw_buf_printf(&out, "%s %s", i == 0 ? ", to" : ",", word);
	for (size_t i = 0; i < a->n_algorithms; i++)
		cw_buf_printf(&out, "%s %s", i == 0 ? " by" : ",",
		    cw_algorithm_name(a->algorithms[i]));
	cw_buf_printf(&out, "%s%s%s\n",
	    a->origin == CW_ORIGIN_IMPORTED ? "; imported" : "",
	    a->exportable ? "; may leave the card" : "",
	    key->exported ? "; a copy has left it" : "");
	put_pins(&out, key);
	printf("%.*s", (int)out.len, (const char *)out.ptr);
	cw_buf_wipe(&out);
}

static void
put_pin_json(struct cw_buf *line, const char *name, bool there, unsigned tries)
{
	if (there)
		cw_jsonl_number(line, name, tries);
	else
		cw_jsonl_null(line, name);
}

static void
put_lists(struct cw_buf *line, const struct cw_held_key *key)
{
	const struct cw_attributes *a = &key->attributes;
	const char *word;

	cw_jsonl_open(line, "usage", '[');
	for (unsigned i = 0; (word = cw_key_word_usage(a->usage, i)) != NULL;
	     i++)
		cw_jsonl_str(line, NULL, word);
	cw_jsonl_close(line, ']');
	cw_jsonl_open(line, "algorithms", '[');
	for (size_t i = 0; i < a->n_algorithms; i++)
		cw_jsonl_str(line, NULL, cw_algorithm_name(a->algorithms[i]));
	cw_jsonl_close(line, ']');
	cw_jsonl_open(line, "extensions", '[');
	for (size_t i = 0; i < key->n_extensions; i++)
		cw_jsonl_text(line, NULL, key->extensions[i].type);
	cw_jsonl_close(line, ']');
}

void
cw_key_show_json(const struct cw_held_key *key)
{
	const struct cw_attributes *a = &key->attributes;
	struct cw_buf line;
	char slot[8];

	snprintf(slot, sizeof(slot), "%02X", a->slot);
	cw_buf_init(&line, LINE_MAX_BYTES);
	cw_jsonl_open(&line, NULL, '{');
	cw_jsonl_str(&line, "event", "key");
	cw_jsonl_number(&line, "number", key->handle);
	cw_jsonl_text(&line, "name", a->name);
	cw_jsonl_str(&line, "type", cw_key_word_type(a->type));
	if (a->slot != 0)
		cw_jsonl_str(&line, "slot", slot);
	else
		cw_jsonl_null(&line, "slot");
	put_lists(&line, key);
	cw_jsonl_bool(&line, "imported", a->origin == CW_ORIGIN_IMPORTED);
	cw_jsonl_bool(&line, "exportable", a->exportable);
	cw_jsonl_bool(&line, "exported", key->exported);
	cw_jsonl_bool(&line, "certificate", key->n_chain > 0);
	put_pin_json(&line, "pin_tries_left", key->has_pin, key->pin_tries);
	put_pin_json(&line, "puk_tries_left", key->has_puk, key->puk_tries);
	cw_jsonl_bool(&line, "pin_modifiable",
	    key->has_pin && key->is_modifiable);
	cw_jsonl_close(&line, '}');
	cw_jsonl_print(&line);
}
