/* SPDX-License-Identifier: Apache-2.0 */
/* SET_CERTIFICATES, LIST, CLOSE, and plaintexts that are no command. */
#include "proto/card_link.h"
#include "tests/support/card_world.h"

/* ---- SET_CERTIFICATES ---- */

static struct cw_command
certificates(uint32_t id, struct cw_bytes leaf)
{
	struct cw_command c = { .no = CW_SET_CERTIFICATES };

	c.u.set_certificates.id = id;
	c.u.set_certificates.n_chain = 1;
	c.u.set_certificates.chain[0] = leaf;
	return c;
}

static struct cw_test_world *
with_key(void **state, struct cw_public_key *made)
{
	struct cw_test_world *w = cw_test_world_renew(state);

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_create_key(&w->issuer, &cw_test_key_9a, true,
		       made),
	    CW_OK);
	return w;
}

static void
certificates_must_fit_the_key(void **state)
{
	struct cw_public_key made;
	struct cw_test_world *w = with_key(state, &made);

	cw_test_ends_with(w,
	    certificates(cw_test_key_9a.id, cw_buf_bytes(&w->issuer.ca)),
	    CW_ERR_WRONG_CERTIFICATE);
	w = with_key(state, &made);
	cw_test_ends_with(w,
	    certificates(cw_test_key_9a.id, cw_bytes_str("no DER")),
	    CW_ERR_BAD_CERTIFICATE);
	w = with_key(state, &made);
	cw_test_ends_with(w, certificates(99, cw_buf_bytes(&w->issuer.ca)),
	    CW_ERR_UNKNOWN_ID);
}

/* Every type of key with every type's certificate, its own last. */
static void
each_type_of_key_takes_its_own_certificate_only(void **state)
{
	static const enum cw_key_type types[] = { CW_KEY_P256, CW_KEY_RSA2048,
		CW_KEY_ED25519, CW_KEY_X25519 };
	struct cw_public_key others[COUNT(types)];

	for (size_t i = 0; i < COUNT(types); i++) {
		struct cw_private_key *other = NULL;

		assert_err(cw_key_generate(types[i], &other), CW_OK);
		cw_key_public(other, &others[i]);
		cw_key_free(&other);
	}
	for (size_t i = 0; i < COUNT(types); i++) {
		const struct cw_create_key key = { .id = 1,
			.type = types[i],
			.usage = cw_test_usage(types[i]) };

		for (size_t j = 0; j < COUNT(types); j++) {
			struct cw_test_world *w = cw_test_world_renew(state);
			struct cw_public_key made;

			assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
			assert_err(cw_test_issuer_create_key(&w->issuer, &key,
				       true, &made),
			    CW_OK);
			assert_err(cw_test_issuer_certify(&w->issuer, 1,
				       &others[j]),
			    CW_ERR_WRONG_CERTIFICATE);
		}
	}
}

/* SET_CERTIFICATES with `n` more certificates of `len` bytes behind a leaf; with a
 * total the last one is as long as it takes. */
static enum cw_err
set_large(struct cw_test_world *w, uint32_t id,
    const struct cw_public_key *made, size_t n, size_t len, size_t total)
{
	static const uint8_t filler[8193] = { 0x30 };
	struct cw_reply reply = { .err = CW_OK };
	struct cw_buf plain;
	size_t at;

	assert_err(cw_test_issuer_make_certificate(&w->issuer, made, "CN=T"),
	    CW_OK);
	cw_buf_init(&plain, CW_BODY_MAX);
	cw_cbor_put_array(&plain, 3);
	cw_cbor_put_uint(&plain, CW_SET_CERTIFICATES);
	cw_cbor_put_bool(&plain, false);
	cw_cbor_put_map(&plain, 2);
	cw_cbor_put_uint(&plain, 0);
	cw_cbor_put_uint(&plain, id);
	cw_cbor_put_uint(&plain, 1);
	at = plain.len;
	cw_cbor_put_array(&plain, 1 + n);
	cw_cbor_put_bstr(&plain, cw_buf_bytes(&w->issuer.certificate));
	for (size_t j = 0; j < n; j++) {
		/* The last fills up what the card stores: heads and
		 * all. */
		if (total > 0 && j + 1 == n)
			len = total - (plain.len - at) - 3;
		cw_cbor_put_bstr(&plain, cw_bytes(filler, len));
	}
	cw_test_run_plain(&w->issuer, cw_buf_bytes(&plain));
	cw_channel_advance(&w->issuer.channel, cw_buf_bytes(&w->issuer.command),
	    cw_buf_bytes(&w->issuer.reply));
	w->issuer.i++;
	assert_err(cw_reply_decode(CW_SET_CERTIFICATES,
		       cw_buf_bytes(&w->issuer.reply_plain), &reply),
	    CW_OK);
	cw_buf_wipe(&plain);
	return reply.err;
}

static void
certificates_that_are_too_large_are_refused(void **state)
{
	static const struct {
		size_t n, len; /* certificates behind the leaf */
		size_t total; /* of all, as they are stored; 0: what it gives */
		enum cw_err want;
	} rows[] = {
		{ 1, 8192, 0, CW_OK },
		{ 1, 8193, 0, CW_ERR_OUT_OF_RANGE },
		{ 15, 1000, 0, CW_OK },
		{ 16, 1000, 0, CW_ERR_OUT_OF_RANGE },
		{ 4, 7000, 28671, CW_OK },
		{ 4, 7000, 28672, CW_OK },
		{ 4, 7000, 28673, CW_ERR_TOO_LARGE },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_public_key made;
		struct cw_test_world *w;

		cw_test_world_renew(state);
		w = with_key(state, &made);
		assert_err(set_large(w, cw_test_key_9a.id, &made, rows[i].n,
			       rows[i].len, rows[i].total),
		    rows[i].want);
	}
}

