/* SPDX-License-Identifier: Apache-2.0 */
/* The load client: card on one side, libcurl on the other, nothing between. */
#include "tests/load/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "card/card.h"
#include "proto/apdu.h"
#include "proto/batch.h"
#include "proto/card_link.h"
#include "proto/intent.h"
#include "proto/request.h"

#define URL_MAX 1024

struct cw_load_client {
	CURL *curl;
	struct curl_slist *page_headers, *session_headers;
	const char *url;
	struct cw_bytes personalisation;
	struct cw_buf body;     /* the last answer */
	char location[URL_MAX]; /* its Location header */
	long status;
	struct cw_card *card;
	struct cw_buf apdu, answer; /* the last exchange with the card */
	uint8_t session_id[CW_SESSION_ID_BYTES];
};

/* ---- HTTP ---- */

static size_t
take_body(char *data, size_t size, size_t n, void *ctx)
{
	struct cw_load_client *c = ctx;

	cw_buf_put(&c->body, cw_bytes((const uint8_t *)data, size * n));
	return c->body.err == CW_OK ? size * n : 0;
}

static size_t
take_header(char *data, size_t size, size_t n, void *ctx)
{
	static const char name[] = "location: ";
	struct cw_load_client *c = ctx;
	size_t len = size * n;

	if (len > sizeof(name) && len < URL_MAX &&
	    curl_strnequal(data, name, sizeof(name) - 1)) {
		memcpy(c->location, data + sizeof(name) - 1,
		    len - sizeof(name) + 1);
		c->location[len - sizeof(name) + 1] = '\0';
		c->location[strcspn(c->location, "\r\n")] = '\0';
	}
	return len;
}

static struct curl_slist *
headers(const char *url, const char *type)
{
	char line[URL_MAX];
	struct curl_slist *list;

	snprintf(line, sizeof(line), "Origin: %s", url);
	list = curl_slist_append(NULL, line);
	snprintf(line, sizeof(line), "Content-Type: %s", type);
	list = curl_slist_append(list, line);
	return curl_slist_append(list, "Expect:");
}

struct cw_load_client *
cw_load_client_new(const char *url, const char *ca,
    struct cw_bytes personalisation)
{
	struct cw_load_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->url = url;
	c->personalisation = personalisation;
	cw_buf_init(&c->body, 1 << 20);
	cw_buf_init(&c->apdu, CW_APDU_MAX);
	cw_buf_init(&c->answer, CW_RESPONSE_MAX);
	c->page_headers = headers(url, "application/x-www-form-urlencoded");
	c->session_headers = headers(url, CW_MEDIA_TYPE);
	c->curl = curl_easy_init();
	curl_easy_setopt(c->curl, CURLOPT_CAINFO, ca);
	curl_easy_setopt(c->curl, CURLOPT_COOKIEFILE, "");
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	return c;
}

void
cw_load_client_free(struct cw_load_client **client)
{
	struct cw_load_client *c = *client;

	if (c == NULL)
		return;
	cw_card_free(&c->card);
	curl_easy_cleanup(c->curl);
	curl_slist_free_all(c->page_headers);
	curl_slist_free_all(c->session_headers);
	cw_buf_wipe(&c->body);
	cw_buf_wipe(&c->apdu);
	cw_buf_wipe(&c->answer);
	free(c);
	*client = NULL;
}

struct cw_bytes
cw_load_client_body(const struct cw_load_client *client)
{
	return cw_buf_bytes(&client->body);
}

/* One request; `body` NULL means GET. The answer is in c->body. */
static enum cw_err
request(struct cw_load_client *c, const char *url,
    const struct curl_slist *list, const struct cw_bytes *body)
{
	CURLcode code;

	cw_buf_reset(&c->body);
	c->location[0] = '\0';
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, list);
	if (body == NULL) {
		curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
	} else {
		curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE,
		    (long)body->len);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS,
		    body->len > 0 ? (const char *)body->ptr : "");
	}
	code = curl_easy_perform(c->curl);
	if (code != CURLE_OK) {
		fprintf(stderr, "%s: %s\n", url, curl_easy_strerror(code));
		return CW_ERR_NO_CONNECTION;
	}
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &c->status);
	return CW_OK;
}

static enum cw_err
expect(struct cw_load_client *c, long low, long high)
{
	if (c->status >= low && c->status <= high)
		return CW_OK;
	fprintf(stderr, "HTTP %ld where %ld was expected\n", c->status, low);
	return c->status == 503 ? CW_ERR_TOO_BUSY : CW_ERR_HTTP_STATUS;
}

