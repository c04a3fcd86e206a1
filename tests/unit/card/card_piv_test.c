/* SPDX-License-Identifier: Apache-2.0 */
/* The PIV application: data objects, and what keys do after which PIN. */
#include "card/tlv.h"
#include "proto/apdu.h"
#include "tests/support/card_world.h"

static unsigned
get_data(struct cw_test_world *w, const char *object)
{
	struct cw_buf data;
	unsigned sw;

	cw_buf_init(&data, 64);
	sw = cw_test_send(&w->card.wire, 0x00CB, 0x3FFF,
	    cw_test_hex(&data, object), &w->out);
	cw_buf_wipe(&data);
	return sw;
}

/* GENERAL AUTHENTICATE: `tag` 81 signs, 85 agrees. The result in w->out. */
static unsigned
authenticate(struct cw_test_world *w, unsigned algorithm, unsigned slot,
    unsigned tag, struct cw_bytes input)
{
	struct cw_buf fields, data;
	struct cw_bytes rest, value;
	unsigned sw, found;

	cw_buf_init(&fields, 4096);
	cw_buf_init(&data, 4096);
	cw_tlv_put(&fields, 0x82, CW_BYTES_NONE);
	cw_tlv_put(&fields, tag, input);
	cw_tlv_put(&data, 0x7C, cw_buf_bytes(&fields));
	sw = cw_test_send(&w->card.wire, 0x0087, algorithm << 8 | slot,
	    cw_buf_bytes(&data), &w->out);
	if (sw == 0x9000) {
		rest = cw_buf_bytes(&w->out);
		assert_true(cw_tlv_next(&rest, &found, &value));
		assert_int_equal(found, 0x7C);
		rest = value;
		assert_true(cw_tlv_next(&rest, &found, &value));
		assert_int_equal(found, 0x82);
		cw_buf_reset(&data);
		cw_buf_put(&data, value);
		cw_buf_reset(&w->out);
		cw_buf_put(&w->out, cw_buf_bytes(&data));
	}
	cw_buf_wipe(&fields);
	cw_buf_wipe(&data);
	return sw;
}

static const uint8_t digest[48] = { 1, 2, 3 };

static unsigned
sign_p256(struct cw_test_world *w, unsigned slot)
{
	return authenticate(w, 0x11, slot, 0x81, cw_bytes(digest, 32));
}

/* A card with P-256 keys in all four slots, PIV selected after a reset. */
static struct cw_test_world *
with_keys(void **state)
{
	static const uint8_t slots[] = { 0x9A, 0x9C, 0x9D, 0x9E, 0x82 };
	struct cw_test_world *w = *state;

	for (size_t i = 0; i < COUNT(slots); i++)
		assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256,
			       slots[i]),
		    CW_OK);
	cw_card_reset(w->card.card);
	assert_sw(cw_test_select_piv(&w->card.wire), 0x9000);
	return w;
}

/* ---- data objects ---- */

static void
objects_are_as_the_standard_has_them(void **state)
{
	struct cw_test_world *w = with_keys(state);
	struct cw_bytes rest, value;
	unsigned tag;

	assert_sw(get_data(w, "5C017E"), 0x9000);
	assert_hex(cw_buf_bytes(&w->out),
	    "7E124F0BA0000003080000100001005F2F024000");
	assert_sw(get_data(w, "5C035FC10C"), 0x9000);
	assert_hex(cw_buf_bytes(&w->out), "5308C10101C20100FE00");
	assert_sw(get_data(w, "5C035FC107"), 0x9000);
	assert_int_equal(w->out.ptr[0], 0x53);
	assert_sw(get_data(w, "5C035FC102"), 0x9000);
	rest = cw_buf_bytes(&w->out);
	assert_true(cw_tlv_next(&rest, &tag, &value));
	rest = value;
	assert_true(cw_tlv_next(&rest, &tag, &value)); /* FASC-N */
	assert_int_equal(tag, 0x30);
	assert_int_equal(value.len, 25);
	assert_true(cw_tlv_next(&rest, &tag, &value)); /* GUID */
	assert_int_equal(tag, 0x34);
	assert_int_equal(value.len, 16);
}

