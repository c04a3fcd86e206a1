/* SPDX-License-Identifier: Apache-2.0 */
/* Epoch keys and what is made with them. */
#include "server/seal.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/fdio.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "proto/rfc4648.h"

#define KEY_BYTES 32
#define HEAD_BYTES (4 + 12) /* epoch, nonce */
#define FILE_MAX 16384

struct epoch {
	uint32_t number;
	uint64_t created_s;
	uint8_t key[KEY_BYTES];
};

struct keys {
	uint64_t mark;
	bool has_mark; /* the file has a line for it */
	size_t n;
	struct epoch epochs[CW_EPOCHS_MAX];
};

struct cw_seal {
	char path[1024];
	pthread_rwlock_t lock; /* of *keys */
	struct keys *keys;     /* guarded memory */
	bool unsure; /* the file may not hold what it was last told to */
	pthread_mutex_t mark_mutex; /* of all that follows */
	int mark_fd;
	uint64_t mark, synced_mark;
};

/* ---- the file ---- */

/* The mark has one length and place, so that it is written over in place. */
#define MARK_AT 5
#define MARK_DIGITS 20
#define MARK_FORMAT "%020llu"

/* Files of earlier versions have none. */
static bool
read_mark(const char **at, struct keys *keys)
{
	unsigned long long mark;
	int used = 0;

	keys->has_mark = strncmp(*at, "mark ", MARK_AT) == 0;
	if (!keys->has_mark)
		return true;
	if (strspn(*at + MARK_AT, "0123456789") != MARK_DIGITS ||
	    sscanf(*at, "mark %20llu%n", &mark, &used) != 1 ||
	    used != MARK_AT + MARK_DIGITS || (*at)[used] != '\n')
		return false;
	keys->mark = mark;
	*at += used + 1;
	return true;
}

/* One line; false at the first that is not exactly so. */
static bool
read_line(const char **at, struct epoch *e)
{
	unsigned long number;
	unsigned long long created;
	int used = 0;

	if (sscanf(*at, "%lu %llu %n", &number, &created, &used) != 2 ||
	    used == 0 || number > UINT32_MAX ||
	    strlen(*at + used) < (size_t)2 * KEY_BYTES + 1 ||
	    !cw_base16_decode(cw_bytes((const uint8_t *)*at + used,
				  2 * KEY_BYTES),
		e->key, KEY_BYTES) ||
	    (*at)[used + 2 * KEY_BYTES] != '\n')
		return false;
	e->number = (uint32_t)number;
	e->created_s = created;
	*at += used + 2 * KEY_BYTES + 1;
	return true;
}

static enum cw_err
load(const char *path, struct keys *keys)
{
	struct stat st;
	struct cw_buf file;
	const char *at;
	enum cw_err err;

	if (stat(path, &st) != 0)
		return CW_ERR_NO_FILE;
	if ((st.st_mode & 077) != 0)
		return cw_log_fail(CW_ERR_FILE_MODE, "epoch.file", "path=%s",
		    path);
	cw_buf_init(&file, FILE_MAX);
	err = cw_file_load(path, &file);
	cw_buf_put_u8(&file, 0);
	if (err == CW_OK)
		err = file.err;
	keys->n = 0;
	at = (const char *)file.ptr;
	if (err == CW_OK && !read_mark(&at, keys))
		err = CW_ERR_BAD_STATE_FILE;
	while (err == CW_OK && *at != '\0') {
		if (keys->n == CW_EPOCHS_MAX ||
		    !read_line(&at, &keys->epochs[keys->n++]))
			err = CW_ERR_BAD_STATE_FILE;
	}
	if (err == CW_OK && keys->n == 0)
		err = CW_ERR_BAD_STATE_FILE;
	cw_buf_wipe(&file);
	return err == CW_OK ? CW_OK :
			      cw_log_fail(err, "epoch.file", "path=%s", path);
}

