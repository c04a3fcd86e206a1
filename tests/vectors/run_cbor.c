/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: run_cbor FILE...
 * Published CBOR items (RFC 8949 Appendix A as JSON). What the reader takes
 * must have the value that the file states and be written again with the same
 * bytes; what it refuses must be of a class that it has to refuse. The classes
 * are told from the item's bytes here, not by the reader.
 */
#include <stdio.h>

#include "tests/support/json.h"
#include "tests/support/recode.h"

#define ITEM_MAX 4096
#define EXACT_MAX 9007199254740992.0 /* 2^53: JSON numbers are doubles here */

struct refused_class {
	const char *prefix; /* of the item in hex */
	enum cw_err want;
	const char *name;
};

static const struct refused_class classes[] = {
	{ "c", CW_ERR_WRONG_TYPE, "tag" },
	{ "d", CW_ERR_WRONG_TYPE, "tag" },
	{ "f9", CW_ERR_WRONG_TYPE, "half-precision float" },
	{ "fa", CW_ERR_WRONG_TYPE, "single-precision float" },
	{ "fb", CW_ERR_WRONG_TYPE, "double-precision float" },
	{ "f7", CW_ERR_WRONG_TYPE, "undefined" },
	{ "f8", CW_ERR_WRONG_TYPE, "simple value in two bytes" },
	{ "f0", CW_ERR_WRONG_TYPE, "simple value" },
	{ "5f", CW_ERR_NOT_DETERMINISTIC, "indefinite byte string" },
	{ "7f", CW_ERR_NOT_DETERMINISTIC, "indefinite text string" },
	{ "9f", CW_ERR_NOT_DETERMINISTIC, "indefinite array" },
	{ "bf", CW_ERR_NOT_DETERMINISTIC, "indefinite map" },
	/* Indefinite containers inside definite ones: whole items. */
	{ "83018202039f0405ff", CW_ERR_NOT_DETERMINISTIC, "indefinite inside" },
	{ "83019f0203ff820405", CW_ERR_NOT_DETERMINISTIC, "indefinite inside" },
	{ "826161bf61626163ff", CW_ERR_NOT_DETERMINISTIC, "indefinite inside" },
};

static unsigned tests;
static unsigned failures;

static void
report(bool ok, const char *hex, const char *sentence, const char *detail)
{
	tests++;
	failures += ok ? 0 : 1;
	printf("%s %u - %s %s (%s)\n", ok ? "ok" : "not ok", tests, hex,
	    sentence, detail);
}

static const struct refused_class *
class_of(const char *hex)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(hex, classes[i].prefix,
			strlen(classes[i].prefix)) == 0)
			return &classes[i];
	return NULL;
}

static bool same_value(struct cw_cbor_reader *r, const struct cw_json *want);

static bool
same_number(struct cw_cbor_reader *r, const struct cw_json *want)
{
	struct cw_cbor_reader at = *r;
	int64_t v = cw_cbor_int(&at, INT64_MIN, INT64_MAX);

	/* Beyond 2^53 the file's number is not exact; its bytes are compared. */
	cw_cbor_item(r);
	if (at.err == CW_ERR_OUT_OF_RANGE || (double)v > EXACT_MAX)
		return true;
	return at.err == CW_OK && v == cw_json_int(want, ~v);
}

static bool
same_map(struct cw_cbor_reader *r, const struct cw_json *want)
{
	size_t n = cw_cbor_map(r, ITEM_MAX);
	bool same = cw_json_members(want) == n;

	while (n-- > 0 && same) {
		struct cw_bytes key = cw_cbor_tstr(r, 0, 63);
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)key.len,
		    key.len > 0 ? (const char *)key.ptr : "");
		same = same_value(r, cw_json_get(want, name));
	}
	cw_cbor_map_end(r);
	return same;
}

static bool
same_array(struct cw_cbor_reader *r, const struct cw_json *want)
{
	size_t n = cw_cbor_array(r, 0, ITEM_MAX);
	bool same = cw_json_count(want) == n;

	for (size_t i = 0; i < n && same; i++)
		same = same_value(r, cw_json_at(want, i));
	cw_cbor_array_end(r);
	return same;
}

static bool
same_value(struct cw_cbor_reader *r, const struct cw_json *want)
{
	switch (cw_recode_major(r)) {
	case 0:
	case 1:
		return same_number(r, want);
	case 3:
		return cw_json_text(want) != NULL &&
		    cw_bytes_is(cw_cbor_tstr(r, 0, ITEM_MAX),
			cw_json_text(want));
	case 4:
		return same_array(r, want);
	case 5:
		return same_map(r, want);
	case 7:
		if (cw_cbor_is_null(r))
			return cw_json_is_null(want);
		return cw_cbor_bool(r) == cw_json_is_true(want);
	default:
		return false;
	}
}

/* An item that the reader must take. */
static void
run_taken(const char *hex, struct cw_bytes item, const struct cw_json *want)
{
	struct cw_cbor_reader r;
	struct cw_buf again;
	enum cw_err err;

	cw_buf_init(&again, ITEM_MAX);
	cw_cbor_init(&r, item);
	cw_recode(&r, &again);
	err = cw_cbor_finish(&r);
	report(err == CW_OK && again.err == CW_OK &&
		cw_bytes_equal(item, cw_buf_bytes(&again)),
	    hex, "is read and written again the same", cw_err_name(err));
	cw_buf_wipe(&again);
	if (want == NULL)
		return;
	cw_cbor_init(&r, item);
	report(same_value(&r, want) && cw_cbor_finish(&r) == CW_OK, hex,
	    "has the value of the file", cw_err_name(r.err));
}

static void
run_item(const struct cw_json *entry)
{
	const char *hex = cw_json_str(entry, "hex");
	const struct refused_class *class;
	struct cw_buf item;
	enum cw_err err;

	cw_buf_init(&item, ITEM_MAX);
	if (!cw_hex_decode(hex, &item)) {
		report(false, "entry", "has no hex", "bad file");
		return;
	}
	class = class_of(hex);
	err = cw_cbor_check(cw_buf_bytes(&item));
	if (class != NULL)
		report(err == class->want, hex, class->name, cw_err_name(err));
	else
		run_taken(hex, cw_buf_bytes(&item),
		    cw_json_get(entry, "decoded"));
	/* What does not come back the same in any codec must be refused. */
	if (!cw_json_is_true(cw_json_get(entry, "roundtrip")))
		report(err != CW_OK, hex, "is refused, having a better form",
		    cw_err_name(err));
	cw_buf_wipe(&item);
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: run_cbor FILE...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		struct cw_json *file = cw_json_load(argv[i]);

		if (cw_json_count(file) == 0)
			report(false, argv[i], "holds no items", "bad file");
		for (size_t k = 0; k < cw_json_count(file); k++)
			run_item(cw_json_at(file, k));
		cw_json_free(&file);
	}
	printf("1..%u\n", tests);
	return failures == 0 ? 0 : 1;
}