static void
certificates_are_where_the_standard_has_them(void **state)
{
	static const struct {
		enum cw_key_type type;
		uint8_t slot;
		const char *object;
	} rows[] = {
		{ CW_KEY_P256, 0x9A, "5C035FC105" },
		{ CW_KEY_P384, 0x9C, "5C035FC10A" },
		{ CW_KEY_P256, 0x9D, "5C035FC10B" },
		{ CW_KEY_P256, 0x9E, "5C035FC101" },
		{ CW_KEY_P256, 0x82, "5C035FC10D" },
		{ CW_KEY_P256, 0x95, "5C035FC120" },
	};
	struct cw_test_world *w = *state;
	struct cw_bytes rest, value;
	unsigned tag;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cw_test_select_piv(&w->card.wire);
		assert_sw(get_data(w, rows[i].object), 0x6A82);
		assert_err(cw_test_issuer_enroll(&w->issuer, rows[i].type,
			       rows[i].slot),
		    CW_OK);
		cw_test_select_piv(&w->card.wire);
		assert_sw(get_data(w, rows[i].object), 0x9000);
		rest = cw_buf_bytes(&w->out);
		assert_true(cw_tlv_next(&rest, &tag, &value));
		assert_int_equal(tag, 0x53);
		assert_int_equal(rest.len, 0);
		rest = value;
		assert_true(cw_tlv_next(&rest, &tag, &value));
		assert_int_equal(tag, 0x70);
		assert_true(cw_bytes_equal(value,
		    cw_buf_bytes(&w->issuer.certificate)));
		assert_hex(rest, "710100FE00");
	}
}

static void
wrong_questions_for_data_are_refused(void **state)
{
	static const struct {
		const char *hex;
		unsigned sw;
	} rows[] = {
		{ "5C035FC109", 0x6A82 }, /* printed information */
		{ "5C035FC121", 0x6A82 },
		{ "5C00", 0x6A80 },
		{ "5C045FC10501", 0x6A80 },
		{ "5D035FC105", 0x6A80 },
		{ "5C035FC105AA", 0x6A80 },
		{ "5C035FC1", 0x6A80 },
	};
	struct cw_test_world *w = *state;

	cw_test_select_piv(&w->card.wire);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(rows[i].hex, get_data(w, rows[i].hex) == rows[i].sw);
	assert_sw(cw_test_send(&w->card.wire, 0x00CB, 0x0000,
		      cw_test_hex(&w->out, "5C017E"), NULL),
	    0x6A86);
	/* Nothing can be written. */
	assert_sw(cw_test_send(&w->card.wire, 0x00DB, 0x3FFF,
		      cw_test_hex(&w->out, "5C017E"), NULL),
	    0x6D00);
	assert_sw(cw_test_send(&w->card.wire, 0x0047, 0x009A,
		      cw_test_hex(&w->out, "AC03800111"), NULL),
	    0x6D00);
}

/* ---- the PIN of each slot ---- */

static void
slots_want_the_pin_once_always_or_never(void **state)
{
	struct cw_test_world *w = with_keys(state);

	assert_sw(sign_p256(w, 0x9E), 0x9000);
	assert_sw(sign_p256(w, 0x9A), 0x6982);
	assert_sw(sign_p256(w, 0x9C), 0x6982);
	assert_sw(sign_p256(w, 0x9D), 0x6982);
	assert_sw(sign_p256(w, 0x82), 0x6982);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	for (int i = 0; i < 2; i++) {
		assert_sw(sign_p256(w, 0x9A), 0x9000);
		assert_sw(sign_p256(w, 0x9D), 0x9000);
		assert_sw(sign_p256(w, 0x82), 0x9000);
	}
	assert_sw(sign_p256(w, 0x9C), 0x6982);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(sign_p256(w, 0x9C), 0x9000);
	assert_sw(sign_p256(w, 0x9C), 0x6982);
	/* "Immediately before": no other command between. */
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(get_data(w, "5C017E"), 0x9000);
	assert_sw(sign_p256(w, 0x9C), 0x6982);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(cw_test_send(&w->card.wire, 0x00FD, 0, CW_BYTES_NONE, NULL),
	    0x6D00);
	assert_sw(sign_p256(w, 0x9C), 0x6982);
	/* Nor a VERIFY that is none. */
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(cw_test_verify(&w->card.wire, "12"), 0x6A80);
	assert_sw(sign_p256(w, 0x9C), 0x6982);
}

static void
a_verified_pin_ends_with_the_application_and_with_the_power(void **state)
{
	struct cw_test_world *w = with_keys(state);

	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	cw_test_select_piv(&w->card.wire); /* the same one: it stays */
	assert_sw(sign_p256(w, 0x9A), 0x9000);
	cw_test_select_provisioning(&w->card.wire);
	cw_test_select_piv(&w->card.wire);
	assert_sw(sign_p256(w, 0x9A), 0x6982);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	cw_card_power(w->card.card, false);
	cw_test_select_piv(&w->card.wire);
	assert_sw(sign_p256(w, 0x9A), 0x6982);
}

/* ---- what keys do ---- */

