/* SPDX-License-Identifier: Apache-2.0 */
/* TLS settings. */
#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "proto/base/log.h"

static enum cw_err
failed(enum cw_err err, const char *path)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return cw_log_fail(err, "tls.file", "path=%s cause=\"%s\"", path,
	    reason == NULL ? "cannot be read" : reason);
}

enum cw_err
cw_tls_set_up(void *ssl_ctx, const char *certificate, const char *key)
{
	static const unsigned char context[] = "cardwright";
	SSL_CTX *ctx = ssl_ctx;

	/* RFC 9325: nothing below 1.2, and there only ECDHE with an AEAD. */
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx,
		"ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!SHA1") != 1 ||
	    SSL_CTX_set_session_id_context(ctx, context, sizeof(context) - 1) !=
		1)
		return failed(CW_ERR_CRYPTO_FAILED, "-");
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_num_tickets(ctx, 1);
	if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
		return failed(CW_ERR_BAD_CERTIFICATE, certificate);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		return failed(CW_ERR_BAD_PRIVATE_KEY, key);
	return CW_OK;
}
