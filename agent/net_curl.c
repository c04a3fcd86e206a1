/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP over libcurl: the only file that includes it. */
#include "agent/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include <curl/curl.h>

#include "agent/run.h"
#include "agent/url.h"
#include "proto/base/log.h"

#define CONNECT_TIMEOUT_MS 10000L
#define SLICE_MS 100 /* how soon a signal is noticed */
#define ACCEPT "Accept: " CW_MEDIA_TYPE ", " CW_PROBLEM_TYPE
#define HEADERS_MAX ((size_t)32 * 1024) /* libcurl's own limit is 300 KB */

struct cw_net {
	CURL *curl;
	CURLM *multi;
	struct curl_slist *get_headers, *post_headers, *empty_headers;
	char origin[CW_URI_MAX + 1];
	char error[CURL_ERROR_SIZE];
	bool (*is_stopped)(void *ctx);
	void *ctx;
	struct cw_net_response *response; /* of the request under way */
	char *url;                        /* of the request under way */
	size_t header_bytes;
	bool has_answered; /* the issuer, before */
};

struct meaning {
	CURLcode code;
	enum cw_err err;
};

static const struct meaning meanings[] = {
	{ CURLE_OK, CW_OK },
	{ CURLE_OPERATION_TIMEDOUT, CW_ERR_NETWORK_TIMEOUT },
	{ CURLE_SSL_CONNECT_ERROR, CW_ERR_TLS_FAILED },
	{ CURLE_PEER_FAILED_VERIFICATION, CW_ERR_TLS_FAILED },
	{ CURLE_SSL_CACERT_BADFILE, CW_ERR_NO_FILE },
	{ CURLE_SSL_ISSUER_ERROR, CW_ERR_TLS_FAILED },
	{ CURLE_SSL_CERTPROBLEM, CW_ERR_TLS_FAILED },
	{ CURLE_SSL_CIPHER, CW_ERR_TLS_FAILED },
	{ CURLE_WRITE_ERROR, CW_ERR_TOO_LARGE },
	{ CURLE_FILESIZE_EXCEEDED, CW_ERR_TOO_LARGE },
	{ CURLE_ABORTED_BY_CALLBACK, CW_ERR_REFUSED },
	{ CURLE_OUT_OF_MEMORY, CW_ERR_NO_MEMORY },
	{ CURLE_URL_MALFORMAT, CW_ERR_BAD_URL },
	{ CURLE_UNSUPPORTED_PROTOCOL, CW_ERR_BAD_URL },
};

static enum cw_err
meaning(const struct cw_net *http, CURLcode code)
{
	enum cw_err err = CW_ERR_NO_CONNECTION;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].code == code)
			err = meanings[i].err;
	if (err != CW_OK)
		cw_log(CW_LOG_INFO, "http.failed",
		    "curl=%d name=%s text=\"%s\"", (int)code, cw_err_name(err),
		    http->error);
	return err;
}

/* ---- callbacks ---- */

static size_t
on_body(char *ptr, size_t size, size_t n, void *ctx)
{
	struct cw_net *http = ctx;
	struct cw_buf *body = &http->response->body;

	cw_buf_put(body, cw_bytes((const uint8_t *)ptr, size * n));
	return body->err == CW_OK ? size * n : 0;
}

/* Is `text` a media type, alone or with parameters? */
static bool
is_type(const char *text, const char *type)
{
	size_t len = strlen(type);

	return strncasecmp(text, type, len) == 0 &&
	    strchr("; \t", text[len]) != NULL;
}

static void
on_content_type(struct cw_net *http, char *value)
{
	http->response->is_message = is_type(value, CW_MEDIA_TYPE);
	http->response->is_problem = is_type(value, CW_PROBLEM_TYPE);
}

static void
on_location(struct cw_net *http, char *value)
{
	cw_url_resolve(http->url, value, http->origin,
	    http->response->location);
}

