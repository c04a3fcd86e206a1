/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, one value a line. */
#include "tests/support/json_write.h"

#include <inttypes.h>

static void
begin(struct cw_json_writer *w, const char *name)
{
	if (w->depth > 0)
		fprintf(w->file, "%s\n", w->has_value ? "," : "");
	for (unsigned i = 0; i < w->depth; i++)
		fputs("  ", w->file);
	if (name != NULL)
		fprintf(w->file, "\"%s\": ", name);
	w->has_value = true;
}

void
cw_json_open(struct cw_json_writer *w, const char *name, char bracket)
{
	begin(w, name);
	fputc(bracket, w->file);
	w->depth++;
	w->has_value = false;
}

void
cw_json_close(struct cw_json_writer *w, char bracket)
{
	w->depth--;
	fputc('\n', w->file);
	for (unsigned i = 0; i < w->depth; i++)
		fputs("  ", w->file);
	fputc(bracket, w->file);
	w->has_value = true;
	if (w->depth == 0)
		fputc('\n', w->file);
}

void
cw_json_put_hex(struct cw_json_writer *w, const char *name,
    struct cw_bytes bytes)
{
	begin(w, name);
	fputc('"', w->file);
	for (size_t i = 0; i < bytes.len; i++)
		fprintf(w->file, "%02x", bytes.ptr[i]);
	fputc('"', w->file);
}

void
cw_json_put_number(struct cw_json_writer *w, const char *name, uint64_t number)
{
	begin(w, name);
	fprintf(w->file, "%" PRIu64, number);
}

void
cw_json_put_null(struct cw_json_writer *w, const char *name)
{
	begin(w, name);
	fputs("null", w->file);
}

void
cw_json_put_text(struct cw_json_writer *w, const char *name, const char *text)
{
	begin(w, name);
	fprintf(w->file, "\"%s\"", text);
}

void
cw_json_put_list(struct cw_json_writer *w, const char *name,
    const struct cw_bytes *list, size_t n)
{
	cw_json_open(w, name, '[');
	for (size_t i = 0; i < n; i++)
		cw_json_put_hex(w, NULL, list[i]);
	cw_json_close(w, ']');
}
