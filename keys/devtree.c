/* SPDX-License-Identifier: Apache-2.0 */
/* The development tree: a table of parties, the cards, the configuration. */
#include "keys/devtree.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/config.h"
#include "keys/keyfile.h"
#include "keys/party.h"
#include "proto/base/fdio.h"
#include "proto/base/secret.h"

enum node_no {
	VENDOR_ROOT,
	BATCH_CA,
	BATCH,
	ISSUER_ROOT,
	ISSUING_CA,
	MANAGEMENT,
	AUTHORITY,
	OPERATOR_1,
	OPERATOR_2,
	TLS_ROOT,
	TLS,
	NODES,
	NO_ISSUER = NODES,
};

#define CA_USAGE "critical,keyCertSign,cRLSign"
#define KEY_USAGE "critical,digitalSignature"

static const struct node {
	const char *file, *subject, *eku;
	enum node_no issuer;
	int path_length;
	unsigned days;
	unsigned kind; /* enum cw_attestation_kind, or 0 */
} nodes[NODES] = {
	[VENDOR_ROOT] = { "vendor-root",
	    "CN=Development Vendor Root,O=Cardwright Development", NULL,
	    NO_ISSUER, 1, 9130, 0 },
	[BATCH_CA] = { "batch-ca",
	    "CN=Development Batch CA 1,O=Cardwright Development", NULL,
	    VENDOR_ROOT, 0, 9120, 0 },
	[BATCH] = { "batch-attestation",
	    "CN=Development Batch 1,O=Cardwright Development",
	    CW_OID_EKU_ATTESTATION, BATCH_CA, CW_CERT_LEAF, 9110,
	    CW_ATTESTATION_BATCH },
	[ISSUER_ROOT] = { "issuer-root",
	    "CN=Development Issuer Root,O=Cardwright Development", NULL,
	    NO_ISSUER, 1, 9130, 0 },
	[ISSUING_CA] = { "issuing-ca",
	    "CN=Development Issuing CA,O=Cardwright Development", NULL,
	    ISSUER_ROOT, 0, 7300, 0 },
	[MANAGEMENT] = { "management",
	    "CN=Development Management Key,O=Cardwright Development",
	    CW_OID_EKU_MANAGEMENT, ISSUER_ROOT, CW_CERT_LEAF, 3650, 0 },
	[AUTHORITY] = { "authority",
	    "CN=Development Grant Authority,O=Cardwright Development",
	    CW_OID_EKU_AUTHORITY, ISSUER_ROOT, CW_CERT_LEAF, 3650, 0 },
	[OPERATOR_1] = { "operator-1",
	    "CN=Development Operator 1,O=Cardwright Development",
	    CW_OID_EKU_OPERATOR, ISSUER_ROOT, CW_CERT_LEAF, 3650, 0 },
	[OPERATOR_2] = { "operator-2",
	    "CN=Development Operator 2,O=Cardwright Development",
	    CW_OID_EKU_OPERATOR, ISSUER_ROOT, CW_CERT_LEAF, 3650, 0 },
	[TLS_ROOT] = { "tls-root",
	    "CN=Development TLS Root,O=Cardwright Development", NULL, NO_ISSUER,
	    0, 9130, 0 },
	[TLS] = { "tls", "CN=localhost,O=Cardwright Development", "serverAuth",
	    TLS_ROOT, CW_CERT_LEAF, 825, 0 },
};

struct builder {
	const struct cw_devtree *tree;
	char dir[CW_PATH_MAX]; /* where it is made */
	char host[256];
	unsigned port;
	struct cw_party parties[NODES];
};

static enum cw_err
make_path(const struct builder *b, const char *name, char out[CW_PATH_MAX])
{
	int n = snprintf(out, CW_PATH_MAX, "%s/%s", b->dir, name);

	return n < 0 || n >= CW_PATH_MAX ? CW_ERR_NO_FILE : CW_OK;
}

static enum cw_err
make_folder(const struct builder *b, const char *name)
{
	char path[CW_PATH_MAX];
	enum cw_err err = make_path(b, name, path);

	if (err == CW_OK && mkdir(path, 0700) != 0)
		err = errno == EEXIST ? CW_ERR_EXISTS : CW_ERR_IO;
	return err;
}

/* The host's names besides those of loopback. */
static void
alternative_names(const struct builder *b, char *out, size_t size)
{
	bool numeric = b->host[0] == '[' ||
	    strspn(b->host, "0123456789.") == strlen(b->host);

	snprintf(out, size, "DNS:localhost,IP:127.0.0.1,IP:::1%s%s",
	    numeric || strcmp(b->host, "localhost") == 0 ? "" : ",DNS:",
	    numeric || strcmp(b->host, "localhost") == 0 ? "" : b->host);
}

