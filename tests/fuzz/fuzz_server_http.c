/* SPDX-License-Identifier: Apache-2.0 */
/* FUZZ: -max_len=4096
 * Requests as the HTTP library hands them over: method, path, media type,
 * origin, cookies, languages, body, one a line. The store knows nothing, the signer is not
 * there; what matters is that every request gets an answer. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "server/http.h"

static struct cw_config config;
static struct cw_clock fixed;
static struct cw_store store;
static struct cw_seal *seal;
static struct cw_engine engine;

static enum cw_err
no_invitation(struct cw_store *s, const uint8_t hash[CW_HASH_BYTES],
    struct cw_invitation *out)
{
	(void)s;
	(void)hash;
	(void)out;
	return CW_ERR_BAD_INVITATION;
}

static enum cw_err
no_session(struct cw_store *s, const uint8_t id[CW_SESSION_ID_BYTES],
    struct cw_session *out)
{
	(void)s;
	(void)id;
	(void)out;
	return CW_ERR_NO_SESSION;
}

static void
start(void)
{
	char path[] = "/tmp/cw-fuzz-XXXXXX";
	char file[64];

	if (!cw_secret_process_init() || mkdtemp(path) == NULL)
		abort();
	cw_log_set_level(CW_LOG_ERROR);
	snprintf(file, sizeof(file), "%s/epoch.key", path);
	snprintf(config.url, sizeof(config.url), "https://issuer.example");
	fixed = cw_clock_fixed(1000000);
	store.invitation_load = no_invitation;
	store.session_load = no_session;
	if (cw_seal_open(file, 1000000, &seal) != CW_OK)
		abort();
	unlink(file);
	rmdir(path);
	cw_engine_init(&engine, &config, &store, NULL, seal, &fixed);
}

static struct cw_bytes
line(struct cw_bytes *rest)
{
	const uint8_t *end =
	    rest->len == 0 ? NULL : memchr(rest->ptr, '\n', rest->len);
	size_t len = end == NULL ? rest->len : (size_t)(end - rest->ptr);
	struct cw_bytes out = cw_bytes(rest->ptr, len);

	len += end != NULL;
	*rest = cw_bytes(rest->ptr + len, rest->len - len);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_bytes rest = cw_bytes(data, size);
	struct cw_http_request request = { .address = "127.0.0.1" };
	struct cw_http_response response;
	struct cw_http_target target;
	struct cw_buf head;

	if (seal == NULL)
		start();
	request.method = line(&rest);
	request.path = line(&rest);
	request.media_type = line(&rest);
	request.origin = line(&rest);
	request.cookies = line(&rest);
	request.languages = line(&rest);
	request.body = rest;
	request.body_len = rest.len;
	if (cw_bytes_is(request.path, "/healthz"))
		return 0; /* asks the signer */
	cw_buf_init(&head, CW_PAGE_MAX);
	cw_http_response_init(&response);
	if (cw_route_check(&engine, &request, &target, &response))
		cw_route_answer(&engine, &request, &target, &response);
	cw_http_head(&engine, &response, true, &head);
	if (response.status < 200 || head.err != CW_OK)
		abort();
	cw_http_response_wipe(&response);
	cw_buf_wipe(&head);
	return 0;
}
