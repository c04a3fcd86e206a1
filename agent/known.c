/* SPDX-License-Identifier: Apache-2.0 */
/* The file of remembered issuers. */
#include "agent/known.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/fdio.h"
#include "proto/base/log.h"
#include "proto/rfc4648.h"

#define LINE_MAX_BYTES 1024
#define LOCK_TRIES 50 /* times 20 ms */

static const char *const states[] = { "-", "begun", "finished" };

enum cw_err
cw_known_init(struct cw_known *known, const char *path)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int n;

	/* The XDG base directory specification: relative paths do not count. */
	if (path != NULL)
		n = snprintf(known->path, sizeof(known->path), "%s", path);
	else if (state != NULL && state[0] == '/')
		n = snprintf(known->path, sizeof(known->path),
		    "%s/cardwright/issuers", state);
	else if (home != NULL && home[0] == '/')
		n = snprintf(known->path, sizeof(known->path),
		    "%s/.local/state/cardwright/issuers", home);
	else
		return CW_ERR_BAD_CONFIG;
	return n > 0 && (size_t)n < sizeof(known->path) ? CW_OK :
							  CW_ERR_BAD_CONFIG;
}

/* The part before the next space; false when there is none. */
static bool
word(struct cw_bytes *line, struct cw_bytes *out)
{
	const uint8_t *space = memchr(line->ptr, ' ', line->len);
	size_t len = space == NULL ? line->len : (size_t)(space - line->ptr);

	*out = cw_bytes(line->ptr, len);
	line->ptr += space == NULL ? len : len + 1;
	line->len -= space == NULL ? len : len + 1;
	return len > 0;
}

static bool
number(struct cw_bytes text, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9' || text.len > 18)
			return false;
		*out = *out * 10 + (uint64_t)(text.ptr[i] - '0');
	}
	return text.len > 0;
}

static bool
parse(struct cw_bytes line, struct cw_known_issuer *out)
{
	struct cw_bytes origin, hash, seen, session, state;

	memset(out, 0, sizeof(*out));
	if (!word(&line, &origin) || !word(&line, &hash) ||
	    !word(&line, &seen) || !word(&line, &session) ||
	    !word(&line, &state) || line.len != 0 || origin.len > CW_URI_MAX ||
	    !number(seen, &out->first_seen_s) ||
	    !cw_base16_decode(hash, out->key_hash, CW_HASH_BYTES))
		return false;
	memcpy(out->origin, origin.ptr, origin.len);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (cw_bytes_is(state, states[i]))
			out->state = (enum cw_known_session)i;
	if (cw_bytes_is(session, "-"))
		return cw_bytes_is(state, "-");
	return out->state != CW_KNOWN_NO_SESSION &&
	    cw_base16_decode(session, out->session_id, CW_SESSION_ID_BYTES);
}

static void
print(struct cw_buf *out, const struct cw_known_issuer *issuer)
{
	char hash[2 * CW_HASH_BYTES + 1];
	char session[2 * CW_SESSION_ID_BYTES + 1] = "-";

	cw_base16_encode(cw_bytes(issuer->key_hash, CW_HASH_BYTES), hash);
	if (issuer->state != CW_KNOWN_NO_SESSION)
		cw_base16_encode(cw_bytes(issuer->session_id,
				     CW_SESSION_ID_BYTES),
		    session);
	cw_buf_printf(out, "%s %s %" PRIu64 " %s %s\n", issuer->origin, hash,
	    issuer->first_seen_s, session, states[issuer->state]);
}

static enum cw_err
load(const struct cw_known *known, struct cw_buf *out)
{
	struct stat st;
	enum cw_err err;

	if (stat(known->path, &st) != 0)
		return errno == ENOENT ?
		    CW_OK :
		    cw_log_fail(CW_ERR_IO, "known.read", "path=%s errno=%d",
			known->path, errno);
	/* Who can write here can make us trust another issuer. */
	if ((st.st_mode & 022) != 0 || st.st_uid != geteuid())
		return cw_log_fail(CW_ERR_FILE_MODE, "known.read", "path=%s",
		    known->path);
	err = cw_file_load(known->path, out);
	return err == CW_ERR_NO_FILE ? CW_OK : err;
}

/* Calls for each line; stops when `each` says so. */
static enum cw_err
walk(const struct cw_known *known, struct cw_bytes text,
    bool (*each)(void *ctx, const struct cw_known_issuer *issuer), void *ctx)
{
	struct cw_known_issuer issuer;

	while (text.len > 0) {
		const uint8_t *end = memchr(text.ptr, '\n', text.len);
		size_t len;

		if (end == NULL ||
		    !parse(cw_bytes(text.ptr, (size_t)(end - text.ptr)),
			&issuer))
			return cw_log_fail(CW_ERR_BAD_STATE_FILE, "known.read",
			    "path=%s", known->path);
		if (!each(ctx, &issuer))
			break;
		len = (size_t)(end - text.ptr) + 1;
		text = cw_bytes(text.ptr + len, text.len - len);
	}
	return CW_OK;
}