/* Two keys whose certificates together are more than a reply. */
static void
a_long_list_is_given_in_parts(void **state)
{
	struct cw_test_world *w = *state;
	static struct cw_listed_key keys[CW_KEYS_MAX];
	struct cw_command list = { .no = CW_LIST };
	struct cw_create_key key = { .type = CW_KEY_P256, .usage = 1 };
	struct cw_reply reply = { .keys = keys };
	struct cw_public_key made;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	for (key.id = 3; key.id > 0; key.id--) {
		assert_err(cw_test_issuer_create_key(&w->issuer, &key, false,
			       &made),
		    CW_OK);
		assert_err(set_large(w, key.id, &made, key.id == 3 ? 1 : 4,
			       7000, 0),
		    CW_OK);
	}
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	for (uint32_t id = 1; id <= 3; id++) {
		reply = (struct cw_reply){ .keys = keys };
		assert_err(cw_test_issuer_command(&w->issuer, &list, &reply),
		    CW_OK);
		assert_int_equal(reply.n_keys, 1);
		assert_int_equal(keys[0].id, id);
		assert_int_equal(reply.more, id < 3);
		list.u.list.after = id;
	}
	reply = (struct cw_reply){ .keys = keys };
	assert_err(cw_test_issuer_command(&w->issuer, &list, &reply), CW_OK);
	assert_int_equal(reply.n_keys, 0);
	assert_false(reply.more);
}

static void
certificates_are_set_once(void **state)
{
	struct cw_public_key made;
	struct cw_test_world *w = with_key(state, &made);

	assert_err(cw_test_issuer_certify(&w->issuer, cw_test_key_9a.id, &made),
	    CW_OK);
	cw_test_ends_with(w,
	    certificates(cw_test_key_9a.id,
		cw_buf_bytes(&w->issuer.certificate)),
	    CW_ERR_DUPLICATE_ID);
}

static void
a_key_without_certificates_cannot_be_closed(void **state)
{
	struct cw_public_key made;
	struct cw_test_world *w = with_key(state, &made);

	cw_test_ends_with(w,
	    (struct cw_command){ .no = CW_CLOSE, .last = true },
	    CW_ERR_INCOMPLETE);
}

/* ---- LIST ---- */

static void
a_list_has_the_issuers_own_keys_only(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_command list = { .no = CW_LIST };
	static struct cw_listed_key keys[CW_KEYS_MAX];
	struct cw_reply reply = { .keys = keys };
	struct cw_test_issuer other;

	cw_test_world_issuer(w, &other);
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_err(cw_test_issuer_enroll(&other, CW_KEY_P384, 0x9C), CW_OK);
	assert_err(cw_test_issuer_begin(&other), CW_OK);
	assert_err(cw_test_issuer_command(&other, &list, &reply), CW_OK);
	assert_int_equal(reply.n_keys, 1);
	assert_int_equal(keys[0].attributes.slot, 0x9C);
	assert_int_equal(keys[0].attributes.type, CW_KEY_P384);
	assert_int_equal(keys[0].n_chain, 2);
	assert_true(
	    cw_bytes_equal(keys[0].chain[0], cw_buf_bytes(&other.certificate)));
	cw_test_issuer_wipe(&other);
}

static void
an_anonymous_session_lists_nothing(void **state)
{
	struct cw_test_world *w = *state;

	w->issuer.request.mode = CW_MODE_ANONYMOUS;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_ends_with(w, (struct cw_command){ .no = CW_LIST },
	    CW_ERR_WRONG_MODE);
}

/* ---- plaintexts that no command is ---- */

static void
what_is_no_command_gets_an_error_reply(void **state)
{
	static const struct {
		const char *name, *hex;
		enum cw_err want;
	} rows[] = {
		{ "nothing inside an array", "80", CW_ERR_OUT_OF_RANGE },
		{ "command 14", "830ef4a0", CW_ERR_UNKNOWN_COMMAND },
		{ "command 0", "8300f4a0", CW_ERR_UNKNOWN_COMMAND },
		{ "command 99", "831863f4a0", CW_ERR_UNKNOWN_COMMAND },
		{ "unknown field", "8308f4a10100", CW_ERR_UNKNOWN_FIELD },
		{ "longer form", "831808f4a0", CW_ERR_NOT_DETERMINISTIC },
		{ "trailing byte", "8308f4a000", CW_ERR_TRAILING },
		{ "cut", "8308f4", CW_ERR_TRUNCATED },
		{ "CLOSE that is not the last",
		    "830df4a00050"
		    "00000000000000000000000000000000",
		    CW_ERR_OUT_OF_RANGE },
	};
	struct cw_reply reply = { .err = CW_OK };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);

		print_message("%s\n", rows[i].name);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_test_run_plain(&w->issuer,
		    cw_test_hex(&w->out, rows[i].hex));
		assert_err(cw_reply_decode(CW_LIST,
			       cw_buf_bytes(&w->issuer.reply_plain), &reply),
		    CW_OK);
		assert_err(reply.err, rows[i].want);
		assert_err(cw_test_issuer_close(&w->issuer, NULL),
		    CW_ERR_CARD_SAYS);
		assert_sw(w->issuer.sw, 0x6985);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(certificates_must_fit_the_key),
		world_test(each_type_of_key_takes_its_own_certificate_only),
		world_test(certificates_that_are_too_large_are_refused),
		world_test(a_long_list_is_given_in_parts),
		world_test(certificates_are_set_once),
		world_test(a_key_without_certificates_cannot_be_closed),
		world_test(a_list_has_the_issuers_own_keys_only),
		world_test(an_anonymous_session_lists_nothing),
		world_test(what_is_no_command_gets_an_error_reply),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
