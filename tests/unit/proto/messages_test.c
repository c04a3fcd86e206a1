/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every message of session.cddl, shown on one example each. */
#include <stdlib.h>

#include "proto/cbor.h"
#include "tests/support/check.h"
#include "tests/support/samples.h"

#define MAX 65536

static struct cw_sample_keys keys;

static int
setup(void **state)
{
	(void)state;
	cw_sample_keys_init(&keys);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cw_sample_keys_wipe(&keys);
	return 0;
}

static void
encode(const struct cw_sample *s, struct cw_buf *out)
{
	cw_buf_init(out, MAX);
	s->encode(&keys, out);
	assert_int_equal(out->err, CW_OK);
}

/* A copy in memory of exactly its size, so that the sanitizer sees any read
 * beyond it. */
static enum cw_err
decode_copy(const struct cw_sample *s, struct cw_bytes in, struct cw_buf *again)
{
	uint8_t *copy = malloc(in.len == 0 ? 1 : in.len);
	enum cw_err err;

	assert_non_null(copy);
	if (in.len > 0)
		memcpy(copy, in.ptr, in.len);
	err = s->decode(&keys, cw_bytes(copy, in.len), again);
	free(copy);
	return err;
}

static enum cw_err
decode(const struct cw_sample *s, struct cw_bytes in)
{
	struct cw_buf again;
	enum cw_err err;

	cw_buf_init(&again, MAX);
	err = decode_copy(s, in, &again);
	cw_buf_wipe(&again);
	return err;
}

static void
every_message_is_deterministic_cbor(void **state)
{
	(void)state;
	for (size_t i = 0; i < cw_samples_n; i++) {
		struct cw_buf b;

		encode(&cw_samples[i], &b);
		assert_int_equal(cw_cbor_check(cw_buf_bytes(&b)), CW_OK);
		cw_buf_wipe(&b);
	}
}

static void
every_message_decodes_and_encodes_to_the_same_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < cw_samples_n; i++) {
		struct cw_buf b;
		struct cw_buf again;

		encode(&cw_samples[i], &b);
		cw_buf_init(&again, MAX);
		print_message("# %s\n", cw_samples[i].name);
		assert_int_equal(decode_copy(&cw_samples[i], cw_buf_bytes(&b),
				     &again),
		    CW_OK);
		assert_int_equal(again.err, CW_OK);
		if (again.len > 0)
			assert_true(cw_bytes_equal(cw_buf_bytes(&b),
			    cw_buf_bytes(&again)));
		cw_buf_wipe(&again);
		cw_buf_wipe(&b);
	}
}

static void
every_message_cut_short_anywhere_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < cw_samples_n; i++) {
		struct cw_buf b;

		encode(&cw_samples[i], &b);
		for (size_t n = 0; n < b.len; n++)
			assert_int_not_equal(decode(&cw_samples[i],
						 cw_bytes(b.ptr, n)),
			    CW_OK);
		cw_buf_wipe(&b);
	}
}

static void
every_message_with_a_byte_behind_it_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < cw_samples_n; i++) {
		struct cw_buf b;

		encode(&cw_samples[i], &b);
		cw_buf_put_u8(&b, 0);
		assert_int_not_equal(decode(&cw_samples[i], cw_buf_bytes(&b)),
		    CW_OK);
		cw_buf_wipe(&b);
	}
}

static void
any_changed_byte_of_a_signed_message_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < cw_samples_n; i++) {
		struct cw_buf b;

		if (!cw_samples[i].is_signed)
			continue;
		encode(&cw_samples[i], &b);
		for (size_t n = 0; n < b.len; n++) {
			b.ptr[n] ^= 0x01;
			assert_int_not_equal(decode(&cw_samples[i],
						 cw_buf_bytes(&b)),
			    CW_OK);
			b.ptr[n] ^= 0x01;
		}
		cw_buf_wipe(&b);
	}
}

