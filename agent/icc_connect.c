/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the card: the one named, or the only Cardwright card there is. */
#include "agent/icc.h"

void
cw_icc_init(struct cw_icc *card, struct cw_reader *reader)
{
	*card = (struct cw_icc){ .reader = reader };
}

static enum cw_err
connect_to(struct cw_icc *card, const char *name)
{
	struct cw_reader *reader = card->reader;
	enum cw_err err = reader->ops->connect(reader, name);

	if (err != CW_OK)
		return err;
	memcpy(card->name, name, strlen(name) + 1);
	card->is_connected = true;
	card->is_extended =
	    cw_atr_has_extended(cw_bytes(reader->atr, reader->atr_len));
	/* Is it one of ours? SELECT says so. */
	err = cw_icc_begin(card);
	if (err != CW_OK)
		cw_icc_disconnect(card, false);
	else
		cw_icc_end(card);
	return err;
}

static enum cw_err
connect_named(struct cw_icc *card, const char *name,
    const struct cw_reader_info *info, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(info[i].name, name) == 0)
			return info[i].has_card ? connect_to(card, name) :
						  CW_ERR_NO_CARD;
	return CW_ERR_NO_READER;
}

/* With several cards, those that are not ours do not count. */
static enum cw_err
connect_only(struct cw_icc *card, const struct cw_reader_info *info, size_t n)
{
	enum cw_err first = CW_OK;
	const char *ours = NULL;

	for (size_t i = 0; i < n; i++) {
		enum cw_err err;

		if (!info[i].has_card)
			continue;
		err = connect_to(card, info[i].name);
		if (err == CW_OK)
			cw_icc_disconnect(card, false);
		else if (first == CW_OK)
			first = err;
		if (err == CW_OK && ours != NULL)
			return CW_ERR_MANY_CARDS;
		if (err == CW_OK)
			ours = info[i].name;
	}
	if (ours != NULL)
		return connect_to(card, ours);
	return first != CW_OK ? first : CW_ERR_NO_CARD;
}

enum cw_err
cw_icc_connect(struct cw_icc *card, const char *name)
{
	struct cw_reader_info info[CW_READERS_MAX];
	size_t cards = 0;
	size_t only = 0;
	size_t n;
	enum cw_err err;

	cw_icc_disconnect(card, false);
	err = card->reader->ops->list(card->reader, info, &n);
	if (err != CW_OK)
		return err;
	if (n == 0)
		return CW_ERR_NO_READER;
	if (name != NULL)
		return connect_named(card, name, info, n);
	for (size_t i = 0; i < n; i++)
		if (info[i].has_card) {
			only = i;
			cards++;
		}
	if (cards == 0)
		return CW_ERR_NO_CARD;
	return cards == 1 ? connect_to(card, info[only].name) :
			    connect_only(card, info, n);
}

void
cw_icc_disconnect(struct cw_icc *card, bool reset)
{
	cw_icc_end(card);
	if (card->is_connected)
		card->reader->ops->disconnect(card->reader, reset);
	card->is_connected = false;
}
