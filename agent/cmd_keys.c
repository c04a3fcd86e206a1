/* SPDX-License-Identifier: Apache-2.0 */
/* `keys`, `certificate`, `public-key`: what is on the card, and public. */
#include "agent/cmd_hold.h"
#include "agent/key_words.h"
#include "proto/pem.h"
#include "proto/x509.h"

struct listing {
	bool json;
	unsigned n;
};

static void
show(void *ctx, const struct cw_held_key *key)
{
	struct listing *l = ctx;

	l->n++;
	if (l->json)
		cw_key_show_json(key);
	else
		cw_key_show(key);
}

int
cw_cmd_keys(const struct cw_options *options)
{
	struct listing l = { .json = options->json };
	struct cw_holding h;
	enum cw_err err;

	cw_holding_init(&h, options);
	err = cw_holding_begin(&h);
	if (err == CW_OK)
		err = cw_hold_each(&h.hold, show, &l);
	if (err == CW_OK && l.n == 0 && !options->json)
		printf("%s: %s\n", h.hold.card.name,
		    cw_message(h.hold.language, "cli_no_keys"));
	return cw_holding_end(&h, err);
}

/* In DER, which knows no list, the leaf alone. */
static enum cw_err
put_chain(const struct cw_holding *h, struct cw_buf *out)
{
	const struct cw_held_key *key = &h->hold.key;

	if (key->n_chain == 0)
		return CW_ERR_WRONG_USE;
	if (h->options->der)
		cw_buf_put(out, key->chain[0]);
	for (size_t i = 0; i < key->n_chain && !h->options->der; i++)
		cw_pem_put(out, "CERTIFICATE", key->chain[i]);
	return out->err;
}

static enum cw_err
put_public_key(const struct cw_holding *h, struct cw_buf *out)
{
	const struct cw_held_key *key = &h->hold.key;
	struct cw_buf spki;
	enum cw_err err;

	if (key->attributes.type == CW_KEY_SECRET)
		return CW_ERR_WRONG_USE;
	cw_buf_init(&spki, CW_CERT_MAX_BYTES);
	err = cw_public_key_spki(&key->key, &spki);
	if (err == CW_OK && h->options->der)
		cw_buf_put(out, cw_buf_bytes(&spki));
	else if (err == CW_OK)
		cw_pem_put(out, "PUBLIC KEY", cw_buf_bytes(&spki));
	cw_buf_wipe(&spki);
	return err == CW_OK ? out->err : err;
}

static int
give(const struct cw_options *options, const char *event,
    enum cw_err (*put)(const struct cw_holding *h, struct cw_buf *out))
{
	struct cw_holding h;
	enum cw_err err = CW_OK;

	cw_holding_init(&h, options);
	if (options->der)
		err = cw_holding_check_out(&h);
	if (err == CW_OK)
		err = cw_holding_begin(&h);
	if (err == CW_OK)
		err = put(&h, &h.out);
	if (err == CW_OK)
		err = cw_holding_write(&h, event, 0, 0644);
	return cw_holding_end(&h, err);
}

int
cw_cmd_certificate(const struct cw_options *options)
{
	return give(options, "certificate", put_chain);
}

int
cw_cmd_public_key(const struct cw_options *options)
{
	return give(options, "public-key", put_public_key);
}
