/* SPDX-License-Identifier: Apache-2.0 */
/*
 * civetweb, and what it must not decide. Every request goes through the
 * begin_request callback: its file serving and its form parser are never
 * reached. One thread serves one connection, so long as the gate lets it; what
 * the head alone can be refused for is refused before the body is read; and of
 * the whole requests so many are answered at once, the others wait a little and
 * are told to come back.
 */
#include "server/web.h"

#include <civetweb.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "server/forwarded.h"
#include "server/gate.h"
#include "server/limit.h"
#include "server/tls.h"

#define QUEUE_MS 1000u
#define DRAIN_MAX ((size_t)2 * 1024 * 1024)
#define LAST_STATUS 999

struct cw_web {
	struct mg_context *context;
	struct cw_engine *engine;
	unsigned threads; /* configured: requests answered at once */
	pthread_mutex_t mutex;
	pthread_cond_t freed;
	unsigned busy; /* requests being answered */
	enum cw_err tls_err;
};

/* ---- requests ---- */

static const char *
header(const struct mg_request_info *info, const char *name, unsigned *count)
{
	const char *value = NULL;

	*count = 0;
	for (int i = 0; i < info->num_headers; i++) {
		if (strcasecmp(info->http_headers[i].name, name) != 0)
			continue;
		if ((*count)++ == 0)
			value = info->http_headers[i].value;
	}
	return value;
}

static struct cw_bytes
header_bytes(const struct mg_request_info *info, const char *name)
{
	unsigned count;
	const char *value = header(info, name, &count);

	/* Of two that should be one, neither counts. */
	return count != 1 ? CW_BYTES_NONE : cw_bytes_str(value);
}

/*
 * How long the body is, before any of it is read. Chunked bodies are refused
 * altogether: civetweb 1.15 takes Transfer-Encoding beside Content-Length, which
 * is how requests are smuggled past a proxy (RFC 9112 6.3).
 */
static enum cw_err
body_length(const struct mg_request_info *info, size_t *len)
{
	unsigned n_length;
	unsigned n_encoding;
	const char *length = header(info, "Content-Length", &n_length);
	uint64_t value = 0;

	(void)header(info, "Transfer-Encoding", &n_encoding);
	*len = 0;
	if (n_encoding > 0)
		return n_length > 0 ? CW_ERR_BAD_HTTP : CW_ERR_LENGTH_REQUIRED;
	if (n_length > 1)
		return CW_ERR_BAD_HTTP;
	if (length == NULL)
		return strcmp(info->request_method, "POST") == 0 ?
		    CW_ERR_LENGTH_REQUIRED :
		    CW_OK;
	if (length[0] == '\0')
		return CW_ERR_BAD_HTTP;
	for (; *length >= '0' && *length <= '9'; length++) {
		value = value * 10 + (uint64_t)(*length - '0');
		if (value > CW_BODY_MAX)
			return CW_ERR_TOO_LARGE;
	}
	*len = (size_t)value;
	return *length == '\0' ? CW_OK : CW_ERR_BAD_HTTP;
}

/* What of HTTP itself the head can break. */
static enum cw_err
check_head(const struct mg_request_info *info, size_t *len)
{
	unsigned n_host;
	unsigned n_expect;
	const char *expect = header(info, "Expect", &n_expect);
	enum cw_err err = body_length(info, len);

	(void)header(info, "Host", &n_host);
	if (err == CW_OK && /* RFC 9112 3.2 */
	    (n_host > 1 ||
		(n_host == 0 && strcmp(info->http_version, "1.1") == 0)))
		err = CW_ERR_BAD_HTTP;
	if (err == CW_OK && n_expect > 0 &&
	    (n_expect > 1 || strcasecmp(expect, "100-continue") != 0))
		err = CW_ERR_EXPECTATION;
	return err;
}

