/* SPDX-License-Identifier: Apache-2.0 */
/* The card as a whole: opening, power, and commits of its state. */
#include "card/card.h"

#include <stdlib.h>

#include "card/inner.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"

/* Room that sessions and objects leave for what must always be possible. */
#define RESERVE 4096

/*
 * ISO 7816-3 8.2: direct convention, T=1 (TD1, TD2), 12 historical bytes. These
 * are (ISO 7816-4 12.1.1): category 80; card capabilities 73: selection by full
 * and partial name, one-byte data units, command chaining and extended length;
 * 56: six bytes of issuer's data. The last byte is the check byte.
 */
static const uint8_t atr[] = { 0x3B, 0x8C, 0x80, 0x01, 0x80, 0x73, 0xC0, 0x01,
	0xC0, 0x56, 'C', 'W', 'C', 'A', 'R', 'D', 0xA9 };

struct cw_bytes
cw_card_atr(const struct cw_card *card)
{
	(void)card;
	return CW_BYTES_ARRAY(atr);
}

struct cw_card_operations
cw_card_operations(const struct cw_card *card)
{
	return card->operations;
}

static void
forget(struct cw_card_ram *ram)
{
	cw_card_link_wipe(ram);
	cw_buf_wipe(&ram->caps);
	cw_wipe(ram, sizeof(*ram));
	cw_buf_init(&ram->caps, 1024);
	cw_buf_init(&ram->chain, CW_APDU_MAX);
	cw_buf_init(&ram->response, CW_APDU_MAX);
}

void
cw_card_power(struct cw_card *card, bool on)
{
	(void)on;
	forget(&card->ram);
}

void
cw_card_reset(struct cw_card *card)
{
	forget(&card->ram);
}

/* Reads `committed` into a new state. */
static enum cw_err
reload(struct cw_card *card)
{
	struct cw_card_state *state = NULL;
	enum cw_err err =
	    cw_card_state_decode(cw_buf_bytes(&card->committed), &state);

	if (err != CW_OK)
		return err;
	cw_card_state_free(&card->state);
	card->state = state;
	return CW_OK;
}

void
cw_card_rollback(struct cw_card *card)
{
	enum cw_err err = reload(card);

	if (err == CW_OK)
		return;
	card->broken = true;
	cw_log_fail(err, "card.rollback", "the card answers 6F00 from now on");
}

static size_t
limit(const struct cw_card *card, enum cw_card_room room)
{
	size_t reserve = room == CW_CARD_KEEP_RESERVE ? RESERVE : 0;

	return card->storage_max > reserve ? card->storage_max - reserve : 0;
}

enum cw_err
cw_card_commit(struct cw_card *card, enum cw_card_room room)
{
	struct cw_buf next;
	enum cw_err err = CW_OK;

	cw_buf_init(&next, limit(card, room));
	cw_card_state_encode(card->state, &next);
	if (next.err != CW_OK) {
		err = CW_ERR_CARD_FULL;
	} else if (card->storage.store != NULL) {
		card->operations.stores++;
		err =
		    card->storage.store(card->storage.ctx, cw_buf_bytes(&next));
		if (err != CW_OK)
			err = cw_log_fail(CW_ERR_CARD_STORAGE, "card.store",
			    "cause=%s bytes=%zu", cw_err_name(err), next.len);
	}
	if (err != CW_OK) {
		cw_buf_wipe(&next);
		cw_card_rollback(card);
		return err;
	}
	cw_buf_move(&card->committed, &next);
	return CW_OK;
}

bool
cw_card_has_room(const struct cw_card *card, size_t more)
{
	struct cw_buf now;
	bool fits;

	/* One command adds less than what it carries, and a key or two. */
	if (card->committed.len + (size_t)4 * CW_COMMAND_MAX + more <
	    limit(card, CW_CARD_KEEP_RESERVE))
		return true;
	cw_buf_init(&now, card->storage_max);
	cw_card_state_encode(card->state, &now);
	fits = now.err == CW_OK &&
	    now.len + more <= limit(card, CW_CARD_KEEP_RESERVE);
	cw_buf_wipe(&now);
	return fits;
}

