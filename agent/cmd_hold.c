/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of the holder share. */
#include "agent/cmd_hold.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/jsonl.h"
#include "agent/key_words.h"
#include "agent/show.h"
#include "agent/stop.h"
#include "proto/base/fdio.h"
#include "proto/base/secret.h"
#include "proto/rfc4648.h"

#define LINE_MAX_BYTES (4 * CW_RESPONSE_MAX)

void
cw_holding_init(struct cw_holding *h, const struct cw_options *options)
{
	*h = (struct cw_holding){ .options = options };
	cw_buf_init(&h->in, CW_USE_MAX);
	cw_buf_init(&h->out, LINE_MAX_BYTES);
	h->hold.tries_left = -1;
	cw_stop_install();
}

static bool
is_stream(const char *path)
{
	return path == NULL || strcmp(path, "-") == 0;
}

static enum cw_err
read_all(int fd, struct cw_buf *out)
{
	uint8_t part[1024];
	enum cw_err err = CW_OK;
	ssize_t n = 1;

	while (err == CW_OK && n != 0) {
		err = cw_stop_poll(fd, -1);
		if (err != CW_OK)
			break;
		n = read(fd, part, sizeof(part));
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			err = CW_ERR_IO;
		if (n > 0) {
			cw_buf_put(out, cw_bytes(part, (size_t)n));
			err = out->err;
		}
	}
	cw_wipe(part, sizeof(part));
	return err;
}

enum cw_err
cw_holding_read(struct cw_holding *h)
{
	const char *path = h->options->in;
	int fd = STDIN_FILENO;
	enum cw_err err;

	if (!is_stream(path))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? CW_ERR_NO_FILE : CW_ERR_IO;
	err = read_all(fd, &h->in);
	if (!is_stream(path))
		close(fd);
	return err;
}

enum cw_err
cw_holding_check_out(const struct cw_holding *h)
{
	if (!is_stream(h->options->out) || h->options->json ||
	    !isatty(STDOUT_FILENO))
		return CW_OK;
	fprintf(stderr,
	    "cardwright-agent: bytes would go to the terminal: give --out\n");
	return CW_ERR_USAGE;
}

enum cw_err
cw_holding_begin(struct cw_holding *h)
{
	const struct cw_options *o = h->options;
	enum cw_err err;

	h->reader = cw_reader_pcsc_open();
	h->pin_entry = o->pin_fd != UINT_MAX ?
	    cw_pin_entry_lines((int)o->pin_fd) :
	    cw_pin_entry_person(o->pinentry, o->timeout_s);
	if (h->reader == NULL || h->pin_entry == NULL)
		return CW_ERR_NO_MEMORY;
	h->hold.reader = h->reader;
	h->hold.reader_name = o->reader;
	h->hold.pin_entry = h->pin_entry;
	h->hold.language = cw_show_language();
	err = cw_hold_open(&h->hold);
	if (err == CW_OK && o->operand != NULL)
		err = cw_hold_find(&h->hold, o->operand);
	return err;
}

static void
begin_event(const struct cw_holding *h, struct cw_buf *line, const char *event)
{
	const struct cw_held_key *key = &h->hold.key;

	cw_buf_init(line, LINE_MAX_BYTES);
	cw_jsonl_open(line, NULL, '{');
	cw_jsonl_str(line, "event", event);
	cw_jsonl_str(line, "reader", h->hold.card.name);
	if (key->handle == 0)
		return;
	cw_jsonl_number(line, "number", key->handle);
	cw_jsonl_text(line, "name", key->attributes.name);
}

static void
put_hex(struct cw_buf *line, struct cw_bytes bytes)
{
	char *hex = malloc(2 * bytes.len + 1);

	if (hex == NULL) {
		line->err = CW_ERR_NO_MEMORY;
		return;
	}
	cw_base16_encode(bytes, hex);
	cw_jsonl_str(line, "data", hex);
	cw_wipe(hex, 2 * bytes.len);
	free(hex);
}

enum cw_err
cw_holding_write(struct cw_holding *h, const char *event, int32_t algorithm,
    unsigned mode)
{
	const char *path = h->options->out;
	const struct cw_bytes bytes = cw_buf_bytes(&h->out);
	struct cw_buf line;
	enum cw_err err = CW_OK;

	if (h->out.err != CW_OK)
		return h->out.err;
	if (!is_stream(path))
		err = cw_file_store(path, bytes, (mode_t)mode);
	else if (!h->options->json)
		err = cw_fd_write(STDOUT_FILENO, bytes);
	if (err != CW_OK || !h->options->json)
		return err;
	begin_event(h, &line, event);
	if (algorithm != 0)
		cw_jsonl_str(&line, "algorithm", cw_algorithm_name(algorithm));
	cw_jsonl_number(&line, "bytes", bytes.len);
	if (is_stream(path))
		put_hex(&line, bytes);
	else
		cw_jsonl_str(&line, "file", path);
	cw_jsonl_close(&line, '}');
	err = line.err;
	cw_jsonl_print(&line);
	return err;
}

void
cw_holding_say(const struct cw_holding *h, const char *event, const char *key)
{
	struct cw_buf line;

	if (!h->options->json) {
		printf("%s\n", cw_message(h->hold.language, key));
		return;
	}
	begin_event(h, &line, event);
	cw_jsonl_close(&line, '}');
	cw_jsonl_print(&line);
}

int
cw_holding_end(struct cw_holding *h, enum cw_err err)
{
	uint16_t sw = h->hold.card.sw;
	int tries = h->hold.tries_left;

	cw_hold_close(&h->hold);
	cw_pin_entry_close(&h->pin_entry);
	cw_reader_close(&h->reader);
	cw_buf_wipe(&h->in);
	cw_buf_wipe(&h->out);
	if (cw_stop_requested())
		return cw_stop_exit_status();
	if (err == CW_ERR_USAGE)
		return cw_err_exit_status(err);
	/* Tries are told of what was wrong, not of what came after it. */
	if (cw_err_category(err) != CW_CAT_PERSON &&
	    cw_err_category(err) != CW_CAT_CARD)
		tries = -1;
	return err == CW_OK ?
	    0 :
	    cw_show_pin_error(h->options->json, err, sw, tries);
}