/* All of it, or why not. CLOSED: nobody is there any more. */
static enum cw_err
read_body(struct mg_connection *conn, uint8_t *body, size_t len)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	size_t done = 0;

	if (len > 0 && mg_get_header(conn, "Expect") != NULL)
		(void)mg_write(conn, go_on, sizeof(go_on) - 1);
	while (done < len) {
		int n = mg_read(conn, body + done, len - done);

		if (n <= 0)
			return cw_gate_is_over() ? CW_ERR_REQUEST_TOO_SLOW :
						   CW_ERR_CLOSED;
		done += (size_t)n;
	}
	return CW_OK;
}

/* ---- responses ---- */

/* Head and body in one write: one TLS record, one packet. */
static int
send_response(struct cw_web *web, struct mg_connection *conn,
    const struct cw_http_response *response, bool close)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	struct cw_buf out;

	cw_buf_init(&out, CW_PAGE_MAX + 2 * CW_BODY_MAX);
	cw_http_head(web->engine, response, close, &out);
	if (info->request_method == NULL ||
	    strcmp(info->request_method, "HEAD") != 0)
		cw_buf_put(&out,
		    response->body.len > 0 ? cw_buf_bytes(&response->body) :
					     response->fixed);
	if (close || out.err != CW_OK)
		mg_disable_connection_keep_alive(conn);
	cw_gate_enter(CW_GATE_SEND);
	if (out.err == CW_OK)
		(void)mg_write(conn, out.ptr, out.len);
	cw_buf_wipe(&out);
	return response->status;
}

/*
 * A connection that is closed with bytes unread is reset, and the answer is lost
 * with it (RFC 9112 9.6): what the client is still sending is read and thrown
 * away, so much of it and for so long as the gate gives.
 */
static void
drain(struct mg_connection *conn)
{
	uint8_t nowhere[2048];
	size_t done = 0;
	int n;

	cw_gate_enter(CW_GATE_DRAIN);
	do {
		n = mg_read(conn, nowhere, sizeof(nowhere));
		done += n > 0 ? (size_t)n : 0;
	} while (n > 0 && done < DRAIN_MAX);
}

/* For what is wrong before any route is asked. The connection ends with it. */
static int
refuse(struct cw_web *web, struct mg_connection *conn,
    struct cw_http_response *response, enum cw_err err)
{
	cw_http_error(response, err, false);
	return send_response(web, conn, response, true);
}

/* What the client says of the connection is civetweb's rule too. */
static bool
must_close(const struct mg_request_info *info)
{
	struct cw_bytes wish = header_bytes(info, "Connection");

	return wish.len == 0 ?
	    strcmp(info->http_version, "1.1") != 0 :
	    strcasestr((const char *)wish.ptr, "keep-alive") == NULL;
}

/* A place among those that are answered, after a while at most. */
static bool
enter(struct cw_web *web)
{
	struct timespec until;
	bool entered;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += QUEUE_MS / 1000;
	pthread_mutex_lock(&web->mutex);
	while (web->busy >= web->threads &&
	    pthread_cond_timedwait(&web->freed, &web->mutex, &until) == 0)
		continue;
	entered = web->busy < web->threads;
	web->busy += entered;
	pthread_mutex_unlock(&web->mutex);
	return entered;
}

static void
leave(struct cw_web *web)
{
	pthread_mutex_lock(&web->mutex);
	web->busy--;
	pthread_cond_signal(&web->freed);
	pthread_mutex_unlock(&web->mutex);
}

/*
 * Whose request it is: behind a proxy that says so, the one that it names. Where
 * the header is there several times, the last is the proxy's. False if that
 * one's network has too many connections already.
 */
static bool
find_client(const struct cw_web *web, const struct mg_request_info *info,
    char out[CW_ADDRESS_CHARS])
{
	const char *name = web->engine->config->forwarded_header;
	uint8_t memory[17];
	int i = name[0] == '\0' ? 0 : info->num_headers;

	snprintf(out, CW_ADDRESS_CHARS, "%s", info->remote_addr);
	while (i > 0 && strcasecmp(info->http_headers[i - 1].name, name) != 0)
		i--;
	if (i == 0 ||
	    !cw_forwarded_address(name,
		cw_bytes_str(info->http_headers[i - 1].value), out))
		return true;
	return cw_gate_claim(cw_limit_network(out, memory));
}