static enum cw_err
make_party(struct builder *b, enum node_no i)
{
	const struct node *n = &nodes[i];
	char names[512], path[CW_PATH_MAX];
	struct cw_cert_spec spec = {
		.subject = n->subject,
		.days = n->days,
		.path_length = n->path_length,
		.key_usage = n->path_length >= 0 ? CA_USAGE : KEY_USAGE,
		.extended_key_usage = n->eku,
		.kind = n->kind,
		.model = CW_DEVTREE_MODEL,
	};
	enum cw_err err = make_path(b, n->file, path);

	if (i == TLS) {
		alternative_names(b, names, sizeof(names));
		spec.alternative_names = names;
	}
	if (err == CW_OK)
		err = cw_party_make(&b->parties[i], CW_KEY_P256, spec,
		    n->issuer == NO_ISSUER ? NULL : &b->parties[n->issuer],
		    b->tree->now_s);
	if (err == CW_OK)
		err = cw_party_store(&b->parties[i], path, CW_BYTES_NONE);
	return err;
}

static enum cw_err
make_card(struct builder *b, unsigned number)
{
	char name[64], path[CW_PATH_MAX], subject[64], serial[32];
	struct cw_card_names names = { subject, CW_DEVTREE_MODEL, "1.0", serial,
		9100 };
	enum cw_err err;

	snprintf(name, sizeof(name), "cards/card-%u.personalisation", number);
	snprintf(serial, sizeof(serial), "DEV-%06u", number);
	snprintf(subject, sizeof(subject), "CN=%s,O=Cardwright Development",
	    serial);
	err = make_path(b, name, path);
	if (err == CW_OK)
		err = cw_party_personalise(&names, &b->parties[BATCH_CA],
		    &b->parties[BATCH], b->tree->now_s, path);
	return err;
}

static const char signer_section[] = "[signer]\n"
				     "management_key = management.key\n"
				     "management_chain = management.pem\n"
				     "ca_key = issuing-ca.key\n"
				     "ca_chain = issuing-ca.pem\n"
				     "authority = authority.pem\n"
				     "operators = operators.pem\n"
				     "vendor_roots = vendor-root.pem\n"
				     "log = signer/signer.log\n"
				     "tag_key = tag.key\n"
				     "\n"
				     "[admin]\n"
				     "authority_key = authority.key\n"
				     "\n"
				     "[model \"" CW_DEVTREE_MODEL "\"]\n"
				     "withdrawn = no\n";

#define APPROVED "approvals = 2\nsession_minutes = 20160\n" /* two weeks */

static const struct {
	const char *name, *key_type, *slot, *usage, *key_usage, *more;
} profiles[] = {
	{ "person", "P-256", "9A", "sign, authenticate", KEY_USAGE, "" },
	{ "approved", "P-256", "9A", "sign, authenticate", KEY_USAGE,
	    APPROVED },
	{ "signature", "P-256", "9C", "sign",
	    "critical,digitalSignature,nonRepudiation", "" },
	{ "person-p384", "P-384", "9A", "sign, authenticate", KEY_USAGE, "" },
	{ "person-rsa", "RSA-2048", "9A", "sign, authenticate", KEY_USAGE, "" },
	{ "person-ed25519", "Ed25519", "none", "sign, authenticate", KEY_USAGE,
	    "" },
};

static enum cw_err
write_config(struct builder *b)
{
	bool plain = strncmp(b->tree->url, "http:", 5) == 0;
	char path[CW_PATH_MAX];
	struct cw_buf out;
	enum cw_err err = make_path(b, "issuer.ini", path);

	cw_buf_init(&out, 16384);
	cw_buf_printf(&out,
	    "; Made by cardwright-keys dev: for development "
	    "only.\n\n[issuer]\nname = Cardwright Development\n"
	    "url = %s\nlisten = 127.0.0.1:%u\nstate = state\n"
	    "one_user = yes\n",
	    b->tree->url, b->port);
	cw_buf_put_str(&out,
	    plain ? "plain = yes\n\n" :
		    "tls_certificate = tls.pem\ntls_key = tls.key\n"
		    "tls_root = tls-root.pem\n"
		    "; Where browsers are asked for the card's certificate:\n"
		    "holder_listen = 127.0.0.1:0\n"
		    "holder_url = https://localhost:0\n\n");
	cw_buf_put_str(&out, signer_section);
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		cw_buf_printf(&out,
		    "\n[profile \"%s\"]\nkey_type = %s\nslot = %s\n"
		    "usage = %s\nmodes = identified, pseudonymous, anonymous\n"
		    "suites = 1, 2\nlifetime_days = 730\nkey_usage = %s\n"
		    "extended_key_usage = clientAuth,emailProtection\n"
		    "uses_max = 1000\n%s",
		    profiles[i].name, profiles[i].key_type, profiles[i].slot,
		    profiles[i].usage, profiles[i].key_usage, profiles[i].more);
	if (err == CW_OK)
		err = out.err;
	if (err == CW_OK)
		err = cw_newfile_store(path, cw_buf_bytes(&out), 0644);
	cw_buf_wipe(&out);
	return err;
}

