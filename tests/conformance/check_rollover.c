/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 5.3 "Roll-over": one management key after another. */
#include "proto/endorsement.h"
#include "tests/conformance/steps.h"

#define KEYS 4

/* Management keys; the issuer of the kit has one at a time. */
struct keys {
	struct cw_private_key *key[KEYS];
	struct cw_buf endorsement[KEYS];
	size_t n; /* endorsements in R */
};

/* The issuer's sessions are from now on under this key, with the chain. */
static void
take(struct cw_kit *kit, struct keys *k, size_t i)
{
	struct cw_request *q = &kit->issuer.request;

	kit->issuer.management_key = k->key[i];
	q->n_endorsements = k->n;
	for (size_t n = 0; n < k->n; n++)
		q->endorsements[n] = cw_buf_bytes(&k->endorsement[n]);
}

static void
endorse(struct keys *k, size_t from, size_t to, uint32_t epoch)
{
	struct cw_endorsement e = { .epoch = epoch,
		.not_after_s = CW_TEST_NOW_S + 1000 };

	cw_key_public(k->key[to], &e.to);
	cw_buf_reset(&k->endorsement[k->n]);
	if (cw_endorsement_make(&e, k->key[from], &k->endorsement[k->n]) ==
	    CW_OK)
		k->n++;
}

/* One endorsement and nothing else. */
static void
follow(struct cw_kit *kit, struct keys *k, size_t from, size_t to,
    uint32_t epoch)
{
	k->n = 0;
	endorse(k, from, to, epoch);
	take(kit, k, to);
}

static void
alone(struct cw_kit *kit, struct keys *k, size_t i)
{
	k->n = 0;
	take(kit, k, i);
}

/* Runs a check with keys; the kit's issuer has its own key back afterwards. */
static bool
with_keys(struct cw_kit *kit, bool (*run)(struct cw_kit *kit, struct keys *k))
{
	struct cw_private_key *own = kit->issuer.management_key;
	struct keys k = { .n = 0 };
	bool right = true;

	for (size_t i = 0; i < KEYS; i++) {
		cw_buf_init(&k.endorsement[i], CW_REQUEST_MAX);
		right = right &&
		    cw_kit_err(kit, cw_key_generate(CW_KEY_P256, &k.key[i]),
			CW_OK, "a management key");
	}
	if (right) {
		take(kit, &k, 0);
		right = run(kit, &k);
	}
	kit->issuer.management_key = own;
	kit->issuer.request.n_endorsements = 0;
	for (size_t i = 0; i < KEYS; i++) {
		cw_key_free(&k.key[i]);
		cw_buf_wipe(&k.endorsement[i]);
	}
	return right;
}

/* OPEN SESSION has this status word; what was opened is aborted. */
static bool
opens(struct cw_kit *kit, unsigned want, const char *what)
{
	enum cw_err err = cw_test_issuer_begin(&kit->issuer);

	if (want == 0x9000)
		return cw_kit_err(kit, err, CW_OK, what) && cw_kit_aborts(kit);
	return cw_kit_err(kit, err, CW_ERR_CARD_SAYS, what) &&
	    cw_kit_sw(kit, kit->issuer.sw, want, what);
}

/* A session that only closes. */
static bool
commits(struct cw_kit *kit, const char *what)
{
	return cw_kit_err(kit, cw_test_issuer_begin(&kit->issuer), CW_OK,
		   what) &&
	    cw_kit_closes(kit, NULL);
}

static bool
has_key(struct cw_kit *kit, bool want, const char *what)
{
	bool has = cw_kit_listed(kit, 1) != NULL;

	return cw_kit_true(kit, has == want, what);
}

static bool
moves(struct cw_kit *kit, struct keys *k)
{
	if (!cw_kit_base(kit))
		return false;
	alone(kit, k, 1);
	if (!has_key(kit, false, "without an endorsement nothing is there"))
		return false;
	follow(kit, k, 0, 1, 1);
	if (!has_key(kit, true, "the chain's objects belong to the session"))
		return false;
	/* That one was aborted: nothing has moved. */
	alone(kit, k, 0);
	if (!opens(kit, 0x9000, "the older key before a commit"))
		return false;
	follow(kit, k, 0, 1, 1);
	if (!commits(kit, "a session with an endorsement"))
		return false;
	alone(kit, k, 0);
	if (!opens(kit, 0x6988, "the replaced key"))
		return false;
	alone(kit, k, 1);
	return has_key(kit, true, "objects are the new key's after CLOSE");
}