static struct cw_http_request
request_of(const struct mg_request_info *info, const char *client,
    size_t body_len)
{
	return (struct cw_http_request){
		.method = cw_bytes_str(info->request_method),
		.path = cw_bytes_str(info->local_uri),
		.media_type = header_bytes(info, "Content-Type"),
		.origin = header_bytes(info, "Origin"),
		.cookies = header_bytes(info, "Cookie"),
		.accept = header_bytes(info, "Accept"),
		.languages = header_bytes(info, "Accept-Language"),
		.address = client,
		.body_len = body_len,
	};
}

/* The body comes before a place: a slow client must not hold one while it
 * sends. */
static int
answer(struct cw_web *web, struct mg_connection *conn,
    struct cw_http_request *request, const struct cw_http_target *target,
    struct cw_http_response *response)
{
	uint8_t *body = malloc(request->body_len + 1);
	enum cw_err err = body == NULL ?
	    CW_ERR_TOO_BUSY :
	    read_body(conn, body, request->body_len);
	int status;

	if (err == CW_OK && !enter(web))
		err = CW_ERR_TOO_BUSY;
	if (err == CW_OK) {
		cw_gate_enter(CW_GATE_ANSWER);
		request->body = cw_bytes(body, request->body_len);
		cw_route_answer(web->engine, request, target, response);
		leave(web);
		status = send_response(web, conn, response,
		    must_close(mg_get_request_info(conn)));
	} else if (err == CW_ERR_CLOSED) {
		mg_disable_connection_keep_alive(conn);
		status = LAST_STATUS;
	} else {
		status = refuse(web, conn, response, err);
	}
	free(body);
	return status;
}

/* civetweb: anything above 0 means that all is done. */
static int
begin_request(struct mg_connection *conn)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	struct cw_web *web = info->user_data;
	struct cw_http_response response;
	struct cw_http_request request;
	struct cw_http_target target;
	char client[CW_ADDRESS_CHARS];
	size_t len;
	enum cw_err err = check_head(info, &len);
	int status;

	cw_gate_enter(CW_GATE_BODY);
	cw_http_response_init(&response);
	if (err == CW_OK && !find_client(web, info, client))
		err = CW_ERR_TOO_BUSY;
	if (err != CW_OK) {
		status = refuse(web, conn, &response, err);
		drain(conn);
		cw_http_response_wipe(&response);
		return status;
	}
	request = request_of(info, client, len);
	if (cw_route_check(web->engine, &request, &target, &response)) {
		status = answer(web, conn, &request, &target, &response);
	} else {
		status = send_response(web, conn, &response,
		    len > 0 || must_close(info));
		if (len > 0)
			drain(conn);
	}
	cw_http_response_wipe(&response);
	return status;
}

static void
end_request(const struct mg_connection *conn, int status)
{
	(void)conn;
	(void)status;
	cw_gate_enter(CW_GATE_IDLE);
}

/* What civetweb itself finds wrong, before begin_request. */
static int
http_error(struct mg_connection *conn, int status, const char *message)
{
	static const struct {
		int status;
		enum cw_err err;
	} errors[] = {
		{ 400, CW_ERR_BAD_HTTP },
		{ 411, CW_ERR_BAD_HTTP }, /* a length that is no number */
		{ 413, CW_ERR_TOO_LARGE },
		{ 505, CW_ERR_HTTP_VERSION },
	};
	const struct mg_request_info *info = mg_get_request_info(conn);
	struct cw_http_response response;
	enum cw_err err = CW_ERR_INTERNAL;

	(void)message;
	if (info == NULL || info->user_data == NULL)
		return 1;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].status == status)
			err = errors[i].err;
	if (cw_gate_is_over())
		err = CW_ERR_REQUEST_TOO_SLOW;
	cw_http_response_init(&response);
	refuse(info->user_data, conn, &response, err);
	cw_http_response_wipe(&response);
	return 0;
}