static void
wrong_questions_to_a_key_are_refused(void **state)
{
	static const struct {
		const char *name;
		unsigned p1_p2;
		const char *hex;
		unsigned sw;
	} rows[] = {
		{ "no such key", 0x1183, "7C0482008101AA", 0x6A86 },
		{ "another algorithm", 0x149E, "7C0482008101AA", 0x6A86 },
		{ "no template", 0x119E, "8101AA", 0x6A80 },
		{ "no place for the answer", 0x119E, "7C038101AA", 0x6A80 },
		{ "nothing asked", 0x119E, "7C028200", 0x6A80 },
		{ "two things asked", 0x119E, "7C0882008101AA8501AA", 0x6A80 },
		{ "a witness", 0x119E,
		    "7C048000"
		    "8200",
		    0x6A80 },
		{ "cut", 0x119E, "7C0582008101", 0x6A80 },
		{ "no point", 0x119E, "7C0582008501AA", 0x6A80 },
	};
	struct cw_test_world *w = with_keys(state);

	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned sw = cw_test_send(&w->card.wire, 0x0087, rows[i].p1_p2,
		    cw_test_hex(&w->out, rows[i].hex), NULL);

		if (sw != rows[i].sw)
			fail_msg("%s: %04X", rows[i].name, sw);
	}
}

static void
a_key_agrees_with_a_peer(void **state)
{
	struct cw_test_world *w = with_keys(state);
	struct cw_private_key *peer = NULL;
	struct cw_public_key public, card;
	struct cw_buf point;
	uint8_t z[32];

	assert_err(cw_key_generate(CW_KEY_P256, &peer), CW_OK);
	cw_key_public(peer, &public);
	cw_buf_init(&point, 65);
	cw_buf_put_u8(&point, 4);
	cw_buf_put(&point, cw_bytes(public.x, 32));
	cw_buf_put(&point, cw_bytes(public.y, 32));
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(authenticate(w, 0x11, 0x82, 0x85, cw_buf_bytes(&point)),
	    0x9000);
	assert_err(cw_cert_public_key(cw_buf_bytes(&w->issuer.certificate),
		       &card),
	    CW_OK);
	assert_err(cw_agree(peer, &card, z), CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&w->out), CW_BYTES_ARRAY(z)));
	/* A point off the curve (an attack on the key) is refused. */
	point.ptr[60] ^= 1;
	assert_sw(authenticate(w, 0x11, 0x82, 0x85, cw_buf_bytes(&point)),
	    0x6A80);
	cw_key_free(&peer);
	cw_buf_wipe(&point);
}

/* A key in 9E that may do only this. */
static struct cw_test_world *
with_usage(void **state, enum cw_key_type type, unsigned usage)
{
	const struct cw_create_key key = { .id = 1,
		.type = type,
		.usage = usage,
		.slot = 0x9E };
	struct cw_test_world *w = cw_test_world_renew(state);
	struct cw_public_key made;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_create_key(&w->issuer, &key, true, &made),
	    CW_OK);
	assert_err(cw_test_issuer_certify(&w->issuer, 1, &made), CW_OK);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	cw_test_select_piv(&w->card.wire);
	return w;
}

static void
a_key_does_only_what_its_usage_says(void **state)
{
	struct cw_test_world *w;
	uint8_t block[256] = { 0x00, 0x01 };
	uint8_t point[65] = { 4 };

	w = with_usage(state, CW_KEY_P256, CW_USAGE_AGREE);
	assert_sw(sign_p256(w, 0x9E), 0x6985);
	w = with_usage(state, CW_KEY_P256, CW_USAGE_SIGN);
	assert_sw(sign_p256(w, 0x9E), 0x9000);
	assert_sw(authenticate(w, 0x11, 0x9E, 0x85, CW_BYTES_ARRAY(point)),
	    0x6985);
	/* Nor with another curve's algorithm. */
	w = with_usage(state, CW_KEY_P384, CW_USAGE_SIGN);
	assert_sw(sign_p256(w, 0x9E), 0x6A86);
	w = with_usage(state, CW_KEY_RSA2048, CW_USAGE_DECRYPT);
	assert_sw(authenticate(w, 0x07, 0x9E, 0x81, CW_BYTES_ARRAY(block)),
	    0x6985);
	/* Neither with PSS. */
	block[1] = 0x05;
	block[255] = 0xBC;
	assert_sw(authenticate(w, 0x07, 0x9E, 0x81, CW_BYTES_ARRAY(block)),
	    0x6985);
	block[255] = 0x00;
	assert_sw(authenticate(w, 0x07, 0x9E, 0x81, CW_BYTES_ARRAY(block)),
	    0x9000);
	assert_int_equal(w->out.len, 256);
	assert_sw(authenticate(w, 0x07, 0x9E, 0x81, cw_bytes(block, 255)),
	    0x6A80);
	w = with_usage(state, CW_KEY_RSA2048, CW_USAGE_SIGN);
	assert_sw(authenticate(w, 0x07, 0x9E, 0x81, CW_BYTES_ARRAY(block)),
	    0x6985);
	assert_sw(authenticate(w, 0x07, 0x9E, 0x85, CW_BYTES_ARRAY(block)),
	    0x6985);
}

