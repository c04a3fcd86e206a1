/* SPDX-License-Identifier: Apache-2.0 */
/* Reading Forwarded and X-Forwarded-For. */
#include "server/forwarded.h"

#include <arpa/inet.h>
#include <strings.h>

/* What stands behind the last `mark`. A quoted text that has one in it leaves a
 * rest that is no address. */
static struct cw_bytes
last(struct cw_bytes b, char mark)
{
	const uint8_t *at = b.len == 0 ? NULL : memrchr(b.ptr, mark, b.len);

	return at == NULL ? b :
			    cw_bytes(at + 1, b.len - (size_t)(at + 1 - b.ptr));
}

/* The parameter "for" of a forwarded-element (RFC 7239 4). */
static struct cw_bytes
for_of(struct cw_bytes element)
{
	while (element.len > 0) {
		const uint8_t *end = memchr(element.ptr, ';', element.len);
		size_t n =
		    end == NULL ? element.len : (size_t)(end - element.ptr);
		struct cw_bytes pair = cw_bytes_trim(cw_bytes(element.ptr, n));

		if (pair.len > 4 &&
		    strncasecmp((const char *)pair.ptr, "for=", 4) == 0)
			return cw_bytes(pair.ptr + 4, pair.len - 4);
		n += end != NULL;
		element = cw_bytes(element.ptr + n, element.len - n);
	}
	return CW_BYTES_NONE;
}

static struct cw_bytes
without_quotes(struct cw_bytes b)
{
	if (b.len >= 2 && b.ptr[0] == '"' && b.ptr[b.len - 1] == '"')
		return cw_bytes(b.ptr + 1, b.len - 2);
	return b;
}

/* Without a port: "a.b.c.d:port", "[v6]:port", "[v6]"; a bare v6 has none. */
static struct cw_bytes
without_port(struct cw_bytes b)
{
	const uint8_t *end;

	if (b.len == 0)
		return b;
	if (b.ptr[0] == '[') {
		end = memchr(b.ptr, ']', b.len);
		return end == NULL ?
		    CW_BYTES_NONE :
		    cw_bytes(b.ptr + 1, (size_t)(end - b.ptr - 1));
	}
	end = memchr(b.ptr, ':', b.len);
	if (end != NULL && end == memrchr(b.ptr, ':', b.len))
		b.len = (size_t)(end - b.ptr);
	return b;
}

bool
cw_forwarded_address(const char *header, struct cw_bytes value,
    char out[CW_ADDRESS_CHARS])
{
	struct cw_bytes b = cw_bytes_trim(last(value, ','));
	uint8_t address[16];

	if (strcasecmp(header, "Forwarded") == 0)
		b = without_quotes(for_of(b));
	b = without_port(b);
	if (b.len == 0 || b.len >= CW_ADDRESS_CHARS)
		return false;
	memcpy(out, b.ptr, b.len);
	out[b.len] = '\0';
	return strlen(out) == b.len &&
	    (inet_pton(AF_INET, out, address) == 1 ||
		inet_pton(AF_INET6, out, address) == 1);
}
