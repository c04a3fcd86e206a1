/* SPDX-License-Identifier: Apache-2.0 */
/* Management keys that endorse one another. */
#include "tests/support/card_keys.h"

#include "proto/endorsement.h"

void
cw_play_keys_init(struct cw_play_keys *k)
{
	memset(k, 0, sizeof(*k));
	for (size_t i = 0; i < CW_PLAY_KEYS; i++)
		assert_err(cw_key_generate(i == 1 ? CW_KEY_ED25519 :
						    CW_KEY_P256,
			       &k->key[i]),
		    CW_OK);
	for (size_t i = 0; i < CW_ENDORSEMENTS_MAX; i++)
		cw_buf_init(&k->endorsement[i], CW_REQUEST_MAX);
}

void
cw_play_keys_wipe(struct cw_play_keys *k)
{
	for (size_t i = 0; i < CW_PLAY_KEYS; i++)
		cw_key_free(&k->key[i]);
	for (size_t i = 0; i < CW_ENDORSEMENTS_MAX; i++)
		cw_buf_wipe(&k->endorsement[i]);
}

void
cw_play_endorse(struct cw_play_keys *k, size_t from, size_t to, uint32_t epoch)
{
	struct cw_endorsement e = { .epoch = epoch, .not_after_s = 2000000000 };

	cw_key_public(k->key[to], &e.to);
	assert_err(cw_endorsement_make(&e, k->key[from], &k->endorsement[k->n]),
	    CW_OK);
	k->n++;
}

void
cw_play_take(struct cw_test_issuer *issuer, struct cw_play_keys *k, size_t key)
{
	struct cw_request *q = &issuer->request;

	issuer->management_key = k->key[key];
	q->n_endorsements = k->n;
	for (size_t i = 0; i < k->n; i++)
		q->endorsements[i] = cw_buf_bytes(&k->endorsement[i]);
}

void
cw_play_forget_chain(struct cw_play_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		cw_buf_reset(&k->endorsement[i]);
	k->n = 0;
}

struct cw_test_world *
cw_play_keys_begin(void **state, struct cw_play_keys *k)
{
	struct cw_test_world *w = cw_test_world_renew(state);

	cw_play_keys_init(k);
	cw_key_free(&w->issuer.management_key);
	cw_play_take(&w->issuer, k, 0);
	return w;
}

void
cw_play_keys_end(struct cw_test_world *w, struct cw_play_keys *k)
{
	w->issuer.management_key = NULL;
	cw_play_keys_wipe(k);
}

void
cw_play_opens(struct cw_test_issuer *issuer, unsigned want)
{
	enum cw_err err = cw_test_issuer_begin(issuer);

	assert_err(err, want == 0x9000 ? CW_OK : CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, want);
}
