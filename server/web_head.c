/* SPDX-License-Identifier: Apache-2.0 */
/* A request's head: what is wrong with it as HTTP, and what it says. */
#include "server/web_head.h"

#include <civetweb.h>
#include <stdio.h>
#include <strings.h>

#include "server/gate.h"
#include "server/limit.h"

static const char *
header(const struct mg_request_info *info, const char *name, unsigned *count)
{
	const char *value = NULL;

	*count = 0;
	for (int i = 0; i < info->num_headers; i++) {
		const char *other = info->http_headers[i].name;

		/* Letters differ from their other case in this bit alone. */
		if (((other[0] ^ name[0]) & ~0x20) != 0 ||
		    strcasecmp(other, name) != 0)
			continue;
		if ((*count)++ == 0)
			value = info->http_headers[i].value;
	}
	return value;
}

struct cw_bytes
cw_web_header(const struct mg_request_info *info, const char *name)
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

enum cw_err
cw_web_check_head(const struct mg_request_info *info, size_t *len)
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

bool
cw_web_must_close(const struct mg_request_info *info)
{
	struct cw_bytes wish = cw_web_header(info, "Connection");

	return wish.len == 0 ?
	    strcmp(info->http_version, "1.1") != 0 :
	    strcasestr((const char *)wish.ptr, "keep-alive") == NULL;
}

bool
cw_web_find_client(const struct cw_config *config,
    const struct mg_request_info *info, char out[CW_ADDRESS_CHARS])
{
	const char *name = config->forwarded_header;
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

struct cw_http_request
cw_web_request(const struct mg_request_info *info, const char *client,
    size_t body_len)
{
	return (struct cw_http_request){
		.method = cw_bytes_str(info->request_method),
		.path = cw_bytes_str(info->local_uri),
		.media_type = cw_web_header(info, "Content-Type"),
		.origin = cw_web_header(info, "Origin"),
		.cookies = cw_web_header(info, "Cookie"),
		.accept = cw_web_header(info, "Accept"),
		.languages = cw_web_header(info, "Accept-Language"),
		.address = client,
		.body_len = body_len,
	};
}