/* Whatever a changed byte makes of a message: it is refused, or it is another
 * message that encodes to just these bytes. */
static void
a_changed_byte_never_decodes_to_what_would_be_encoded_otherwise(void **state)
{
	(void)state;
	for (size_t i = 0; i < cw_samples_n; i++) {
		struct cw_buf b;

		encode(&cw_samples[i], &b);
		for (size_t n = 0; n < b.len * 8 && !cw_samples[i].is_signed;
		     n++) {
			struct cw_buf again;

			cw_buf_init(&again, MAX);
			b.ptr[n / 8] ^= (uint8_t)(1u << n % 8);
			/* Numbers of later versions are dropped from lists. */
			if (decode_copy(&cw_samples[i], cw_buf_bytes(&b),
				&again) == CW_OK &&
			    again.err == CW_OK && again.len == b.len)
				assert_true(cw_bytes_equal(cw_buf_bytes(&b),
				    cw_buf_bytes(&again)));
			b.ptr[n / 8] ^= (uint8_t)(1u << n % 8);
			cw_buf_wipe(&again);
		}
		cw_buf_wipe(&b);
	}
}

/* The same map with one more pair behind the others. */
static void
with_key(const struct cw_sample *s, int64_t key, struct cw_buf *out)
{
	struct cw_buf b;

	encode(s, &b);
	assert_in_range(b.ptr[0], 0xa0, 0xa0 + 22);
	cw_buf_init(out, MAX);
	cw_buf_put_u8(out, (uint8_t)(b.ptr[0] + 1));
	cw_buf_put(out, cw_bytes(b.ptr + 1, b.len - 1));
	cw_cbor_put_int(out, key);
	cw_cbor_put_null(out);
	cw_buf_wipe(&b);
}

static void
an_unknown_key_of_zero_or_more_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < cw_samples_n; i++) {
		struct cw_buf b;

		if (!cw_samples[i].is_map)
			continue;
		with_key(&cw_samples[i], 23, &b);
		assert_int_equal(decode(&cw_samples[i], cw_buf_bytes(&b)),
		    CW_ERR_UNKNOWN_FIELD);
		cw_buf_wipe(&b);
	}
}

static void
an_unknown_key_below_zero_is_ignored(void **state)
{
	(void)state;
	for (size_t i = 0; i < cw_samples_n; i++) {
		struct cw_buf b;

		if (!cw_samples[i].is_map)
			continue;
		with_key(&cw_samples[i], -7, &b);
		assert_int_equal(decode(&cw_samples[i], cw_buf_bytes(&b)),
		    CW_OK);
		cw_buf_wipe(&b);
	}
}

/* Every signed kind against every other kind's decoder: typ and label. */
static void
no_signed_object_stands_for_another_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < cw_samples_n; i++) {
		for (size_t k = 0; k < cw_samples_n; k++) {
			struct cw_buf b;

			if (i == k || !cw_samples[i].is_signed ||
			    !cw_samples[k].is_signed)
				continue;
			encode(&cw_samples[i], &b);
			assert_int_equal(decode(&cw_samples[k],
					     cw_buf_bytes(&b)),
			    CW_ERR_WRONG_LABEL);
			cw_buf_wipe(&b);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_is_deterministic_cbor),
		cmocka_unit_test(
		    every_message_decodes_and_encodes_to_the_same_bytes),
		cmocka_unit_test(every_message_cut_short_anywhere_is_refused),
		cmocka_unit_test(
		    every_message_with_a_byte_behind_it_is_refused),
		cmocka_unit_test(
		    any_changed_byte_of_a_signed_message_is_refused),
		cmocka_unit_test(
		    a_changed_byte_never_decodes_to_what_would_be_encoded_otherwise),
		cmocka_unit_test(an_unknown_key_of_zero_or_more_is_refused),
		cmocka_unit_test(an_unknown_key_below_zero_is_ignored),
		cmocka_unit_test(no_signed_object_stands_for_another_kind),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