static bool
error_moves_nothing(struct cw_kit *kit, struct keys *k)
{
	if (!cw_kit_base(kit))
		return false;
	follow(kit, k, 0, 1, 1);
	if (!cw_kit_refuses(kit, cw_kit_on(CW_DELETE_KEY, 0, 5),
		CW_ERR_UNKNOWN_ID, "a session that ends in an error"))
		return false;
	alone(kit, k, 0);
	return has_key(kit, true, "an error moves nothing");
}

static bool
chain(struct cw_kit *kit, struct keys *k)
{
	follow(kit, k, 1, 2, 1);
	take(kit, k, 0);
	if (!opens(kit, 0x6988, "a chain that ends at another key"))
		return false;
	k->n = 0;
	endorse(k, 0, 1, 2);
	endorse(k, 1, 2, 2);
	take(kit, k, 2);
	if (!opens(kit, 0x6988, "epochs that do not rise"))
		return false;
	k->n = 0;
	endorse(k, 0, 1, 1);
	endorse(k, 3, 2, 2);
	take(kit, k, 2);
	if (!opens(kit, 0x6988, "a chain with a gap"))
		return false;
	k->n = 0;
	endorse(k, 0, 1, 1);
	endorse(k, 1, 0, 2);
	take(kit, k, 0);
	if (!opens(kit, 0x6988, "a key twice"))
		return false;
	k->n = 0;
	endorse(k, 0, 1, 1);
	endorse(k, 1, 2, 2);
	take(kit, k, 2);
	return opens(kit, 0x9000, "a chain of two");
}

static bool
signature(struct cw_kit *kit, struct keys *k)
{
	struct cw_buf *e = &k->endorsement[0];

	follow(kit, k, 0, 1, 1);
	e->ptr[e->len - 1] ^= 1;
	take(kit, k, 1);
	if (!opens(kit, 0x6988, "an endorsement whose signature is wrong"))
		return false;
	e->ptr[e->len - 1] ^= 1;
	take(kit, k, 1);
	return opens(kit, 0x9000, "the right one");
}

/* What the older key signed is an endorsement only under that typ. */
static bool
typ(struct cw_kit *kit, struct keys *k)
{
	struct cw_buf *e = &k->endorsement[0];
	struct cw_cose_sign1 sign1;
	struct cw_buf payload;
	enum cw_err err;

	follow(kit, k, 0, 1, 1);
	cw_buf_init(&payload, CW_REQUEST_MAX);
	err = cw_cose_sign1_decode(cw_buf_bytes(e), CW_TYP_ENDORSEMENT, &sign1);
	cw_buf_put(&payload, sign1.payload);
	cw_buf_reset(e);
	if (err == CW_OK)
		err = cw_cose_sign1_make(k->key[0], CW_TYP_GRANT,
		    cw_buf_bytes(&payload), e);
	cw_buf_wipe(&payload);
	take(kit, k, 1);
	return cw_kit_err(kit, err, CW_OK, "an endorsement is made") &&
	    opens(kit, 0x6988, "an endorsement of another typ");
}

static bool
epochs(struct cw_kit *kit, struct keys *k)
{
	follow(kit, k, 0, 1, 5);
	if (!commits(kit, "a roll-over to epoch 5"))
		return false;
	follow(kit, k, 1, 2, 5);
	if (!opens(kit, 0x6988, "another key with the same epoch"))
		return false;
	follow(kit, k, 1, 2, 4);
	if (!opens(kit, 0x6988, "another key with a lower epoch"))
		return false;
	follow(kit, k, 1, 2, 6);
	return opens(kit, 0x9000, "another key with a higher epoch");
}

/* Who was replaced endorses nobody else. */
static bool
replaced(struct cw_kit *kit, struct keys *k)
{
	follow(kit, k, 0, 1, 1);
	if (!commits(kit, "a roll-over"))
		return false;
	follow(kit, k, 0, 2, 9);
	if (!opens(kit, 0x6988, "another successor of the replaced key") ||
	    !cw_kit_power(kit) ||
	    !opens(kit, 0x6988, "the same after the loss of power"))
		return false;
	follow(kit, k, 0, 1, 1);
	return opens(kit, 0x9000, "the chain that is known already");
}

