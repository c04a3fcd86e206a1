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

/* ---- clients' certificates ---- */

#define PEER_MAX 8192
#define CHAIN_MAX (2 * PEER_MAX) /* as sent; nothing of ours is that long */
#define TICKET_S 300             /* so long a proof counts without the card */

/* A connection is its thread's from the handshake to the end. */
static _Thread_local uint8_t peer[PEER_MAX];
static _Thread_local size_t peer_len;

struct cw_bytes
cw_tls_peer(void)
{
	return cw_bytes(peer, peer_len);
}

/* Also after a resumption, whose ticket holds the certificate. */
static void
note_peer(const SSL *ssl, int where, int unused)
{
	uint8_t *at = peer;
	X509 *certificate;
	int len;

	(void)unused;
	if ((where & SSL_CB_HANDSHAKE_START) != 0)
		peer_len = 0;
	if ((where & SSL_CB_HANDSHAKE_DONE) == 0)
		return;
	certificate = SSL_get1_peer_certificate(ssl);
	len = certificate == NULL ? 0 : i2d_X509(certificate, NULL);
	peer_len =
	    len > 0 && len <= PEER_MAX && i2d_X509(certificate, &at) > 0 ?
	    (size_t)len :
	    0;
	X509_free(certificate);
}

/* Called for what a client shows, and not for nothing: only that is worth a
 * ticket. */
static int
take_any(X509_STORE_CTX *store, void *unused)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());

	(void)unused;
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return ssl != NULL && SSL_set_num_tickets(ssl, 1) == 1;
}

/* TLS 1.2 would resume what had no certificate. */
static int
is_not_resumed(SSL *ssl, int unused)
{
	(void)unused;
	return SSL_version(ssl) < TLS1_3_VERSION;
}

enum cw_err
cw_tls_ask(void *ssl_ctx, struct cw_bytes issuer)
{
	const uint8_t *at = issuer.ptr;
	SSL_CTX *ctx = ssl_ctx;
	X509 *ca =
	    issuer.len == 0 ? NULL : d2i_X509(NULL, &at, (long)issuer.len);
	bool good = issuer.len == 0 ||
	    (ca != NULL && SSL_CTX_add_client_CA(ctx, ca) == 1);

	X509_free(ca);
	if (!good)
		return failed(CW_ERR_CRYPTO_FAILED, "-");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, take_any, NULL);
	SSL_CTX_set_info_callback(ctx, note_peer);
	SSL_CTX_set_max_cert_list(ctx, CHAIN_MAX);
	SSL_CTX_set_timeout(ctx, TICKET_S);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_not_resumable_session_callback(ctx, is_not_resumed);
	return CW_OK;
}