static void
an_ed25519_key_signs_the_message_itself(void **state)
{
	struct cw_test_world *w =
	    with_usage(state, CW_KEY_ED25519, CW_USAGE_SIGN);
	struct cw_public_key key;

	assert_sw(authenticate(w, 0xE0, 0x9E, 0x81,
		      cw_bytes_str("the message")),
	    0x9000);
	assert_err(cw_cert_public_key(cw_buf_bytes(&w->issuer.certificate),
		       &key),
	    CW_OK);
	assert_err(cw_verify(&key, cw_bytes_str("the message"),
		       cw_buf_bytes(&w->out)),
	    CW_OK);
}

/* ---- TLV ---- */

static unsigned
ask_management_key(struct cw_test_world *w, const char *template)
{
	struct cw_buf data;
	unsigned sw;

	cw_buf_init(&data, 64);
	sw = cw_test_send(&w->card.wire, 0x0087, 0x009B,
	    cw_test_hex(&data, template), &w->out);
	cw_buf_wipe(&data);
	return sw;
}

static void
the_management_key_that_is_not_there_gives_challenges_and_opens_nothing(
    void **state)
{
	static const uint8_t head[] = { 0x7C, 0x12, 0x81, 0x10 };
	static const char *const others[] = { "7C028000", "7C0482008100",
		"7C0482020102", "7C128110000102030405060708090A0B0C0D0E0F",
		"7C00", "" };
	struct cw_test_world *w = *state;
	uint8_t first[20];

	assert_sw(cw_test_select_piv(&w->card.wire), 0x9000);
	assert_sw(ask_management_key(w, "7C028100"), 0x9000);
	assert_int_equal(w->out.len, sizeof(first));
	assert_memory_equal(w->out.ptr, head, sizeof(head));
	memcpy(first, w->out.ptr, sizeof(first));
	assert_sw(ask_management_key(w, "7C028100"), 0x9000);
	assert_memory_not_equal(w->out.ptr, first, sizeof(first));
	for (size_t i = 0; i < COUNT(others); i++)
		assert_row(others[i],
		    ask_management_key(w, others[i]) == 0x6982);
}

static void
tlv_is_read_as_it_is_written(void **state)
{
	static const size_t lengths[] = { 0, 1, 127, 128, 255, 256, 40000 };
	static const unsigned tags[] = { 0x53, 0x5F2F, 0x5FC105 };
	static uint8_t big[40000];
	struct cw_bytes rest, value;
	struct cw_buf b;
	unsigned tag;

	(void)state;
	cw_buf_init(&b, 65536);
	for (size_t t = 0; t < 2; t++)
		for (size_t i = 0; i < COUNT(lengths); i++) {
			cw_buf_reset(&b);
			cw_tlv_put(&b, tags[t], cw_bytes(big, lengths[i]));
			rest = cw_buf_bytes(&b);
			assert_true(cw_tlv_next(&rest, &tag, &value));
			assert_int_equal(tag, tags[t]);
			assert_int_equal(value.len, lengths[i]);
			assert_int_equal(rest.len, 0);
			assert_false(cw_tlv_next(&rest, &tag, &value));
		}
	cw_tlv_put_head(&b, 0x53, 65536);
	assert_err(b.err, CW_ERR_OUT_OF_RANGE);
	cw_buf_wipe(&b);
}

static void
broken_tlv_is_refused(void **state)
{
	static const char *const rows[] = { "53", "5303AABB", "5380",
		"5383000001AA", "5F", "5FC1", "5FC181", "5381", "538200" };
	struct cw_bytes rest, value;
	struct cw_buf b;
	unsigned tag;

	(void)state;
	cw_buf_init(&b, 64);
	for (size_t i = 0; i < COUNT(rows); i++) {
		rest = cw_test_hex(&b, rows[i]);
		assert_row(rows[i], !cw_tlv_next(&rest, &tag, &value));
		assert_row(rows[i], rest.len == b.len);
	}
	cw_buf_wipe(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(objects_are_as_the_standard_has_them),
		world_test(certificates_are_where_the_standard_has_them),
		world_test(wrong_questions_for_data_are_refused),
		world_test(slots_want_the_pin_once_always_or_never),
		world_test(
		    a_verified_pin_ends_with_the_application_and_with_the_power),
		world_test(wrong_questions_to_a_key_are_refused),
		world_test(a_key_agrees_with_a_peer),
		world_test(a_key_does_only_what_its_usage_says),
		world_test(an_ed25519_key_signs_the_message_itself),
		world_test(
		    the_management_key_that_is_not_there_gives_challenges_and_opens_nothing),
		cmocka_unit_test(tlv_is_read_as_it_is_written),
		cmocka_unit_test(broken_tlv_is_refused),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