static enum cw_err
write_tag_key(const struct builder *b)
{
	uint8_t key[32];
	char path[CW_PATH_MAX];
	enum cw_err err = make_path(b, "tag.key", path);

	cw_random(key, sizeof(key));
	if (err == CW_OK)
		err = cw_newfile_store(path, CW_BYTES_ARRAY(key), 0600);
	cw_wipe(key, sizeof(key));
	return err;
}

/* Both certificates in one file. */
static enum cw_err
write_operators(const struct builder *b)
{
	static const char *const names[] = { "operator-1.pem",
		"operator-2.pem" };
	char path[CW_PATH_MAX];
	struct cw_buf out;
	enum cw_err err = CW_OK;

	cw_buf_init(&out, (size_t)2 * 2 * CW_CERT_MAX_BYTES);
	for (size_t i = 0; err == CW_OK && i < 2; i++) {
		err = make_path(b, names[i], path);
		if (err == CW_OK)
			err = cw_file_load(path, &out);
	}
	if (err == CW_OK)
		err = make_path(b, "operators.pem", path);
	if (err == CW_OK)
		err = cw_newfile_store(path, cw_buf_bytes(&out), 0644);
	cw_buf_wipe(&out);
	return err;
}

static enum cw_err
fill(struct builder *b)
{
	enum cw_err err = make_folder(b, "cards");

	if (err == CW_OK)
		err = make_folder(b, "signer");
	if (err == CW_OK)
		err = make_folder(b, "state");
	for (unsigned i = 0; err == CW_OK && i < NODES; i++)
		err = make_party(b, (enum node_no)i);
	for (unsigned i = 1; err == CW_OK && i <= b->tree->n_cards; i++)
		err = make_card(b, i);
	if (err == CW_OK)
		err = write_operators(b);
	if (err == CW_OK)
		err = write_tag_key(b);
	return err == CW_OK ? write_config(b) : err;
}

/* Host and port of the URL, which cw_url_origin has found to be an origin. */
static enum cw_err
split_url(struct builder *b)
{
	const char *url = b->tree->url, *host, *port;
	struct cw_bytes origin;
	size_t len;

	if (!cw_url_origin(cw_bytes_str(url), &origin) ||
	    origin.len != strlen(url))
		return CW_ERR_BAD_URL;
	host = strstr(url, "://") + 3;
	port = strrchr(host, ':');
	if (port != NULL && strchr(port, ']') != NULL)
		port = NULL;
	len = port == NULL ? strlen(host) : (size_t)(port - host);
	if (len >= sizeof(b->host))
		return CW_ERR_BAD_URL;
	memcpy(b->host, host, len);
	b->port = url[4] == 's' ? 443 : 80;
	if (port != NULL)
		b->port = (unsigned)strtoul(port + 1, NULL, 10);
	return CW_OK;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static bool
is_complete(const char *dir)
{
	char path[CW_PATH_MAX];

	snprintf(path, sizeof(path), "%s/issuer.ini", dir);
	return access(path, F_OK) == 0;
}

enum cw_err
cw_devtree_make(const struct cw_devtree *tree, bool *made)
{
	struct builder *b;
	enum cw_err err;

	*made = false;
	if (is_complete(tree->dir))
		return CW_OK;
	if (rmdir(tree->dir) != 0 && errno != ENOENT)
		return CW_ERR_EXISTS;
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return CW_ERR_NO_MEMORY;
	b->tree = tree;
	err = split_url(b);
	if (err == CW_OK &&
	    snprintf(b->dir, sizeof(b->dir), "%s.XXXXXX", tree->dir) >=
		(int)sizeof(b->dir))
		err = CW_ERR_NO_FILE;
	if (err == CW_OK && mkdtemp(b->dir) == NULL)
		err = CW_ERR_IO;
	if (err == CW_OK)
		err = fill(b);
	/* Another process may have been faster: then its tree is as good. */
	if (err == CW_OK && rename(b->dir, tree->dir) == 0)
		*made = true;
	else if (err == CW_OK && !is_complete(tree->dir))
		err = CW_ERR_IO;
	if (!*made && b->dir[0] != '\0')
		nftw(b->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	for (unsigned i = 0; i < NODES; i++)
		cw_party_wipe(&b->parties[i]);
	free(b);
	return err;
}
