/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/x509_about.h"

#include "tests/support/cert_maker.h"
#include "tests/support/check.h"

static void
make(const char *subject, const char *eku, const char *usage,
    struct cw_test_cert *out)
{
	const struct cw_test_cert_spec spec = { .subject = subject,
		.key = "P-256",
		.issuer_name = "Issuing CA",
		.eku = eku,
		.key_usage = usage,
		.from = -CW_TEST_DAY,
		.to = 30 * CW_TEST_DAY };

	cw_test_cert_make(&spec, out);
}

static void
names_dates_and_uses_are_taken_from_the_certificate(void **state)
{
	static const struct {
		const char *eku, *usage;
		unsigned want;
	} rows[] = {
		{ "clientAuth,emailProtection", "digitalSignature",
		    CW_CERT_USE_LOGIN | CW_CERT_USE_MAIL },
		{ "serverAuth", "digitalSignature", CW_CERT_USE_SERVER },
		{ "codeSigning", "digitalSignature", CW_CERT_USE_CODE },
		{ NULL, "nonRepudiation", CW_CERT_USE_SIGN },
		{ "1.2.3.4", "digitalSignature", 0 },
		{ NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_cert cert;
		struct cw_cert_about about;

		make("Ada", rows[i].eku, rows[i].usage, &cert);
		assert_err(cw_cert_about(cw_buf_bytes(&cert.der), &about),
		    CW_OK);
		assert_string_equal(about.subject.name, "Ada");
		assert_string_equal(about.subject.organisation, "");
		assert_string_equal(about.issuer.name, "Issuing CA");
		assert_int_equal(about.not_before_s, CW_TEST_NOW - CW_TEST_DAY);
		assert_int_equal(about.not_after_s,
		    CW_TEST_NOW + 30 * CW_TEST_DAY);
		assert_int_equal(about.uses, rows[i].want);
		cw_test_cert_wipe(&cert);
	}
}

static void
a_name_that_cannot_be_displayed_is_not_handed_out(void **state)
{
	static const char *const names[] = { "a\nb", "a\xe2\x80\xaeyb" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct cw_test_cert cert;
		struct cw_cert_about about;

		make(names[i], NULL, NULL, &cert);
		assert_err(cw_cert_about(cw_buf_bytes(&cert.der), &about),
		    CW_OK);
		assert_string_equal(about.subject.name, "");
		cw_test_cert_wipe(&cert);
	}
}

static void
what_is_no_certificate_says_nothing(void **state)
{
	static const char *const no[] = { "", "0",
		"0\x82\x01\x01 certificate" };
	struct cw_cert_about about;
	const struct cw_cert_about nothing = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(no); i++) {
		memset(&about, 0xff, sizeof(about));
		assert_err(cw_cert_about(cw_bytes_str(no[i]), &about),
		    CW_ERR_BAD_CERTIFICATE);
		assert_memory_equal(&about, &nothing, sizeof(about));
	}
}

static void
a_certificate_that_is_never_valid_says_nothing(void **state)
{
	const struct cw_test_cert_spec specs[] = {
		{ .subject = "Ada",
		    .from = 2 * CW_TEST_DAY,
		    .to = CW_TEST_DAY },
		{ .subject = "Ada",
		    .from = -CW_TEST_NOW - 9 * CW_TEST_DAY,
		    .to = -CW_TEST_NOW - CW_TEST_DAY },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(specs); i++) {
		struct cw_test_cert cert;
		struct cw_cert_about about;

		cw_test_cert_make(&specs[i], &cert);
		assert_err(cw_cert_about(cw_buf_bytes(&cert.der), &about),
		    CW_ERR_BAD_CERTIFICATE);
		cw_test_cert_wipe(&cert);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    names_dates_and_uses_are_taken_from_the_certificate),
		cmocka_unit_test(
		    a_name_that_cannot_be_displayed_is_not_handed_out),
		cmocka_unit_test(what_is_no_certificate_says_nothing),
		cmocka_unit_test(
		    a_certificate_that_is_never_valid_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