uint16_t
cw_card_sw(enum cw_err err)
{
	static const struct {
		enum cw_err err;
		uint16_t sw;
	} words[] = {
		{ CW_OK, CW_SW_OK },
		{ CW_ERR_CARD_FULL, CW_SW_FULL },
		{ CW_ERR_TOO_MANY_SESSIONS, CW_SW_FULL },
		{ CW_ERR_CARD_STORAGE, CW_SW_STORAGE },
		{ CW_ERR_BAD_SIGNATURE, CW_SW_BAD_SIGNATURE },
		{ CW_ERR_BAD_CAPS_HASH, CW_SW_BAD_SIGNATURE },
		{ CW_ERR_BAD_ENDORSEMENT, CW_SW_BAD_SIGNATURE },
		{ CW_ERR_OLD_MANAGEMENT_KEY, CW_SW_BAD_SIGNATURE },
		{ CW_ERR_BAD_NONCE, CW_SW_NO_SESSION },
		{ CW_ERR_NO_SESSION, CW_SW_NO_SESSION },
		{ CW_ERR_NOT_PERSONALISED, CW_SW_NO_SESSION },
		{ CW_ERR_ALREADY_PERSONALISED, CW_SW_NO_SESSION },
		{ CW_ERR_NO_MEMORY, CW_SW_INTERNAL },
		{ CW_ERR_CRYPTO_FAILED, CW_SW_INTERNAL },
		{ CW_ERR_INTERNAL, CW_SW_INTERNAL },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].err == err)
			return words[i].sw;
	return CW_SW_BAD_DATA;
}

/* The state from storage, or a new one, which is stored with its GUID. */
static enum cw_err
start(struct cw_card *card)
{
	enum cw_err err = CW_ERR_NO_FILE;

	if (card->storage.load != NULL)
		err = card->storage.load(card->storage.ctx, &card->committed);
	if (err == CW_OK) {
		err = reload(card);
		if (err != CW_OK)
			return cw_log_fail(err, "card.state", "bytes=%zu",
			    card->committed.len);
		return cw_card_load_personalisation(card);
	}
	if (err != CW_ERR_NO_FILE)
		return err;
	card->state = cw_card_state_new();
	if (card->state == NULL)
		return CW_ERR_NO_MEMORY;
	cw_card_state_encode(card->state, &card->committed);
	return cw_card_commit(card, CW_CARD_USE_RESERVE);
}

static unsigned
at_most(unsigned asked, unsigned most)
{
	return asked == 0 || asked > most ? most : asked;
}

enum cw_err
cw_card_open(const struct cw_card_config *config, struct cw_card **out)
{
	struct cw_card *card = calloc(1, sizeof(*card));
	enum cw_err err = CW_OK;

	if (card == NULL)
		return CW_ERR_NO_MEMORY;
	card->storage_max = config->storage_max != 0 ? config->storage_max :
						       CW_CARD_STORAGE_MAX;
	card->keys_max = at_most(config->keys_max, CW_CARD_KEYS_MAX);
	card->open_sessions_max =
	    at_most(config->open_sessions_max, CW_CARD_OPEN_SESSIONS_MAX);
	cw_buf_init(&card->committed, card->storage_max);
	cw_buf_init(&card->personal_bytes, CW_CARD_MESSAGE_MAX);
	forget(&card->ram);
	if (config->storage != NULL)
		card->storage = *config->storage;
	else if (config->state_path != NULL)
		err = cw_card_file_storage(config->state_path, &card->storage);
	if (err == CW_OK)
		err = start(card);
	if (err != CW_OK) {
		cw_card_free(&card);
		return err;
	}
	*out = card;
	return CW_OK;
}

void
cw_card_free(struct cw_card **pointer)
{
	struct cw_card *card = *pointer;

	if (card == NULL)
		return;
	forget(&card->ram);
	cw_card_wipe_personalisation(card);
	cw_card_state_free(&card->state);
	cw_buf_wipe(&card->committed);
	if (card->storage.close != NULL)
		card->storage.close(card->storage.ctx);
	cw_wipe(card, sizeof(*card));
	free(card);
	*pointer = NULL;
}
