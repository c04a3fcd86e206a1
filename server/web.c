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
#include <time.h>

#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "server/gate.h"
#include "server/tls.h"
#include "server/web_head.h"

#define QUEUE_MS 1000u
#define DRAIN_MAX ((size_t)2 * 1024 * 1024)
#define LAST_STATUS 999
#define USUAL_RESPONSE 2048u /* head and message, for most of them */

/* Where requests come in. civetweb asks all that come to one context for a
 * certificate, or none. */
struct listener {
	struct cw_web *web;
	struct mg_context *context; /* NULL: there is none */
	bool is_holder;             /* asks for certificates */
};

struct cw_web {
	struct listener all, holder;
	struct cw_engine *engine;
	unsigned threads; /* configured: requests answered at once */
	pthread_mutex_t mutex;
	pthread_cond_t freed;
	unsigned busy; /* requests being answered */
	enum cw_err tls_err;
};

/* ---- requests ---- */

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
	uint8_t memory[USUAL_RESPONSE];
	struct cw_buf out;

	cw_buf_init_on(&out, CW_PAGE_MAX + 2 * CW_BODY_MAX, memory,
	    sizeof(memory));
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

/* TLS asks for a certificate once in a connection: who had none, or the wrong
 * one, is asked again in the next. */
static bool
asks_again(const struct cw_http_request *request,
    const struct cw_http_response *response)
{
	return request->is_holder && response->status >= 400;
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
		    asks_again(request, response) ||
			cw_web_must_close(mg_get_request_info(conn)));
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
	const struct listener *listener = info->user_data;
	struct cw_web *web = listener->web;
	struct cw_http_response response;
	struct cw_http_request request;
	struct cw_http_target target;
	char client[CW_ADDRESS_CHARS];
	size_t len;
	enum cw_err err = cw_web_check_head(info, &len);
	int status;

	cw_gate_enter(CW_GATE_BODY);
	cw_http_response_init(&response);
	if (err == CW_OK &&
	    !cw_web_find_client(web->engine->config, info, client))
		err = CW_ERR_TOO_BUSY;
	if (err != CW_OK) {
		status = refuse(web, conn, &response, err);
		drain(conn);
		cw_http_response_wipe(&response);
		return status;
	}
	request = cw_web_request(info, client, len);
	request.is_holder = listener->is_holder;
	if (request.is_holder)
		request.certificate = cw_tls_peer();
	if (cw_route_check(web->engine, &request, &target, &response)) {
		status = answer(web, conn, &request, &target, &response);
	} else {
		status = send_response(web, conn, &response,
		    len > 0 || cw_web_must_close(info));
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
	const struct listener *listener = info == NULL ? NULL : info->user_data;
	struct cw_http_response response;
	enum cw_err err = CW_ERR_INTERNAL;

	(void)message;
	if (listener == NULL)
		return 1;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].status == status)
			err = errors[i].err;
	if (cw_gate_is_over())
		err = CW_ERR_REQUEST_TOO_SLOW;
	cw_http_response_init(&response);
	refuse(listener->web, conn, &response, err);
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

/* The chain is asked for lazily; a browser without the names offers all that
 * its card has. */
static int
init_ssl(void *ssl_ctx, void *user_data)
{
	const struct listener *listener = user_data;
	struct cw_web *web = listener->web;
	const struct cw_config *config = web->engine->config;
	const struct cw_engine_chains *chains;
	struct cw_bytes issuer = CW_BYTES_NONE;

	web->tls_err =
	    cw_tls_set_up(ssl_ctx, config->tls_certificate, config->tls_key);
	if (web->tls_err == CW_OK && listener->is_holder) {
		if (cw_engine_chains(web->engine, &chains) == CW_OK &&
		    chains->info.n_ca > 0)
			issuer = chains->info.ca[0];
		web->tls_err = cw_tls_ask(ssl_ctx, issuer);
	}
	return web->tls_err == CW_OK ? 1 : -1;
}

/* ---- life ---- */

static enum cw_err
start(struct listener *listener, const char *listen, int fd)
{
	/* The gate gives the socket; what civetweb parses is no Unix path. */
	const char *address =
	    strncmp(listen, "unix:", 5) == 0 ? "127.0.0.1:1" : listen;
	struct cw_web *web = listener->web;
	struct mg_callbacks callbacks;
	char ports[160];
	char threads[16];
	/* The gate's times are shorter than these. */
	const char *options[] = { "listening_ports", ports, "num_threads",
		threads, "enable_keep_alive", "yes", "keep_alive_timeout_ms",
		"30000", "request_timeout_ms", "30000", "tcp_nodelay", "1",
		"connection_queue", "1024", "listen_backlog", "512",
		"max_request_size", "8192", "decode_url", "no", NULL };
	struct mg_init_data init = { &callbacks, listener, options };
	char text[256] = "";
	struct mg_error_data error = { .text = text,
		.text_buffer_size = sizeof(text) };

	snprintf(ports, sizeof(ports), "%s%s", address,
	    web->engine->config->plain ? "" : "s");
	snprintf(threads, sizeof(threads), "%u", CW_GATE_CONNECTIONS);
	memset(&callbacks, 0, sizeof(callbacks));
	callbacks.begin_request = begin_request;
	callbacks.end_request = end_request;
	callbacks.http_error = http_error;
	callbacks.init_connection = init_connection;
	callbacks.log_message = log_message;
	callbacks.init_ssl = init_ssl;
	cw_gate_give(fd);
	listener->context = mg_start2(&init, &error);
	if (listener->context != NULL)
		return CW_OK;
	return web->tls_err != CW_OK ?
	    web->tls_err :
	    cw_log_fail(CW_ERR_IO, "http.listen", "address=%s cause=\"%s\"",
		listen, text);
}

enum cw_err
cw_web_open(struct cw_engine *engine, struct cw_web **out)
{
	const struct cw_config *config = engine->config;
	struct cw_web *web = calloc(1, sizeof(*web));
	pthread_condattr_t monotonic;
	enum cw_err err;

	if (web == NULL)
		return CW_ERR_NO_MEMORY;
	web->engine = engine;
	web->all.web = web->holder.web = web;
	web->holder.is_holder = true;
	web->threads = config->threads;
	pthread_mutex_init(&web->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&web->freed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	mg_init_library(MG_FEATURES_TLS);
	err = cw_gate_open(config->plain);
	if (err == CW_OK)
		err = start(&web->all, config->listen, config->listen_fd);
	if (err == CW_OK && config->holder_listen[0] != '\0')
		err = start(&web->holder, config->holder_listen,
		    config->holder_listen_fd);
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
	if ((*web)->all.context != NULL)
		mg_stop((*web)->all.context);
	if ((*web)->holder.context != NULL)
		mg_stop((*web)->holder.context);
	mg_exit_library();
	cw_gate_shut();
	pthread_cond_destroy(&(*web)->freed);
	pthread_mutex_destroy(&(*web)->mutex);
	free(*web);
	*web = NULL;
}