static enum cw_err
store(const char *path, const struct keys *keys)
{
	char hex[2 * KEY_BYTES + 1];
	struct cw_buf file;
	enum cw_err err;

	cw_buf_init(&file, FILE_MAX);
	cw_buf_printf(&file, "mark " MARK_FORMAT "\n",
	    (unsigned long long)keys->mark);
	for (size_t i = 0; i < keys->n; i++) {
		cw_base16_encode(CW_BYTES_ARRAY(keys->epochs[i].key), hex);
		cw_buf_printf(&file, "%lu %llu ",
		    (unsigned long)keys->epochs[i].number,
		    (unsigned long long)keys->epochs[i].created_s);
		cw_buf_put_str(&file, hex);
		cw_buf_put_u8(&file, '\n');
	}
	err = file.err;
	if (err == CW_OK)
		err = cw_file_store(path, cw_buf_bytes(&file), 0600);
	cw_wipe(hex, sizeof(hex));
	cw_buf_wipe(&file);
	return err == CW_OK ? CW_OK :
			      cw_log_fail(err, "epoch.file", "path=%s", path);
}

static void
add_epoch(struct keys *keys, uint64_t now_s)
{
	uint32_t number =
	    keys->n == 0 ? 1 : keys->epochs[keys->n - 1].number + 1;
	struct epoch *e = &keys->epochs[keys->n++];

	e->number = number;
	e->created_s = now_s;
	cw_random(e->key, sizeof(e->key));
}

/* Epochs whose successor began more than a lifetime ago. */
static bool
drop_old(struct keys *keys, uint64_t now_s, uint64_t keep_s)
{
	bool dropped = false;

	while (keys->n > 1 &&
	    (keys->epochs[1].created_s + keep_s < now_s ||
		keys->n == CW_EPOCHS_MAX)) {
		keys->n--;
		memmove(&keys->epochs[0], &keys->epochs[1],
		    keys->n * sizeof(keys->epochs[0]));
		cw_wipe(&keys->epochs[keys->n], sizeof(keys->epochs[0]));
		dropped = true;
	}
	return dropped;
}

/* ---- the mark ---- */

/* The mutex is held. */
static void
write_mark(struct cw_seal *seal)
{
	char digits[MARK_DIGITS + 1];

	snprintf(digits, sizeof(digits), MARK_FORMAT,
	    (unsigned long long)seal->mark);
	if (pwrite(seal->mark_fd, digits, MARK_DIGITS, MARK_AT) != MARK_DIGITS)
		(void)cw_log_fail(CW_ERR_IO, "epoch.mark", "path=%s",
		    seal->path);
}

void
cw_seal_mark(struct cw_seal *seal, uint64_t steps)
{
	pthread_mutex_lock(&seal->mark_mutex);
	if (steps > seal->mark) {
		seal->mark = steps;
		write_mark(seal);
	}
	pthread_mutex_unlock(&seal->mark_mutex);
}

uint64_t
cw_seal_marked(struct cw_seal *seal)
{
	uint64_t mark;

	pthread_mutex_lock(&seal->mark_mutex);
	mark = seal->mark;
	pthread_mutex_unlock(&seal->mark_mutex);
	return mark;
}

/* The file may be another one by now: a node has rotated. `in_file` is what it
 * says; the higher mark counts. */