enum cw_err
cw_load_client_health(struct cw_load_client *c, bool fresh)
{
	char url[URL_MAX];
	enum cw_err err;

	snprintf(url, sizeof(url), "%s/healthz", c->url);
	curl_easy_setopt(c->curl, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
	curl_easy_setopt(c->curl, CURLOPT_FORBID_REUSE, fresh ? 1L : 0L);
	curl_easy_setopt(c->curl, CURLOPT_SSL_SESSIONID_CACHE, fresh ? 0L : 1L);
	err = request(c, url, NULL, NULL);
	curl_easy_setopt(c->curl, CURLOPT_FRESH_CONNECT, 0L);
	curl_easy_setopt(c->curl, CURLOPT_FORBID_REUSE, 0L);
	return err == CW_OK ? expect(c, 200, 200) : err;
}

enum cw_err
cw_load_client_join(struct cw_load_client *c, const char *invitation)
{
	const struct cw_bytes nothing = CW_BYTES_NONE;
	enum cw_err err = request(c, invitation, c->page_headers, &nothing);

	return err == CW_OK ? expect(c, 303, 303) : err;
}

/* ---- the card ---- */

static enum cw_err
card(struct cw_load_client *c, uint8_t cla, uint8_t ins, uint8_t p1,
    struct cw_bytes data)
{
	const struct cw_apdu apdu = { .cla = cla,
		.ins = ins,
		.p1 = p1,
		.data = data,
		.le = ins == CW_INS_SELECT ? CW_LE_NONE : CW_LE_EXTENDED,
		.extended = true };
	size_t n;

	cw_buf_reset(&c->apdu);
	cw_apdu_encode(&apdu, &c->apdu);
	cw_card_transmit(c->card, cw_buf_bytes(&c->apdu), &c->answer);
	n = c->answer.len;
	if (n < 2)
		return CW_ERR_CARD_SAYS;
	switch (c->answer.ptr[n - 2] << 8 | c->answer.ptr[n - 1]) {
	case CW_SW_OK:
		c->answer.len -= 2;
		return CW_OK;
	case CW_SW_PIN_NEEDED:
		return CW_ERR_PIN_WRONG;
	default:
		fprintf(stderr, "card: INS %02X SW %02X%02X\n", ins,
		    c->answer.ptr[n - 2], c->answer.ptr[n - 1]);
		return CW_ERR_CARD_SAYS;
	}
}

static enum cw_err
new_card(struct cw_load_client *c)
{
	const struct cw_card_config memory_only = { 0 };
	enum cw_err err;

	cw_card_free(&c->card);
	err = cw_card_open(&memory_only, &c->card);
	if (err == CW_OK)
		err = cw_card_personalise(c->card, c->personalisation);
	if (err == CW_OK)
		err = card(c, 0x00, CW_INS_SELECT, 0x04,
		    cw_bytes((const uint8_t *)CW_AID, CW_AID_BYTES));
	return err;
}

static enum cw_err
set_pin(struct cw_load_client *c)
{
	struct cw_set_pin set = { .pin = cw_bytes_str("271828"),
		.puk = cw_bytes_str("31415926") };
	struct cw_buf data;
	enum cw_err err;

	memcpy(set.session_id, c->session_id, sizeof(set.session_id));
	cw_buf_init(&data, 1024);
	cw_set_pin_encode(&set, &data);
	err = card(c, 0x80, CW_INS_SET_PIN, 0, cw_buf_bytes(&data));
	cw_buf_wipe(&data);
	return err;
}

static enum cw_err
command(struct cw_load_client *c, struct cw_bytes item)
{
	struct cw_buf data;
	enum cw_err err;

	cw_buf_init(&data, CW_COMMAND_MAX + CW_SESSION_ID_BYTES);
	cw_buf_put(&data, CW_BYTES_ARRAY(c->session_id));
	cw_buf_put(&data, item);
	err = card(c, 0x80, CW_INS_COMMAND, 0, cw_buf_bytes(&data));
	if (err == CW_ERR_PIN_WRONG) {
		err = set_pin(c);
		if (err == CW_OK)
			err = card(c, 0x80, CW_INS_COMMAND, 0,
			    cw_buf_bytes(&data));
	}
	cw_buf_wipe(&data);
	return err;
}

/* Runs the batch in c->body on the card; the replies go to `message`. */
static enum cw_err
run_batch(struct cw_load_client *c, struct cw_buf *message)
{
	struct cw_batch batch;
	struct cw_batch replies = { .n = 0 };
	struct cw_buf kept[8];
	enum cw_err err = cw_batch_decode(cw_buf_bytes(&c->body), &batch);

	if (err == CW_OK && batch.n > 8)
		return CW_ERR_TOO_LARGE;
	for (size_t i = 0; err == CW_OK && i < batch.n; i++) {
		err = command(c, batch.items[i]);
		cw_buf_init(&kept[i], CW_COMMAND_MAX);
		cw_buf_put(&kept[i], cw_buf_bytes(&c->answer));
		replies.items[replies.n++] = cw_buf_bytes(&kept[i]);
	}
	cw_buf_reset(message);
	if (err == CW_OK)
		cw_replies_encode(&replies, message);
	for (size_t i = 0; i < replies.n; i++)
		cw_buf_wipe(&kept[i]);
	return err;
}

/* ---- one session ---- */

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static enum cw_err
timed(struct cw_load_client *c, const char *url, const struct cw_bytes *body,
    uint64_t *us)
{
	uint64_t start = now_us();
	enum cw_err err =
	    request(c, url, body == NULL ? NULL : c->session_headers, body);

	*us = now_us() - start;
	return err == CW_OK ? expect(c, 200, 204) : err;
}

static enum cw_err
capabilities(struct cw_load_client *c, struct cw_intent *intent,
    struct cw_buf *message)
{
	struct cw_capabilities caps = { .agent = cw_bytes_str("load") };
	enum cw_err err = cw_intent_decode(cw_buf_bytes(&c->body), intent);

	cw_hash(cw_buf_bytes(&c->body), caps.intent_hash);
	if (err == CW_OK)
		err = card(c, 0x80, CW_INS_GET_CAPABILITIES, 0, CW_BYTES_NONE);
	caps.card_caps = cw_buf_bytes(&c->answer);
	cw_buf_reset(message);
	cw_capabilities_encode(&caps, message);
	return err;
}

static enum cw_err
open_session(struct cw_load_client *c, struct cw_buf *message)
{
	struct cw_bytes r = cw_buf_bytes(&c->body);
	enum cw_err err = card(c, 0x80, CW_INS_OPEN_SESSION, 0, r);

	cw_buf_reset(message);
	cw_buf_put(message, cw_buf_bytes(&c->answer));
	return err;
}

/* The id is in R itself: payload, fourth item. */
static enum cw_err
read_session_id(struct cw_load_client *c)
{
	struct cw_request *q = calloc(1, sizeof(*q));
	enum cw_err err = q == NULL ?
	    CW_ERR_NO_MEMORY :
	    cw_request_decode(cw_buf_bytes(&c->body), q);

	if (err == CW_OK)
		memcpy(c->session_id, q->session_id, sizeof(c->session_id));
	free(q);
	return err;
}

static enum cw_err
run(struct cw_load_client *c, enum cw_load_step last, uint64_t *step_us,
    struct cw_buf *message)
{
	struct cw_intent intent;
	struct cw_bytes body;
	char url[URL_MAX];
	enum cw_err err;

	snprintf(url, sizeof(url), "%s/intent", c->url);
	err = timed(c, url, NULL, &step_us[CW_LOAD_INTENT]);
	if (err == CW_OK)
		err = capabilities(c, &intent, message);
	snprintf(url, sizeof(url), "%s/session", c->url);
	body = cw_buf_bytes(message);
	if (err == CW_OK)
		err = timed(c, url, &body, &step_us[CW_LOAD_REQUEST]);
	snprintf(url, sizeof(url), "%s%.900s",
	    c->location[0] == '/' ? c->url : "", c->location);
	if (err == CW_OK)
		err = read_session_id(c);
	if (err == CW_OK)
		err = open_session(c, message);
	for (enum cw_load_step step = CW_LOAD_TOKEN;
	     err == CW_OK && step <= last; step++) {
		body = cw_buf_bytes(message);
		err = timed(c, url, &body, &step_us[step]);
		if (err == CW_OK && step < CW_LOAD_RESULT)
			err = run_batch(c, message);
	}
	return err;
}

enum cw_err
cw_load_client_session(struct cw_load_client *client, enum cw_load_step last,
    uint64_t step_us[CW_LOAD_STEPS])
{
	struct cw_buf message;
	enum cw_err err = new_card(client);

	cw_buf_init(&message, CW_BODY_MAX);
	if (err == CW_OK)
		err = run(client, last, step_us, &message);
	cw_buf_wipe(&message);
	return err;
}
