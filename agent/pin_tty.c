/* SPDX-License-Identifier: Apache-2.0 */
/* PIN entry on the controlling terminal, with echo off. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/pin_entry.h"
#include "agent/stop.h"
#include "proto/base/fdio.h"
#include "proto/base/secret.h"

struct entry_tty {
	struct cw_pin_entry base;
	int fd;
	unsigned timeout_s;
	struct cw_pin_value *again; /* guarded: the second time of two */
};

static enum cw_err
say(const struct entry_tty *entry, const char *text)
{
	return cw_fd_write(entry->fd, cw_bytes_str(text)) == CW_OK ?
	    CW_OK :
	    CW_ERR_NO_PIN_ENTRY;
}

/* One line; what is too long is read to its end all the same. */
static enum cw_err
read_line(const struct entry_tty *entry, struct cw_pin_value *out)
{
	bool is_too_long = false;

	out->len = 0;
	for (;;) {
		enum cw_err err =
		    cw_stop_poll(entry->fd, (int)entry->timeout_s * 1000);
		uint8_t c = 0;
		ssize_t n;

		if (err != CW_OK)
			return err;
		n = read(entry->fd, &c, 1);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return CW_ERR_NO_PIN_ENTRY;
		if (n == 0) /* control-D, or the terminal is gone */
			return CW_ERR_REFUSED;
		if (c == '\n' || c == '\r')
			return is_too_long ? CW_ERR_PIN_LENGTH : CW_OK;
		if (out->len == CW_PIN_MAX_BYTES)
			is_too_long = true;
		else
			out->bytes[out->len++] = c;
	}
}

static enum cw_err
read_hidden(const struct entry_tty *entry, const struct cw_pin_prompt *prompt,
    bool is_again, struct cw_pin_value *out)
{
	struct termios saved;
	struct termios hidden;
	char line[CW_PIN_LABEL_MAX];
	enum cw_err err;

	if (tcgetattr(entry->fd, &saved) != 0)
		return CW_ERR_NO_PIN_ENTRY;
	hidden = saved;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	hidden.c_lflag |= ICANON | ISIG;
	cw_stop_keep_terminal(entry->fd, &saved);
	if (tcsetattr(entry->fd, TCSAFLUSH, &hidden) != 0) {
		cw_stop_keep_terminal(-1, NULL);
		return CW_ERR_NO_PIN_ENTRY;
	}
	cw_pin_label(prompt, is_again, line);
	err = say(entry, line);
	if (err == CW_OK)
		err = say(entry, " ");
	if (err == CW_OK)
		err = read_line(entry, out);
	tcsetattr(entry->fd, TCSAFLUSH, &saved);
	cw_stop_keep_terminal(-1, NULL);
	(void)!say(entry, "\n");
	return err;
}

static enum cw_err
tty_ask(struct cw_pin_entry *base, const struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	struct entry_tty *entry = (struct entry_tty *)base;
	char text[CW_PIN_TEXT_MAX];
	enum cw_err err;

	cw_pin_text(prompt, text);
	err = say(entry, "\n");
	if (err == CW_OK)
		err = say(entry, text);
	if (err == CW_OK)
		err = say(entry, "\n");
	if (err == CW_OK)
		err = read_hidden(entry, prompt, false, out);
	if (err != CW_OK || !prompt->is_new)
		return err;
	err = read_hidden(entry, prompt, true, entry->again);
	if (err == CW_OK &&
	    !cw_secret_equal(cw_bytes(out->bytes, out->len),
		cw_bytes(entry->again->bytes, entry->again->len)))
		err = CW_ERR_PIN_MISMATCH;
	cw_wipe(entry->again, sizeof(*entry->again));
	return err;
}

static void
tty_close(struct cw_pin_entry *base)
{
	struct entry_tty *entry = (struct entry_tty *)base;

	close(entry->fd);
	cw_secret_free(&entry->again);
	free(entry);
}

struct cw_pin_entry *
cw_pin_entry_tty(unsigned timeout_s)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct entry_tty *entry;

	if (fd < 0)
		return NULL;
	entry = calloc(1, sizeof(*entry));
	if (entry != NULL)
		entry->again = cw_secret_new(sizeof(*entry->again));
	if (entry == NULL || entry->again == NULL) {
		close(fd);
		free(entry);
		return NULL;
	}
	entry->base = (struct cw_pin_entry){ .ask = tty_ask,
		.close = tty_close,
		.can_repeat = true,
		.name = "terminal" };
	entry->fd = fd;
	entry->timeout_s = timeout_s;
	return &entry->base;
}