static enum cw_err
take_mark(struct cw_seal *seal, uint64_t in_file)
{
	int fd = open(seal->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	enum cw_err err = CW_OK;

	if (fd < 0)
		return cw_log_fail(CW_ERR_IO, "epoch.mark", "path=%s",
		    seal->path);
	pthread_mutex_lock(&seal->mark_mutex);
	if (seal->mark_fd >= 0)
		close(seal->mark_fd);
	seal->mark_fd = fd;
	if (in_file > seal->mark)
		seal->mark = in_file;
	else if (in_file < seal->mark)
		write_mark(seal);
	if (seal->mark != seal->synced_mark && fdatasync(fd) != 0)
		err =
		    cw_log_fail(CW_ERR_IO, "epoch.mark", "path=%s", seal->path);
	else
		seal->synced_mark = seal->mark;
	pthread_mutex_unlock(&seal->mark_mutex);
	return err;
}

/* ---- life ---- */

static void
use_keys(struct cw_seal *seal, struct keys **next)
{
	struct keys *before;

	pthread_rwlock_wrlock(&seal->lock);
	before = seal->keys;
	seal->keys = *next;
	*next = before;
	pthread_rwlock_unlock(&seal->lock);
}

/* The first start has no file. A store that failed may have been done: it is
 * done again, so that no epoch is used that a power cut takes back. */
static enum cw_err
renew(struct cw_seal *seal, struct keys *next, uint64_t now_s, uint64_t keep_s)
{
	enum cw_err err = load(seal->path, next);
	bool changed;

	if (err == CW_ERR_NO_FILE)
		err = CW_OK;
	changed = drop_old(next, now_s, keep_s);
	if (err == CW_OK &&
	    (next->n == 0 ||
		next->epochs[next->n - 1].created_s + CW_EPOCH_SECONDS <=
		    now_s)) {
		add_epoch(next, now_s);
		changed = true;
	}
	if (err == CW_OK && (changed || !next->has_mark || seal->unsure)) {
		err = store(seal->path, next);
		seal->unsure = err != CW_OK;
	}
	return err;
}

enum cw_err
cw_seal_rotate(struct cw_seal *seal, uint64_t now_s, uint64_t keep_s)
{
	struct keys *next = cw_secret_new(sizeof(*next));
	uint64_t mark;
	enum cw_err err;

	if (next == NULL)
		return CW_ERR_NO_MEMORY;
	err = renew(seal, next, now_s, keep_s);
	mark = next->mark;
	if (err == CW_OK)
		use_keys(seal, &next);
	if (err == CW_OK)
		err = take_mark(seal, mark);
	cw_secret_free(&next);
	return err;
}

enum cw_err
cw_seal_open(const char *path, uint64_t now_s, struct cw_seal **out)
{
	struct cw_seal *seal = calloc(1, sizeof(*seal));
	enum cw_err err;

	if (seal == NULL)
		return CW_ERR_NO_MEMORY;
	snprintf(seal->path, sizeof(seal->path), "%s", path);
	pthread_rwlock_init(&seal->lock, NULL);
	pthread_mutex_init(&seal->mark_mutex, NULL);
	seal->mark_fd = -1;
	err = cw_seal_rotate(seal, now_s, UINT32_MAX);
	if (err != CW_OK)
		cw_seal_free(&seal);
	*out = seal;
	return err;
}

void
cw_seal_free(struct cw_seal **seal)
{
	if (*seal == NULL)
		return;
	cw_secret_free(&(*seal)->keys);
	if ((*seal)->mark_fd >= 0)
		close((*seal)->mark_fd);
	pthread_mutex_destroy(&(*seal)->mark_mutex);
	pthread_rwlock_destroy(&(*seal)->lock);
	free(*seal);
	*seal = NULL;
}

/* ---- uses ---- */

/* A key for one purpose, of the newest epoch, whose number it gives. */
static uint32_t
derive_newest(struct cw_seal *seal, const char *purpose, struct cw_bytes salt,
    uint8_t out[KEY_BYTES])
{
	struct cw_bytes info[] = { cw_bytes_str(purpose), salt };
	uint8_t hash[CW_HASH_BYTES];
	uint32_t number;

	cw_sha256(info, 2, hash);
	pthread_rwlock_rdlock(&seal->lock);
	number = seal->keys->epochs[seal->keys->n - 1].number;
	cw_hmac_sha256(CW_BYTES_ARRAY(
			   seal->keys->epochs[seal->keys->n - 1].key),
	    CW_BYTES_ARRAY(hash), out);
	pthread_rwlock_unlock(&seal->lock);
	return number;
}

static bool
derive(struct cw_seal *seal, uint32_t number, const char *purpose,
    struct cw_bytes salt, uint8_t out[KEY_BYTES])
{
	struct cw_bytes info[] = { cw_bytes_str(purpose), salt };
	uint8_t hash[CW_HASH_BYTES];
	bool found = false;

	cw_sha256(info, 2, hash);
	pthread_rwlock_rdlock(&seal->lock);
	for (size_t i = seal->keys->n; i-- > 0 && !found;) {
		const struct epoch *e = &seal->keys->epochs[i];

		found = e->number == number;
		if (found)
			cw_hmac_sha256(CW_BYTES_ARRAY(e->key),
			    CW_BYTES_ARRAY(hash), out);
	}
	pthread_rwlock_unlock(&seal->lock);
	return found;
}

enum cw_err
cw_seal_put(struct cw_seal *seal, const uint8_t id[CW_SESSION_ID_BYTES],
    struct cw_bytes plain, struct cw_buf *out)
{
	struct cw_bytes aad = cw_bytes(id, CW_SESSION_ID_BYTES);
	uint8_t key[KEY_BYTES];
	uint8_t nonce[12];
	enum cw_err err;

	cw_buf_put_u32be(out, derive_newest(seal, "CW1 seal", aad, key));
	cw_random(nonce, sizeof(nonce));
	cw_buf_put(out, CW_BYTES_ARRAY(nonce));
	err = cw_aead_seal(CW_ALG_CHACHA20_POLY1305, key, CW_BYTES_ARRAY(nonce),
	    aad, plain, out);
	cw_wipe(key, sizeof(key));
	return err;
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

enum cw_err
cw_seal_get(struct cw_seal *seal, const uint8_t id[CW_SESSION_ID_BYTES],
    struct cw_bytes sealed, struct cw_buf *plain)
{
	struct cw_bytes aad = cw_bytes(id, CW_SESSION_ID_BYTES);
	uint8_t key[KEY_BYTES];
	enum cw_err err;

	if (sealed.len < HEAD_BYTES)
		return CW_ERR_BAD_CIPHERTEXT;
	if (!derive(seal, get_u32(sealed.ptr), "CW1 seal", aad, key))
		return CW_ERR_SESSION_EXPIRED;
	err = cw_aead_open(CW_ALG_CHACHA20_POLY1305, key,
	    cw_bytes(sealed.ptr + 4, 12), aad,
	    cw_bytes(sealed.ptr + HEAD_BYTES, sealed.len - HEAD_BYTES), plain);
	cw_wipe(key, sizeof(key));
	return err;
}

void
cw_seal_session_id(struct cw_seal *seal,
    const uint8_t invitation[CW_HASH_BYTES], struct cw_bytes message_2,
    uint8_t try, uint8_t out[CW_SESSION_ID_BYTES])
{
	struct cw_bytes parts[] = { cw_bytes(invitation, CW_HASH_BYTES),
		cw_bytes(&try, 1), message_2 };
	uint8_t hash[CW_HASH_BYTES];
	uint8_t key[KEY_BYTES];

	cw_sha256(parts, 3, hash);
	(void)derive_newest(seal, "CW1 session id", CW_BYTES_ARRAY(hash), key);
	memcpy(out, key, CW_SESSION_ID_BYTES);
	cw_wipe(key, sizeof(key));
}

/* ---- cookies: epoch, expiry, invitation, tag ---- */

#define COOKIE_SIGNED (4 + 8 + CW_HASH_BYTES)

void
cw_seal_cookie(struct cw_seal *seal, const uint8_t invitation[CW_HASH_BYTES],
    uint64_t expires_s, char out[CW_COOKIE_CHARS + 1])
{
	uint8_t value[CW_COOKIE_BYTES];
	uint8_t tag[KEY_BYTES];
	uint32_t number;

	for (size_t i = 0; i < 8; i++)
		value[4 + i] = (uint8_t)(expires_s >> (56 - 8 * i));
	memcpy(value + 12, invitation, CW_HASH_BYTES);
	number = derive_newest(seal, "CW1 cookie",
	    cw_bytes(value + 4, COOKIE_SIGNED - 4), tag);
	for (size_t i = 0; i < 4; i++)
		value[i] = (uint8_t)(number >> (24 - 8 * i));
	memcpy(value + COOKIE_SIGNED, tag, CW_COOKIE_BYTES - COOKIE_SIGNED);
	cw_base64url_encode(CW_BYTES_ARRAY(value), out);
	cw_wipe(tag, sizeof(tag));
	cw_wipe(value, sizeof(value));
}

enum cw_err
cw_seal_cookie_check(struct cw_seal *seal, struct cw_bytes text, uint64_t now_s,
    uint8_t invitation[CW_HASH_BYTES])
{
	uint8_t value[CW_COOKIE_BYTES];
	uint8_t tag[KEY_BYTES];
	uint64_t expires_s;
	bool good;

	if (!cw_base64url_decode(text, value, sizeof(value)) ||
	    !derive(seal, get_u32(value), "CW1 cookie",
		cw_bytes(value + 4, COOKIE_SIGNED - 4), tag))
		return CW_ERR_NO_COOKIE;
	good = cw_secret_equal(cw_bytes(value + COOKIE_SIGNED, 16),
	    cw_bytes(tag, 16));
	expires_s = (uint64_t)get_u32(value + 4) << 32 | get_u32(value + 8);
	memcpy(invitation, value + 12, CW_HASH_BYTES);
	cw_wipe(tag, sizeof(tag));
	cw_wipe(value, sizeof(value));
	return good && now_s < expires_s ? CW_OK : CW_ERR_NO_COOKIE;
}
