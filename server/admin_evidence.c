/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence: out of the store, and checked offline. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/fdio.h"
#include "proto/rfc4648.h"
#include "proto/statement.h"
#include "server/admin.h"
#include "server/evidence.h"

enum cw_err
cw_admin_evidence_export(struct cw_admin *admin)
{
	uint8_t id[CW_SERIAL_BYTES];
	struct cw_buf file;
	enum cw_err err;

	if (admin->out == NULL)
		return cw_admin_say(CW_ERR_USAGE, "--out");
	if (!cw_base16_decode(cw_bytes_str(admin->argument), id, sizeof(id)))
		return cw_admin_say(CW_ERR_USAGE,
		    "SERIAL or SESSION: 32 hex digits");
	cw_buf_init(&file, CW_EVIDENCE_MAX);
	err = cw_evidence_export(admin->store, id, &file);
	if (err == CW_ERR_UNKNOWN_SERIAL) {
		err = cw_evidence_export_session(admin->store, id, &file);
		err = err == CW_ERR_NO_SESSION ? CW_ERR_UNKNOWN_SERIAL : err;
	}
	if (err != CW_OK)
		(void)cw_admin_say(err, admin->argument);
	if (err == CW_OK) {
		err = cw_file_store(admin->out, cw_buf_bytes(&file), 0644);
		if (err != CW_OK)
			(void)cw_admin_say(err, admin->out);
	}
	if (err == CW_OK)
		printf("%s: %zu bytes\n", admin->out, file.len);
	cw_buf_wipe(&file);
	return err;
}

static enum cw_err
add_root(void *trust, struct cw_bytes der)
{
	return cw_trust_add_root(trust, der);
}

static enum cw_err
load_trust(const char *path, struct cw_trust **out)
{
	enum cw_err err;

	*out = cw_trust_new();
	if (*out == NULL)
		return CW_ERR_NO_MEMORY;
	err = cw_pem_certificates(path, add_root, *out);
	return err == CW_OK ? CW_OK : cw_admin_say(err, path);
}

static void
say_hex(const char *name, const uint8_t *bytes, size_t len)
{
	char hex[2 * CW_HASH_BYTES + 1];

	cw_base16_encode(cw_bytes(bytes, len), hex);
	printf("%-14s %s\n", name, hex);
}

static void
describe_certificate(struct cw_bytes certificate)
{
	uint8_t serial[CW_SERIAL_MAX];
	char subject[512];
	uint8_t hash[CW_HASH_BYTES];
	size_t len = 0;

	if (cw_cert_subject(certificate, subject, sizeof(subject)) == CW_OK)
		printf("%-14s %s\n", "subject", subject);
	if (cw_cert_serial(certificate, serial, &len) == CW_OK)
		say_hex("serial", serial, len);
	cw_hash(certificate, hash);
	say_hex("certificate", hash, sizeof(hash));
}

/* What the card did with keys that were there before. */
static void
describe_deeds(const struct cw_evidence *e)
{
	static const char *const words[CW_DONE_CLONED + 1] = {
		[CW_DONE_DELETED] = "deleted",
		[CW_DONE_UPDATED] = "replaced",
		[CW_DONE_UNLOCKED] = "unlocked",
		[CW_DONE_CLONED] = "cloned",
	};
	struct cw_result_statement *r = calloc(1, sizeof(*r));

	if (r != NULL &&
	    cw_result_statement_read(e->result_statement, r) == CW_OK)
		for (size_t i = 0; i < r->n_items; i++)
			if (words[r->items[i].done] != NULL)
				printf("%-14s object %u\n",
				    words[r->items[i].done],
				    (unsigned)r->items[i].object_id);
	free(r);
}

/* What the evidence is about, in words, once it has been verified. */
static void
describe(const struct cw_evidence *e)
{
	char when[32];

	if (e->n_certificate > 0)
		describe_certificate(e->certificate[0]);
	describe_deeds(e);
	cw_admin_time(e->verified_s, when);
	printf("said by the file, signed by nobody:\n");
	printf("  %-12s %s\n", "verified", when);
	printf("  %-12s %.*s\n", "policy", (int)e->policy_version.len,
	    (const char *)e->policy_version.ptr);
}

static enum cw_err
verify(const struct cw_admin *admin, const struct cw_evidence *e)
{
	struct cw_trust *vendor = NULL;
	struct cw_trust *issuer = NULL;
	const char *failed = NULL;
	enum cw_err err = load_trust(admin->vendor_root, &vendor);

	if (err == CW_OK)
		err = load_trust(admin->issuer, &issuer);
	if (err == CW_OK) {
		err = cw_evidence_verify(e, vendor, issuer, &failed);
		if (err != CW_OK) {
			printf("NOT PROVEN: %s\n",
			    failed != NULL ? failed : "the file");
			(void)cw_admin_say(err, admin->argument);
		}
	}
	for (size_t i = 0; err == CW_OK && i < cw_evidence_checks(); i++)
		if (cw_evidence_check_applies(e, i))
			printf("ok  %s\n", cw_evidence_check_words(i));
	if (err == CW_OK)
		describe(e);
	cw_trust_free(&vendor);
	cw_trust_free(&issuer);
	return err;
}

enum cw_err
cw_admin_evidence_verify(struct cw_admin *admin)
{
	struct cw_evidence *e = calloc(1, sizeof(*e));
	struct cw_buf file;
	enum cw_err err;

	if (e == NULL)
		return CW_ERR_NO_MEMORY;
	cw_buf_init(&file, CW_EVIDENCE_MAX);
	err = admin->vendor_root == NULL || admin->issuer == NULL ?
	    cw_admin_say(CW_ERR_USAGE, "--vendor-root and --issuer") :
	    CW_OK;
	if (err == CW_OK) {
		err = cw_file_load(admin->argument, &file);
		if (err == CW_OK)
			err = cw_evidence_decode(cw_buf_bytes(&file), e);
		err = err == CW_OK ? verify(admin, e) :
				     cw_admin_say(err, admin->argument);
	}
	cw_buf_wipe(&file);
	free(e);
	return err;
}
