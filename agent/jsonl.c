/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON writer. */
#include "agent/jsonl.h"

#include <inttypes.h>
#include <unistd.h>

#include "proto/base/fdio.h"
#include "proto/text.h"

static void
put_escaped(struct cw_buf *b, struct cw_bytes text)
{
	bool is_utf8 = cw_text_is_utf8(text);

	cw_buf_put_u8(b, '"');
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];

		if (c == '"' || c == '\\')
			cw_buf_printf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			cw_buf_printf(b, "\\u%04x", c);
		else
			cw_buf_put_u8(b, c < 0x80 || is_utf8 ? c : '?');
	}
	cw_buf_put_u8(b, '"');
}

static void
put_name(struct cw_buf *b, const char *name)
{
	if (b->len > 0 && b->ptr[b->len - 1] != '{' &&
	    b->ptr[b->len - 1] != '[')
		cw_buf_put_u8(b, ',');
	if (name != NULL) {
		put_escaped(b, cw_bytes_str(name));
		cw_buf_put_u8(b, ':');
	}
}

void
cw_jsonl_open(struct cw_buf *b, const char *name, char bracket)
{
	put_name(b, name);
	cw_buf_put_u8(b, (uint8_t)bracket);
}

void
cw_jsonl_close(struct cw_buf *b, char bracket)
{
	cw_buf_put_u8(b, (uint8_t)bracket);
}

void
cw_jsonl_text(struct cw_buf *b, const char *name, struct cw_bytes text)
{
	put_name(b, name);
	put_escaped(b, text);
}

void
cw_jsonl_str(struct cw_buf *b, const char *name, const char *text)
{
	cw_jsonl_text(b, name, cw_bytes_str(text));
}

void
cw_jsonl_number(struct cw_buf *b, const char *name, uint64_t v)
{
	put_name(b, name);
	cw_buf_printf(b, "%" PRIu64, v);
}

void
cw_jsonl_null(struct cw_buf *b, const char *name)
{
	put_name(b, name);
	cw_buf_put_str(b, "null");
}

void
cw_jsonl_bool(struct cw_buf *b, const char *name, bool v)
{
	put_name(b, name);
	cw_buf_put_str(b, v ? "true" : "false");
}

void
cw_jsonl_print(struct cw_buf *b)
{
	enum cw_err ignored;

	cw_buf_put_u8(b, '\n');
	if (b->err == CW_OK) {
		/* Nobody listens any more: the session goes on all the same. */
		ignored = cw_fd_write(STDOUT_FILENO, cw_buf_bytes(b));
		(void)ignored;
	}
	cw_buf_wipe(b);
}