static enum cw_err
load_and_walk(const struct cw_known *known,
    bool (*each)(void *ctx, const struct cw_known_issuer *issuer), void *ctx)
{
	struct cw_buf text;
	enum cw_err err;

	cw_buf_init(&text, CW_KNOWN_FILE_MAX);
	err = load(known, &text);
	if (err == CW_OK)
		err = walk(known, cw_buf_bytes(&text), each, ctx);
	cw_buf_wipe(&text);
	return err;
}

struct search {
	struct cw_bytes origin;
	struct cw_known_issuer *out;
	bool found;
};

static bool
search_one(void *ctx, const struct cw_known_issuer *issuer)
{
	struct search *s = ctx;

	if (!cw_bytes_is(s->origin, issuer->origin))
		return true;
	*s->out = *issuer;
	s->found = true;
	return true; /* the rest of the file is checked too */
}

enum cw_err
cw_known_find(const struct cw_known *known, struct cw_bytes origin,
    struct cw_known_issuer *out, bool *found)
{
	struct search s = { .origin = origin, .out = out };
	enum cw_err err = load_and_walk(known, search_one, &s);

	*found = err == CW_OK && s.found;
	return err;
}

static bool
count_one(void *ctx, const struct cw_known_issuer *issuer)
{
	size_t *n = ctx;

	(void)issuer;
	(*n)++;
	return true;
}

enum cw_err
cw_known_count(const struct cw_known *known, size_t *n)
{
	*n = 0;
	return load_and_walk(known, count_one, n);
}

struct rewrite {
	struct cw_buf text;
	const char *origin; /* whose line is left out */
	size_t kept, dropped;
};

static bool
keep_others(void *ctx, const struct cw_known_issuer *issuer)
{
	struct rewrite *r = ctx;

	if (strcmp(issuer->origin, r->origin) == 0) {
		r->dropped++;
		return true;
	}
	r->kept++;
	print(&r->text, issuer);
	return true;
}

/* Makes the folders of the path that are missing, mode 0700. */
static enum cw_err
make_folders(const char *path)
{
	char part[sizeof(((struct cw_known *)0)->path)];

	for (const char *at = strchr(path + 1, '/'); at != NULL;
	     at = strchr(at + 1, '/')) {
		memcpy(part, path, (size_t)(at - path));
		part[at - path] = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return cw_log_fail(errno == ENOSPC ? CW_ERR_NO_SPACE :
							     CW_ERR_IO,
			    "known.write", "path=%s errno=%d", part, errno);
	}
	return CW_OK;
}

/* Two runs at once must not lose each other's line. */
static enum cw_err
lock(const struct cw_known *known, int *fd)
{
	char path[sizeof(known->path) + 8];
	enum cw_err err = make_folders(known->path);

	if (err != CW_OK)
		return err;
	snprintf(path, sizeof(path), "%s.lock", known->path);
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		return cw_log_fail(errno == ENOSPC ? CW_ERR_NO_SPACE :
						     CW_ERR_IO,
		    "known.write", "path=%s errno=%d", path, errno);
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
			return CW_OK;
		usleep(20000);
	}
	close(*fd);
	return CW_ERR_LOCKED;
}

static enum cw_err
replace(const struct cw_known *known, const char *origin,
    const struct cw_known_issuer *issuer)
{
	struct rewrite r = { .origin = origin };
	int fd = -1;
	enum cw_err err = lock(known, &fd);

	if (err != CW_OK)
		return err;
	cw_buf_init(&r.text, CW_KNOWN_FILE_MAX);
	err = load_and_walk(known, keep_others, &r);
	if (err == CW_OK && issuer == NULL && r.dropped == 0)
		err = CW_ERR_NO_FILE;
	if (err == CW_OK && issuer != NULL && r.kept >= CW_KNOWN_MAX)
		err = CW_ERR_TOO_LARGE;
	if (err == CW_OK && issuer != NULL)
		print(&r.text, issuer);
	if (err == CW_OK)
		err = r.text.err;
	if (err == CW_OK)
		err = cw_file_store(known->path, cw_buf_bytes(&r.text), 0600);
	if (err == CW_ERR_IO || err == CW_ERR_NO_SPACE)
		(void)cw_log_fail(err, "known.write", "path=%s", known->path);
	cw_buf_wipe(&r.text);
	close(fd); /* the lock goes with it */
	return err;
}

enum cw_err
cw_known_put(const struct cw_known *known, const struct cw_known_issuer *issuer)
{
	if (issuer->origin[0] == '\0' || strpbrk(issuer->origin, " \n") != NULL)
		return CW_ERR_BAD_URL;
	return replace(known, issuer->origin, issuer);
}

enum cw_err
cw_known_forget(const struct cw_known *known, struct cw_bytes origin)
{
	char copy[CW_URI_MAX + 1] = { 0 };

	if (origin.len > CW_URI_MAX)
		return CW_ERR_BAD_URL;
	memcpy(copy, origin.ptr, origin.len);
	return replace(known, copy, NULL);
}
