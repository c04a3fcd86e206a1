/* SPDX-License-Identifier: Apache-2.0 */
/* Every command with damaged arguments: missing, more, of another type, too
 * large. */
#include "tests/support/card_rows.h"
#include "tests/support/recode.h"

/* The arguments of a command's plaintext, field by field. */
struct fields {
	struct cw_bytes head; /* array, number, last */
	size_t n;
	struct cw_bytes key[16], value[16];
	struct cw_buf plain;
};

static void
take_apart(const struct cw_command *c, struct fields *f)
{
	struct cw_cbor_reader r;

	cw_buf_init(&f->plain, CW_BODY_MAX);
	cw_command_encode(c, &f->plain);
	assert_err(f->plain.err, CW_OK);
	cw_cbor_init(&r, cw_buf_bytes(&f->plain));
	cw_cbor_array(&r, 3, 3);
	cw_cbor_item(&r);
	cw_cbor_item(&r);
	f->head = cw_bytes(f->plain.ptr, r.pos);
	f->n = cw_cbor_map(&r, COUNT(f->key));
	for (size_t i = 0; i < f->n; i++) {
		f->key[i] = cw_cbor_item(&r);
		f->value[i] = cw_cbor_item(&r);
	}
	assert_err(r.err, CW_OK);
}

/* Puts it together again, without field `skip` and with `extra` behind. */
static void
put_together(const struct fields *f, size_t skip, struct cw_bytes extra,
    struct cw_buf *out)
{
	cw_buf_reset(out);
	cw_buf_put(out, f->head);
	cw_cbor_put_map(out, f->n - (skip < f->n) + (extra.len > 0));
	for (size_t i = 0; i < f->n; i++) {
		if (i == skip)
			continue;
		cw_buf_put(out, f->key[i]);
		cw_buf_put(out, f->value[i]);
	}
	cw_buf_put(out, extra);
}

/* Seals a plaintext as the next command, and gives the card's error. */
static enum cw_err
run_plain(struct cw_test_issuer *issuer, enum cw_command_no no,
    struct cw_bytes plain)
{
	struct cw_reply reply = { .err = CW_OK };

	cw_test_run_plain(issuer, plain);
	assert_err(cw_reply_decode(no, cw_buf_bytes(&issuer->reply_plain),
		       &reply),
	    CW_OK);
	return reply.err;
}

static void
each_command_succeeds_as_it_is(void **state)
{
	for (size_t i = 0; i < CW_ROWS; i++) {
		struct cw_test_world *w = cw_rows_prepare(state, cw_rows[i].no);
		struct cw_command c = cw_rows_command(w, cw_rows[i].no);

		print_message("%s\n", cw_command_name(cw_rows[i].no));
		assert_err(cw_test_run(&w->issuer, &c), CW_OK);
	}
}

static void
each_field_must_be_there(void **state)
{
	for (size_t i = 0; i < CW_ROWS; i++) {
		size_t missing = 0;

		for (size_t skip = 0; skip < 16; skip++) {
			struct cw_test_world *w =
			    cw_rows_prepare(state, cw_rows[i].no);
			struct cw_command c = cw_rows_command(w, cw_rows[i].no);
			struct fields f;

			take_apart(&c, &f);
			if (skip >= f.n) {
				cw_buf_wipe(&f.plain);
				break;
			}
			put_together(&f, skip, CW_BYTES_NONE, &w->out);
			if (run_plain(&w->issuer, cw_rows[i].no,
				cw_buf_bytes(&w->out)) ==
			    CW_ERR_MISSING_FIELD) {
				missing++;
				cw_rows_assert_ended(w);
			}
			cw_buf_wipe(&f.plain);
		}
		print_message("%s\n", cw_command_name(cw_rows[i].no));
		assert_int_equal(missing, cw_rows[i].fields);
	}
}

static void
a_field_more_is_refused_unless_it_is_negative(void **state)
{
	static const uint8_t positive[] = { 0x18, 0x63, 0x00 };
	static const uint8_t negative[] = { 0x20, 0x00 };

	for (size_t i = 0; i < CW_ROWS; i++) {
		for (unsigned bad = 0; bad < 2; bad++) {
			struct cw_test_world *w =
			    cw_rows_prepare(state, cw_rows[i].no);
			struct cw_command c = cw_rows_command(w, cw_rows[i].no);
			struct fields f;

			take_apart(&c, &f);
			put_together(&f, SIZE_MAX,
			    bad ? CW_BYTES_ARRAY(positive) :
				  CW_BYTES_ARRAY(negative),
			    &w->out);
			assert_err(run_plain(&w->issuer, cw_rows[i].no,
				       cw_buf_bytes(&w->out)),
			    bad ? CW_ERR_UNKNOWN_FIELD : CW_OK);
			if (bad)
				cw_rows_assert_ended(w);
			cw_buf_wipe(&f.plain);
		}
	}
}

/* Every value replaced by one that it cannot be. */
static void
replace_each(void **state, struct cw_bytes by, int major, bool *all_refused)
{
	for (size_t i = 0; i < CW_ROWS; i++) {
		for (size_t at = 0; at < 16; at++) {
			struct cw_test_world *w =
			    cw_rows_prepare(state, cw_rows[i].no);
			struct cw_command c = cw_rows_command(w, cw_rows[i].no);
			struct cw_cbor_reader r;
			struct fields f;

			take_apart(&c, &f);
			if (at >= f.n) {
				cw_buf_wipe(&f.plain);
				break;
			}
			cw_cbor_init(&r, f.value[at]);
			if (major < 0 || cw_recode_major(&r) == major) {
				f.value[at] = by;
				put_together(&f, SIZE_MAX, CW_BYTES_NONE,
				    &w->out);
				if (run_plain(&w->issuer, cw_rows[i].no,
					cw_buf_bytes(&w->out)) == CW_OK)
					*all_refused = false;
				cw_rows_assert_ended(w);
			}
			cw_buf_wipe(&f.plain);
		}
	}
}

static void
a_value_of_another_type_is_refused(void **state)
{
	static const uint8_t null[] = { 0xf6 };
	bool all_refused = true;

	replace_each(state, CW_BYTES_ARRAY(null), -1, &all_refused);
	assert_true(all_refused);
}

static void
a_number_too_large_is_refused(void **state)
{
	static const uint8_t large[] = { 0x1b, 0, 0, 0, 1, 0, 0, 0, 0 };
	bool all_refused = true;

	replace_each(state, CW_BYTES_ARRAY(large), 0, &all_refused);
	assert_true(all_refused);
}

static void
strings_too_long_are_refused(void **state)
{
	static uint8_t bytes[3 + 20000] = { 0x59, 20000 >> 8, 20000 & 0xFF };
	static uint8_t text[3 + 20000] = { 0x79, 20000 >> 8, 20000 & 0xFF };
	bool all_refused = true;

	memset(text + 3, 'x', 20000);
	replace_each(state, CW_BYTES_ARRAY(bytes), 2, &all_refused);
	replace_each(state, CW_BYTES_ARRAY(text), 3, &all_refused);
	assert_true(all_refused);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(each_command_succeeds_as_it_is),
		world_test(each_field_must_be_there),
		world_test(a_field_more_is_refused_unless_it_is_negative),
		world_test(a_value_of_another_type_is_refused),
		world_test(a_number_too_large_is_refused),
		world_test(strings_too_long_are_refused),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin, cw_rows_end);
}
