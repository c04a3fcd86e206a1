/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 4514 text to a DER Name. */
#include "tests/support/check.h"

#include <string.h>

#include "proto/x509_subject.h"

static const struct {
	const char *text;
	const char *hex; /* made by another implementation */
} good[] = {
	/* UTF8String; the last of the text is the first of the Name */
	{ "CN=Ann,O=Ex",
	    "301b310b3009060355040a0c024578310c300a06035504030c03416e6e" },
	{ "cn=Ann", "300e310c300a06035504030c03416e6e" },
	/* PrintableString, IA5String */
	{ "C=DE", "300d310b3009060355040613024445" },
	{ "E=a@b", "30143112301006092a864886f70d0109011603614062" },
	{ "emailAddress=a@b", "30143112301006092a864886f70d0109011603614062" },
	{ "DC=ex", "301431123010060a0992268993f22c64011916026578" },
	{ "serialNumber=1", "300c310a30080603550405130131" },
	{ "UID=u", "30133111300f060a0992268993f22c6401010c0175" },
	/* RFC 4514 2.4: escapes */
	{ "CN=a\\,b", "300e310c300a06035504030c03612c62" },
	{ "CN=\\ a", "300d310b300906035504030c022061" },
	{ "CN=a\\ ", "300d310b300906035504030c026120" },
	{ "CN=\\#a", "300d310b300906035504030c022361" },
	{ "CN=\\C3\\84", "300d310b300906035504030c02c384" },
	{ "CN=\xc3\x84", "300d310b300906035504030c02c384" },
	{ "CN=a=b", "300e310c300a06035504030c03613d62" },
	{ "CN=a#b", "300e310c300a06035504030c03612362" },
	/* two attributes in one RDN: a SET, sorted (X.690 11.6) */
	{ "CN=a+O=b", "30163114300806035504030c01613008060355040a0c0162" },
};

static void
text_becomes_a_name(void **state)
{
	struct cw_subject s;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_row(good[i].text,
		    cw_subject_parse(cw_bytes_str(good[i].text), &s) == CW_OK);
		assert_hex(cw_bytes(s.name, s.name_len), good[i].hex);
	}
}

static void
all_attribute_types_are_known(void **state)
{
	struct cw_subject s;

	(void)state;
	assert_err(cw_subject_parse(cw_bytes_str(
					"CN=a,O=b,OU=c,C=DE,L=d,ST=e,E=f@g,"
					"serialNumber=1,GN=h,SN=i,UID=j,DC=k"),
		       &s),
	    CW_OK);
	assert_string_equal(s.email, "f@g");
}

static const char *const bad[] = {
	"",
	"Ann",
	"=Ann",
	"CN=",
	"CN=a,",
	",CN=a",
	"CN=a,,O=b",
	"CN=a+",
	"CN=a, O=b", /* a space is part of the type */
	"CN= a",
	"CN=a ",
	"CN=a ,O=b",
	"CN=#616263", /* hex form */
	"CN=\"a\"",
	"CN=a;O=b",
	"CN=a<b",
	"CN=a\\",
	"CN=a\\x",
	"CN=a\\4",
	"CN=a\\0A", /* an escaped control character */
	"CN=\\E2\\80\\AE"
	"a",       /* a direction override */
	"CN=\\FF", /* no UTF-8 */
	"X=a",
	"2.5.4.3=a",
	"C=D",
	"C=DEU",
	"C=\xc3\x84"
	"E",
	"E=ab",
	"E=@b",
	"E=a@",
	"E=a@b@c",
	"E=a b@c",
	"E=\xc3\xa4@b",
	"CN=1234567890123456789012345678901234567890123456789012345678901234"
	"5", /* 65 */
	"CN=1,CN=2,CN=3,CN=4,CN=5,CN=6,CN=7,CN=8,CN=9,CN=10,CN=11,CN=12,CN=13,"
	"CN=14,CN=15,CN=16,CN=17",
};

static void
what_is_no_subject_is_refused(void **state)
{
	struct cw_subject s;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(bad[i],
		    cw_subject_parse(cw_bytes_str(bad[i]), &s) != CW_OK);
	assert_int_not_equal(cw_subject_parse(cw_bytes((const uint8_t
							       *)"CN=a\0b",
						  6),
				 &s),
	    CW_OK);
}

static bool
ends_with(const char *subject, const char *suffix)
{
	struct cw_subject a, b;

	assert_err(cw_subject_parse(cw_bytes_str(subject), &a), CW_OK);
	assert_err(cw_subject_parse(cw_bytes_str(suffix), &b), CW_OK);
	return cw_subject_ends_with(&a, &b);
}

static void
a_suffix_is_compared_by_attributes(void **state)
{
	(void)state;
	assert_true(ends_with("CN=a,O=Ex,C=DE", "O=Ex,C=DE"));
	assert_true(ends_with("CN=a,O=Ex", "CN=a,O=Ex"));
	assert_false(ends_with("O=Ex", "CN=a,O=Ex"));
	assert_false(ends_with("CN=a,O=ex", "O=Ex"));
	assert_false(ends_with("CN=a,O=Other", "O=Ex"));
	/* an escaped comma makes text that ends alike */
	assert_false(ends_with("CN=a\\,O=Ex", "O=Ex"));
	assert_false(ends_with("CN=a+O=Ex", "O=Ex"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_a_name),
		cmocka_unit_test(all_attribute_types_are_known),
		cmocka_unit_test(what_is_no_subject_is_refused),
		cmocka_unit_test(a_suffix_is_compared_by_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
