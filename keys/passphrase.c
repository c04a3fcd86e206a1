/* SPDX-License-Identifier: Apache-2.0 */
/* Passphrases: typed without echo, or read from a descriptor. */
#include "keys/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "proto/base/fdio.h"
#include "proto/base/secret.h"

void
cw_passphrase_init(struct cw_passphrase *p, int fd)
{
	*p = (struct cw_passphrase){ .fd = fd };
}

void
cw_passphrase_wipe(struct cw_passphrase *p)
{
	cw_secret_free(&p->text);
	p->len = 0;
}

/* Fills `text` up to a line's end or the end of input. */
static enum cw_err
read_line(int fd, char *text, size_t *len)
{
	bool seeks = lseek(fd, 0, SEEK_CUR) >= 0;
	size_t n = 0;

	for (;;) {
		ssize_t got;

		if (n == CW_PASSPHRASE_MAX)
			return CW_ERR_PIN_LENGTH;
		got = seeks ? pread(fd, text + n, 1, (off_t)n) :
			      read(fd, text + n, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return CW_ERR_IO;
		if (got == 0 || text[n] == '\n')
			break;
		n++;
	}
	*len = n;
	return n == 0 ? CW_ERR_PIN_LENGTH : CW_OK;
}

static enum cw_err
prompt(int tty, const char *what, const char *again, char *text, size_t *len)
{
	struct termios before, quiet;
	char line[256];
	enum cw_err err;

	if (tcgetattr(tty, &before) != 0)
		return CW_ERR_NO_PIN_ENTRY;
	snprintf(line, sizeof(line), "Passphrase of %s%s: ", what, again);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(tty, TCSAFLUSH, &quiet);
	err = cw_fd_write(tty, cw_bytes_str(line));
	if (err == CW_OK)
		err = read_line(tty, text, len);
	tcsetattr(tty, TCSAFLUSH, &before);
	if (err == CW_OK)
		err = cw_fd_write(tty, cw_bytes_str("\n"));
	return err;
}

static enum cw_err
ask(struct cw_passphrase *p, const char *what, bool twice)
{
	char *second = cw_secret_new(CW_PASSPHRASE_MAX + 1);
	size_t len = 0;
	enum cw_err err;
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);

	err = tty < 0      ? CW_ERR_NO_PIN_ENTRY :
	    second == NULL ? CW_ERR_NO_MEMORY :
			     prompt(tty, what, "", p->text, &p->len);
	if (err == CW_OK && twice) {
		err = prompt(tty, what, ", again", second, &len);
		if (err == CW_OK &&
		    !cw_secret_equal(cw_bytes((const uint8_t *)second, len),
			cw_bytes((const uint8_t *)p->text, p->len)))
			err = CW_ERR_PIN_MISMATCH;
	}
	if (tty >= 0)
		close(tty);
	cw_secret_free(&second);
	return err;
}

enum cw_err
cw_passphrase_get(struct cw_passphrase *p, const char *what, bool twice,
    struct cw_bytes *out)
{
	enum cw_err err = CW_OK;

	if (p->text == NULL) {
		p->text = cw_secret_new(CW_PASSPHRASE_MAX + 1);
		if (p->text == NULL)
			return CW_ERR_NO_MEMORY;
		err = p->fd >= 0 ? read_line(p->fd, p->text, &p->len) :
				   ask(p, what, twice);
		if (err == CW_OK && twice && p->len < CW_PASSPHRASE_MIN)
			err = CW_ERR_PIN_LENGTH;
	}
	if (err != CW_OK)
		cw_passphrase_wipe(p);
	*out = cw_bytes((const uint8_t *)p->text, p->len);
	return err;
}