static void
on_retry_after(struct cw_net *http, char *value)
{
	unsigned long s = strtoul(value, NULL, 10);

	http->response->retry_after_s = s > 86400 ? 86400 : (unsigned)s;
}

/* RFC 8288: <target>; rel="relation" */
static void
on_link(struct cw_net *http, char *value)
{
	char *end = strchr(value, '>');

	if (value[0] != '<' || end == NULL ||
	    strstr(end, "rel=\"cardwright-intent\"") == NULL)
		return;
	*end = '\0';
	cw_url_resolve(http->url, value + 1, http->origin,
	    http->response->intent);
}

static const struct {
	const char *name;
	void (*take)(struct cw_net *http, char *value);
} headers[] = {
	{ "content-type:", on_content_type },
	{ "location:", on_location },
	{ "retry-after:", on_retry_after },
	{ "link:", on_link },
};

static size_t
on_header(char *ptr, size_t size, size_t n, void *ctx)
{
	struct cw_net *http = ctx;
	char line[2 * CW_URI_MAX];
	size_t len = size * n;

	http->header_bytes += len;
	if (http->header_bytes > HEADERS_MAX)
		return 0;
	if (len >= sizeof(line))
		return len;
	memcpy(line, ptr, len);
	line[len] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		size_t skip = strlen(headers[i].name);

		if (strncasecmp(line, headers[i].name, skip) != 0)
			continue;
		skip += strspn(line + skip, " \t");
		headers[i].take(http, line + skip);
	}
	return len;
}

/* ---- the interface ---- */

static bool
add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *more = curl_slist_append(*list, line);

	if (more != NULL)
		*list = more;
	return more != NULL;
}

static bool
make_headers(struct cw_net *http)
{
	char origin[CW_URI_MAX + 16];

	snprintf(origin, sizeof(origin), "Origin: %s", http->origin);
	/* No "Expect: 100-continue": it would cost a round trip. */
	return add_header(&http->get_headers, ACCEPT ", text/html;q=0.1") &&
	    add_header(&http->post_headers, origin) &&
	    add_header(&http->post_headers, "Content-Type: " CW_MEDIA_TYPE) &&
	    add_header(&http->post_headers, ACCEPT) &&
	    add_header(&http->post_headers, "Expect:") &&
	    add_header(&http->empty_headers, origin) &&
	    add_header(&http->empty_headers, ACCEPT ", text/html;q=0.1") &&
	    add_header(&http->empty_headers, "Content-Type:") &&
	    add_header(&http->empty_headers, "Expect:");
}

static bool
set_up(struct cw_net *http, const struct cw_net_config *config, bool loopback)
{
	CURL *c = http->curl;
	CURLcode r = CURLE_OK;

	r |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http");
	r |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	r |= curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	r |= curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	r |= curl_easy_setopt(c, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	r |= curl_easy_setopt(c, CURLOPT_COOKIEFILE, ""); /* in memory */
	r |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	r |= curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
	r |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	r |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)config->timeout_ms);
	r |= curl_easy_setopt(c, CURLOPT_USERAGENT,
	    "cardwright-agent/" CW_AGENT_VERSION);
	r |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, http->error);
	r |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	r |= curl_easy_setopt(c, CURLOPT_WRITEDATA, http);
	r |= curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	r |= curl_easy_setopt(c, CURLOPT_HEADERDATA, http);
	if (config->ca_file != NULL)
		r |= curl_easy_setopt(c, CURLOPT_CAINFO, config->ca_file);
	if (loopback) /* nobody reaches this machine's loopback for us */
		r |= curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	return r == CURLE_OK;
}

