/* SPDX-License-Identifier: Apache-2.0 */
/*
 * civetweb, and what it must not decide. Every request goes through the
 * begin_request callback: its file serving and its form parser are never
 * reached. One thread serves one connection: when few threads are left, idle
 * connections are not kept, and requests that find no place are told to come
 * back.
 */
#include "server/web.h"

#include <civetweb.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "server/tls.h"

/* Threads beyond the configured number: their requests wait for one of the
 * others to be answered, and are refused when that takes too long. */
#define SPARE_THREADS 8u
#define QUEUE_MS 1000u
#define DRAIN_MAX ((size_t)2 * 1024 * 1024)
#define DRAIN_MS 2000u
#define LAST_STATUS 999

struct cw_web {
	struct mg_context *context;
	struct cw_engine *engine;
	atomic_uint connections; /* that a thread is serving */
	unsigned threads;        /* configured: requests answered at once */
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
static int
body_length(const struct mg_request_info *info, size_t *len)
{
	unsigned n_length;
	unsigned n_encoding;
	const char *length = header(info, "Content-Length", &n_length);
	uint64_t value = 0;

	(void)header(info, "Transfer-Encoding", &n_encoding);
	*len = 0;
	if (n_encoding > 0)
		return n_length > 0 ? 400 : 411;
	if (n_length > 1)
		return 400;
	if (length == NULL)
		return strcmp(info->request_method, "POST") == 0 ? 411 : 0;
	if (length[0] == '\0')
		return 400;
	for (; *length >= '0' && *length <= '9'; length++) {
		value = value * 10 + (uint64_t)(*length - '0');
		if (value > CW_BODY_MAX)
			return 413;
	}
	*len = (size_t)value;
	return *length == '\0' ? 0 : 400;
}

static bool
read_body(struct mg_connection *conn, uint8_t *body, size_t len)
{
	size_t done = 0;

	while (done < len) {
		int n = mg_read(conn, body + done, len - done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* ---- responses ---- */

/* Head and body in one write: one TLS record, one packet. */
static int
send_response(struct cw_web *web, struct mg_connection *conn,
    const struct cw_http_response *response, bool close)
{
	struct cw_buf out;

	cw_buf_init(&out, CW_PAGE_MAX + 2 * CW_BODY_MAX);
	cw_http_head(web->engine, response, close, &out);
	cw_buf_put(&out,
	    response->body.len > 0 ? cw_buf_bytes(&response->body) :
				     response->fixed);
	if (close || out.err != CW_OK)
		mg_disable_connection_keep_alive(conn);
	if (out.err == CW_OK)
		(void)mg_write(conn, out.ptr, out.len);
	cw_buf_wipe(&out);
	return response->status;
}

/*
 * A connection that is closed with bytes unread is reset, and the answer is lost
 * with it (RFC 9112 9.6): what the client is still sending is read and thrown
 * away, so much of it and for so long.
 */
static void
drain(struct mg_connection *conn)
{
	uint64_t until = cw_clock_monotonic_ms() + DRAIN_MS;
	uint8_t nowhere[2048];
	size_t done = 0;
	int n;

	do {
		n = mg_read(conn, nowhere, sizeof(nowhere));
		done += n > 0 ? (size_t)n : 0;
	} while (n > 0 && done < DRAIN_MAX && cw_clock_monotonic_ms() < until);
}

/* For what is wrong with HTTP itself: the connection cannot go on. */
static int
refuse(struct cw_web *web, struct mg_connection *conn, int status)
{
	static const struct {
		int status;
		enum cw_err err;
	} errors[] = {
		{ 413, CW_ERR_TOO_LARGE },
		{ 503, CW_ERR_TOO_BUSY },
	};
	struct cw_http_response response;
	enum cw_err err = CW_ERR_MALFORMED;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].status == status)
			err = errors[i].err;
	cw_http_response_init(&response);
	cw_http_error(&response, err, false);
	response.status = status;
	send_response(web, conn, &response, true);
	cw_http_response_wipe(&response);
	return status;
}

/* When all threads are taken, a connection is not kept for a client that may be
 * waiting for its card. What the client says of it is civetweb's rule too. */
static bool
must_close(struct cw_web *web, const struct mg_request_info *info)
{
	struct cw_bytes wish = header_bytes(info, "Connection");

	if (wish.len == 0 ?
		strcmp(info->http_version, "1.1") != 0 :
		strcasestr((const char *)wish.ptr, "keep-alive") == NULL)
		return true;
	return atomic_load(&web->connections) > web->threads;
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

static int
answer(struct cw_web *web, struct mg_connection *conn,
    const struct mg_request_info *info, struct cw_bytes body)
{
	struct cw_http_request request = {
		.method = cw_bytes_str(info->request_method),
		.path = cw_bytes_str(info->local_uri),
		.media_type = header_bytes(info, "Content-Type"),
		.origin = header_bytes(info, "Origin"),
		.cookies = header_bytes(info, "Cookie"),
		.accept = header_bytes(info, "Accept"),
		.address = info->remote_addr,
		.body = body,
	};
	struct cw_http_response response;
	int status;

	cw_http_response_init(&response);
	cw_route_handle(web->engine, &request, &response);
	status = send_response(web, conn, &response, must_close(web, info));
	cw_http_response_wipe(&response);
	return status;
}

/* civetweb: anything above 0 means that all is done. */
static int
begin_request(struct mg_connection *conn)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	struct cw_web *web = info->user_data;
	uint8_t *body = NULL;
	size_t len;
	int status = body_length(info, &len);

	if (status != 0) {
		refuse(web, conn, status);
		drain(conn);
		return status;
	}
	if (len > 0 && (body = malloc(len)) == NULL)
		return refuse(web, conn, 503);
	/* Only then a place: a slow client must not hold one while it sends. */
	if (!read_body(conn, body, len)) {
		mg_disable_connection_keep_alive(conn);
		status = LAST_STATUS; /* nobody is there any more */
	} else if (!enter(web)) {
		status = refuse(web, conn, 503);
	} else {
		status = answer(web, conn, info, cw_bytes(body, len));
		leave(web);
	}
	free(body);
	return status;
}

/* What civetweb itself finds wrong, before begin_request. */
static int
http_error(struct mg_connection *conn, int status, const char *message)
{
	const struct mg_request_info *info = mg_get_request_info(conn);

	(void)message;
	if (info == NULL || info->user_data == NULL)
		return 1;
	refuse(info->user_data, conn, status);
	return 0;
}

/* ---- connections ---- */

static int
init_connection(const struct mg_connection *conn, void **data)
{
	struct cw_web *web = mg_get_user_data(mg_get_context(conn));

	atomic_fetch_add(&web->connections, 1);
	*data = web;
	return 0;
}

static void
connection_close(const struct mg_connection *conn)
{
	struct cw_web *web = mg_get_user_connection_data(conn);

	/* NULL: it never got past the TLS handshake. */
	if (web != NULL)
		atomic_fetch_sub(&web->connections, 1);
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
	struct mg_callbacks callbacks;
	char ports[160];
	char threads[16];
	const char *options[] = { "listening_ports", ports, "num_threads",
		threads, "enable_keep_alive", "yes", "keep_alive_timeout_ms",
		"5000", "request_timeout_ms", "10000", "tcp_nodelay", "1",
		"connection_queue", "64", "listen_backlog", "512",
		"max_request_size", "8192", "decode_url", "yes", NULL };
	struct mg_init_data init = { &callbacks, web, options };
	char text[256] = "";
	struct mg_error_data error = { .text = text,
		.text_buffer_size = sizeof(text) };

	snprintf(ports, sizeof(ports), "%s%s", config->listen,
	    config->plain ? "" : "s");
	snprintf(threads, sizeof(threads), "%u", web->threads + SPARE_THREADS);
	memset(&callbacks, 0, sizeof(callbacks));
	callbacks.begin_request = begin_request;
	callbacks.http_error = http_error;
	callbacks.init_connection = init_connection;
	callbacks.connection_close = connection_close;
	callbacks.log_message = log_message;
	callbacks.init_ssl = init_ssl;
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
	atomic_init(&web->connections, 0);
	pthread_mutex_init(&web->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&web->freed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	mg_init_library(MG_FEATURES_TLS);
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
	pthread_cond_destroy(&(*web)->freed);
	pthread_mutex_destroy(&(*web)->mutex);
	free(*web);
	*web = NULL;
}
