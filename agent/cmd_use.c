/* SPDX-License-Identifier: Apache-2.0 */
/* `sign`, `decrypt`, `agree`, `mac`, `encrypt`, `export`: bytes in, bytes out. */
#include "agent/cmd_hold.h"
#include "agent/key_words.h"
#include "proto/crypto.h"
#include "proto/pem.h"

struct use {
	const char *event;
	enum cw_key_operation operation;
	unsigned mode; /* of the file that comes out */
};

static const struct use uses[] = {
	{ "signed", CW_OP_SIGN, 0644 },
	{ "decrypted", CW_OP_DECRYPT, 0600 },
	{ "agreed", CW_OP_AGREE, 0600 },
	{ "mac", CW_OP_MAC, 0644 },
	{ "encrypted", CW_OP_ENCRYPT, 0644 },
};

/* What the card signs with is known before a PIN is asked for. */
static enum cw_err
choose(const struct cw_options *o, int32_t *algorithm)
{
	*algorithm = 0;
	if (o->algorithm == NULL)
		return CW_OK;
	*algorithm = cw_algorithm_number(o->algorithm);
	return *algorithm == 0 ? CW_ERR_UNKNOWN_ALGORITHM : CW_OK;
}

/* A public key may come as text. */
static enum cw_err
unwrap(struct cw_buf *in)
{
	static const char begin[] = "-----BEGIN";
	struct cw_buf der;
	enum cw_err err;

	if (in->len < sizeof(begin) - 1 ||
	    memcmp(in->ptr, begin, sizeof(begin) - 1) != 0)
		return CW_OK;
	cw_buf_init(&der, in->max);
	err = cw_pem_get(cw_buf_bytes(in), "PUBLIC KEY", &der);
	if (err == CW_OK)
		cw_buf_move(in, &der);
	cw_buf_wipe(&der);
	return err == CW_ERR_MALFORMED ? CW_ERR_BAD_PEER : err;
}

/* r and s one behind the other become what X.509 has. */
static void
wrap(struct cw_buf *out)
{
	struct cw_buf der;

	cw_buf_init(&der, out->max);
	cw_ecdsa_der_put(&der, cw_buf_bytes(out));
	cw_buf_move(out, &der);
	cw_buf_wipe(&der);
}

static enum cw_err
do_use(struct cw_holding *h, const struct use *use, int32_t algorithm)
{
	const struct cw_attributes *a = &h->hold.key.attributes;
	enum cw_err err = cw_holding_begin(h);

	if (err != CW_OK)
		return err;
	if (algorithm == 0)
		algorithm = cw_hold_algorithm(a, use->operation);
	err = cw_hold_use(&h->hold, use->operation, algorithm,
	    cw_buf_bytes(&h->in), &h->out);
	if (err != CW_OK)
		return err;
	if (h->options->der &&
	    (algorithm == CW_ALG_ESP256 || algorithm == CW_ALG_ESP384))
		wrap(&h->out);
	return cw_holding_write(h, use->event, algorithm, use->mode);
}

static int
run_use(const struct cw_options *options, enum cw_key_operation operation)
{
	const struct use *use = uses;
	struct cw_holding h;
	int32_t algorithm;
	enum cw_err err;

	while (use->operation != operation)
		use++;
	cw_holding_init(&h, options);
	err = choose(options, &algorithm);
	if (err == CW_OK)
		err = cw_holding_check_out(&h);
	if (err == CW_OK)
		err = cw_holding_read(&h);
	if (err == CW_OK && operation == CW_OP_AGREE)
		err = unwrap(&h.in);
	if (err == CW_OK)
		err = do_use(&h, use, algorithm);
	return cw_holding_end(&h, err);
}

int
cw_cmd_sign(const struct cw_options *options)
{
	return run_use(options, CW_OP_SIGN);
}

int
cw_cmd_decrypt(const struct cw_options *options)
{
	return run_use(options, CW_OP_DECRYPT);
}

int
cw_cmd_agree(const struct cw_options *options)
{
	return run_use(options, CW_OP_AGREE);
}

int
cw_cmd_mac(const struct cw_options *options)
{
	return run_use(options, CW_OP_MAC);
}

int
cw_cmd_encrypt(const struct cw_options *options)
{
	return run_use(options, CW_OP_ENCRYPT);
}

int
cw_cmd_export(const struct cw_options *options)
{
	struct cw_holding h;
	enum cw_err err;

	cw_holding_init(&h, options);
	err = cw_holding_check_out(&h);
	if (err == CW_OK)
		err = cw_holding_begin(&h);
	if (err == CW_OK)
		err = cw_hold_export(&h.hold, &h.out);
	if (err == CW_OK)
		err = cw_holding_write(&h, "exported", 0, 0600);
	return cw_holding_end(&h, err);
}