/* ---- connections ---- */

static int
init_connection(const struct mg_connection *conn, void **data)
{
	(void)conn;
	(void)data;
	cw_gate_begin();
	return 0;
}

static int
log_message(const struct mg_connection *conn, const char *message)
{
	(void)conn;
	cw_log(CW_LOG_DEBUG, "http.library", "text=\"%s\"", message);
	return 1;
}

static int
init_ssl(void *ssl_ctx, void *user_data)
{
	struct cw_web *web = user_data;

	web->tls_err = cw_tls_set_up(ssl_ctx,
	    web->engine->config->tls_certificate, web->engine->config->tls_key);
	return web->tls_err == CW_OK ? 1 : -1;
}

/* ---- life ---- */

static enum cw_err
start(struct cw_web *web)
{
	const struct cw_config *config = web->engine->config;
	/* The gate gives the socket; what civetweb parses is no Unix path. */
	const char *address = strncmp(config->listen, "unix:", 5) == 0 ?
	    "127.0.0.1:1" :
	    config->listen;
	struct mg_callbacks callbacks;
	char ports[160];
	char threads[16];
	/* The gate's times are shorter than these. */
	const char *options[] = { "listening_ports", ports, "num_threads",
		threads, "enable_keep_alive", "yes", "keep_alive_timeout_ms",
		"30000", "request_timeout_ms", "30000", "tcp_nodelay", "1",
		"connection_queue", "1024", "listen_backlog", "512",
		"max_request_size", "8192", "decode_url", "no", NULL };
	struct mg_init_data init = { &callbacks, web, options };
	char text[256] = "";
	struct mg_error_data error = { .text = text,
		.text_buffer_size = sizeof(text) };

	snprintf(ports, sizeof(ports), "%s%s", address,
	    config->plain ? "" : "s");
	snprintf(threads, sizeof(threads), "%u", CW_GATE_CONNECTIONS);
	memset(&callbacks, 0, sizeof(callbacks));
	callbacks.begin_request = begin_request;
	callbacks.http_error = http_error;
	callbacks.init_connection = init_connection;
	callbacks.end_request = end_request;
	callbacks.log_message = log_message;
	callbacks.init_ssl = init_ssl;
	cw_gate_give(config->listen_fd);
	web->context = mg_start2(&init, &error);
	if (web->context != NULL)
		return CW_OK;
	return web->tls_err != CW_OK ?
	    web->tls_err :
	    cw_log_fail(CW_ERR_IO, "http.listen", "address=%s cause=\"%s\"",
		config->listen, text);
}

enum cw_err
cw_web_open(struct cw_engine *engine, struct cw_web **out)
{
	struct cw_web *web = calloc(1, sizeof(*web));
	pthread_condattr_t monotonic;
	enum cw_err err;

	if (web == NULL)
		return CW_ERR_NO_MEMORY;
	web->engine = engine;
	web->threads = engine->config->threads;
	pthread_mutex_init(&web->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&web->freed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	mg_init_library(MG_FEATURES_TLS);
	err = cw_gate_open(engine->config->plain);
	if (err == CW_OK)
		err = start(web);
	if (err != CW_OK)
		cw_web_close(&web);
	*out = web;
	return err;
}

void
cw_web_close(struct cw_web **web)
{
	if (*web == NULL)
		return;
	if ((*web)->context != NULL)
		mg_stop((*web)->context);
	mg_exit_library();
	cw_gate_shut();
	pthread_cond_destroy(&(*web)->freed);
	pthread_mutex_destroy(&(*web)->mutex);
	free(*web);
	*web = NULL;
}