/* A session that the older key opened before gives it nothing. */
static bool
opened_before(struct cw_kit *kit, struct keys *k)
{
	struct cw_test_issuer old;
	bool right;

	if (!cw_kit_base(kit) || !cw_kit_begin(kit))
		return false;
	old = kit->issuer;
	cw_kit_other_issuer(kit, &kit->issuer);
	cw_key_free(&kit->issuer.management_key);
	follow(kit, k, 0, 1, 1);
	right = commits(kit, "a roll-over meanwhile");
	kit->issuer.management_key = NULL;
	cw_test_issuer_wipe(&kit->issuer);
	kit->issuer = old;
	return right &&
	    cw_kit_is_dead(kit, "an older session of the replaced key");
}

static bool
ids_differ(struct cw_kit *kit, struct keys *k)
{
	if (!cw_kit_commits(kit,
		cw_kit_key(1, CW_KEY_P256, CW_USAGE_SIGN, "Key 1")))
		return false;
	alone(kit, k, 1);
	if (!cw_kit_commits(kit,
		cw_kit_key(1, CW_KEY_P256, CW_USAGE_SIGN, "Another")))
		return false;
	follow(kit, k, 0, 1, 1);
	return cw_kit_begin(kit) &&
	    cw_kit_close_fails(kit, CW_ERR_DUPLICATE_ID,
		"two keys' objects with one id");
}

static bool
pseudonym(struct cw_kit *kit, struct keys *k)
{
	uint8_t before[CW_HASH_BYTES];

	if (!cw_kit_begin(kit))
		return false;
	memcpy(before, kit->issuer.token.pseudonym, sizeof(before));
	if (!cw_kit_aborts(kit))
		return false;
	follow(kit, k, 0, 1, 1);
	return cw_kit_begin(kit) &&
	    cw_kit_true(kit,
		memcmp(before, kit->issuer.token.pseudonym, sizeof(before)) ==
		    0,
		"the pseudonym is over the chain's oldest key");
}

static bool
counter(struct cw_kit *kit, struct keys *k)
{
	static struct cw_result_statement r;
	uint64_t before;

	if (!cw_kit_begin(kit) || !cw_kit_closes(kit, &r))
		return false;
	before = r.counter;
	follow(kit, k, 0, 1, 1);
	return cw_kit_begin(kit) && cw_kit_closes(kit, &r) &&
	    cw_kit_true(kit, r.has_counter && r.counter > before,
		"the counter goes on");
}

#define CHECK(name)                                  \
	static bool check_##name(struct cw_kit *kit) \
	{                                            \
		return with_keys(kit, name);         \
	}

CHECK(moves)
CHECK(error_moves_nothing)
CHECK(chain)
CHECK(signature)
CHECK(typ)
CHECK(epochs)
CHECK(replaced)
CHECK(opened_before)
CHECK(ids_differ)
CHECK(pseudonym)
CHECK(counter)

const struct cw_kit_check cw_kit_rollover[] = {
	{ "rollover", "5.3", "objects move at CLOSE, the older key is refused",
	    check_moves },
	{ "rollover-error", "5.3", "an error moves nothing",
	    check_error_moves_nothing },
	{ "rollover-chain", "5.3", "a chain leads to R's key, by rising epochs",
	    check_chain },
	{ "rollover-signature", "5.3", "an endorsement is verified",
	    check_signature },
	{ "rollover-typ", "2", "the typ of an endorsement is checked",
	    check_typ },
	{ "rollover-epoch", "5.3", "epochs rise on the card", check_epochs },
	{ "rollover-replaced", "5.3", "a replaced key has one successor",
	    check_replaced },
	{ "rollover-open", "5.3", "older sessions of a replaced key end",
	    check_opened_before },
	{ "rollover-ids", "5.3", "ids of both keys differ", check_ids_differ },
	{ "rollover-pseudonym", "10", "the pseudonym outlives a roll-over",
	    check_pseudonym },
	{ "rollover-counter", "10", "the counter outlives a roll-over",
	    check_counter },
	{ NULL, NULL, NULL, NULL },
};
