/* SPDX-License-Identifier: Apache-2.0 */
/* PIN entry for scripts: lines from a descriptor. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/pin_entry.h"
#include "agent/stop.h"
#include "proto/base/secret.h"

#define LINES 2

struct lines {
	struct cw_pin_value line[LINES];
	bool is_there[LINES];
	bool is_too_long[LINES];
};

struct entry_fd {
	struct cw_pin_entry base;
	int fd;
	bool is_read, is_in_order;
	struct lines *lines; /* guarded */
};

/* Byte by byte, so that nothing behind the lines is taken. */
static enum cw_err
read_line(int fd, struct cw_pin_value *line, bool *is_there, bool *is_too_long)
{
	*is_there = *is_too_long = false;
	line->len = 0;
	for (;;) {
		enum cw_err err = cw_stop_poll(fd, -1);
		uint8_t c = 0;
		ssize_t n;

		if (err != CW_OK)
			return err;
		n = read(fd, &c, 1);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return CW_ERR_IO;
		if (n == 0)
			return CW_OK;
		*is_there = true;
		if (c == '\n')
			return CW_OK;
		if (c == '\r')
			continue;
		if (line->len == CW_PIN_MAX_BYTES)
			*is_too_long = true;
		else
			line->bytes[line->len++] = c;
	}
}

/* Which line is meant, read if it has not been: all of them at once, or one for
 * each question. */
static enum cw_err
choose_line(struct entry_fd *entry, const struct cw_pin_prompt *prompt,
    size_t *which)
{
	struct lines *lines = entry->lines;
	size_t n = entry->is_in_order ? 1 : LINES;
	enum cw_err err = CW_OK;

	*which = !entry->is_in_order && prompt->what == CW_PIN_PUK ? 1 : 0;
	if (entry->is_read && !entry->is_in_order)
		return CW_OK;
	for (size_t i = 0; i < n && err == CW_OK; i++)
		err = read_line(entry->fd, &lines->line[i], &lines->is_there[i],
		    &lines->is_too_long[i]);
	entry->is_read = err == CW_OK;
	return err;
}

static enum cw_err
fd_ask(struct cw_pin_entry *base, const struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	struct entry_fd *entry = (struct entry_fd *)base;
	struct lines *lines = entry->lines;
	size_t which;
	enum cw_err err;

	/* The same line again would be wrong again, and cost a try. */
	if (prompt->last != CW_OK)
		return prompt->last;
	err = choose_line(entry, prompt, &which);
	if (err != CW_OK)
		return err;
	if (!lines->is_there[which])
		return CW_ERR_NO_PIN_ENTRY;
	if (lines->is_too_long[which])
		return CW_ERR_PIN_LENGTH;
	*out = lines->line[which];
	return CW_OK;
}

static void
fd_close(struct cw_pin_entry *base)
{
	struct entry_fd *entry = (struct entry_fd *)base;

	cw_secret_free(&entry->lines);
	free(entry);
}

struct cw_pin_entry *
cw_pin_entry_fd(int fd)
{
	struct entry_fd *entry = calloc(1, sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->base = (struct cw_pin_entry){ .ask = fd_ask,
		.close = fd_close,
		.name = "fd" };
	entry->fd = fd;
	entry->lines = cw_secret_new(sizeof(*entry->lines));
	if (entry->lines == NULL) {
		free(entry);
		return NULL;
	}
	return &entry->base;
}

struct cw_pin_entry *
cw_pin_entry_lines(int fd)
{
	struct cw_pin_entry *entry = cw_pin_entry_fd(fd);

	if (entry != NULL)
		((struct entry_fd *)entry)->is_in_order = true;
	return entry;
}