enum cw_err
cw_net_open(const struct cw_net_config *config, struct cw_net **out)
{
	struct cw_net *http;
	bool loopback = false;
	enum cw_err err;

	*out = NULL;
	if (config->ca_file != NULL && access(config->ca_file, R_OK) != 0)
		return CW_ERR_NO_FILE;
	http = calloc(1, sizeof(*http));
	if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		free(http);
		return CW_ERR_NO_MEMORY;
	}
	http->is_stopped = config->is_stopped;
	http->ctx = config->ctx;
	err = cw_url_canonical_origin(config->url, http->origin, &loopback);
	if (err == CW_OK) {
		http->curl = curl_easy_init();
		http->multi = curl_multi_init();
		if (http->curl == NULL || http->multi == NULL ||
		    !make_headers(http) || !set_up(http, config, loopback))
			err = CW_ERR_NO_MEMORY;
	}
	if (err != CW_OK)
		cw_net_close(&http);
	*out = http;
	return err;
}

void
cw_net_close(struct cw_net **http)
{
	struct cw_net *h = *http;

	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	curl_multi_cleanup(h->multi);
	curl_slist_free_all(h->get_headers);
	curl_slist_free_all(h->post_headers);
	curl_slist_free_all(h->empty_headers);
	curl_global_cleanup();
	free(h);
	*http = NULL;
}

const char *
cw_net_origin(const struct cw_net *http)
{
	return http->origin;
}

/* As curl_easy_perform does, but it looks up between the waits. */
static CURLcode
transfer(struct cw_net *http)
{
	int running = 1;
	CURLcode r = CURLE_ABORTED_BY_CALLBACK;

	if (curl_multi_add_handle(http->multi, http->curl) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	while (running > 0) {
		if (curl_multi_perform(http->multi, &running) != CURLM_OK ||
		    (http->is_stopped != NULL && http->is_stopped(http->ctx)))
			break;
		if (running > 0 &&
		    curl_multi_poll(http->multi, NULL, 0, SLICE_MS, NULL) !=
			CURLM_OK)
			break;
	}
	for (int left = 1; left > 0 && running == 0;) {
		const CURLMsg *m = curl_multi_info_read(http->multi, &left);

		if (m == NULL)
			break;
		if (m->msg == CURLMSG_DONE)
			r = m->data.result;
	}
	curl_multi_remove_handle(http->multi, http->curl);
	return r;
}

static enum cw_err
perform(struct cw_net *http, const char *url, struct cw_net_response *out)
{
	char whole[CW_URI_MAX + 1];
	CURLcode r;

	cw_url_resolve(url, url, http->origin, whole);
	if (whole[0] == '\0')
		return CW_ERR_BAD_URL;
	cw_net_response_wipe(out);
	http->response = out;
	http->url = whole;
	http->header_bytes = 0;
	http->error[0] = '\0';
	r = curl_easy_setopt(http->curl, CURLOPT_URL, whole);
	if (r == CURLE_OK)
		r = transfer(http);
	if (r == CURLE_OK)
		http->has_answered = true;
	/* A handshake that is cut off has no code of its own; where there was
	 * one before, the issuer went away in the middle of it. */
	if (r == CURLE_SSL_CONNECT_ERROR && http->has_answered)
		r = CURLE_COULDNT_CONNECT;
	if (r == CURLE_OK)
		r = curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE,
		    &out->status);
	http->response = NULL;
	http->url = NULL;
	return meaning(http, r);
}

enum cw_err
cw_net_get(struct cw_net *http, const char *url,
    struct cw_net_response *response)
{
	if (curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L) != CURLE_OK ||
	    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER,
		http->get_headers) != CURLE_OK)
		return CW_ERR_NO_MEMORY;
	return perform(http, url, response);
}

enum cw_err
cw_net_post(struct cw_net *http, const char *url, struct cw_bytes body,
    struct cw_net_response *response)
{
	CURL *c = http->curl;
	const void *data = body.len > 0 ? (const void *)body.ptr : "";

	if (curl_easy_setopt(c, CURLOPT_POST, 1L) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
		(curl_off_t)body.len) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_POSTFIELDS, data) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_HTTPHEADER,
		body.len > 0 ? http->post_headers : http->empty_headers) !=
		CURLE_OK)
		return CW_ERR_NO_MEMORY;
	return perform(http, url, response);
}

const char *
cw_net_library(void)
{
	return curl_version();
}
