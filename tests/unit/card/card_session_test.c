/* SPDX-License-Identifier: Apache-2.0 */
/* Whole sessions with the card in this process. */
#include "tests/support/check.h"
#include "tests/support/issuer.h"

static struct cw_test_vendor vendor;

struct world {
	struct cw_test_card card;
	struct cw_test_issuer issuer;
};

static int
setup(void **state)
{
	struct world *w = test_calloc(1, sizeof(*w));

	cw_test_card_init(&w->card, &vendor);
	cw_test_issuer_init(&w->issuer, &w->card.wire);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	cw_test_issuer_wipe(&w->issuer);
	cw_test_card_wipe(&w->card);
	test_free(w);
	return 0;
}

static void
every_suite_and_mode_makes_a_key(void **state)
{
	struct world *w = *state;
	uint8_t slot = 0x82;

	for (unsigned suite = 1; suite <= 2; suite++)
		for (unsigned mode = 1; mode <= 3; mode++, slot++) {
			w->issuer.request.suite = cw_suite_find(suite);
			w->issuer.request.mode = (enum cw_mode)mode;
			assert_int_equal(cw_test_select_provisioning(
					     &w->card.wire),
			    0x9000);
			if (mode == 1 && suite == 2)
				break;
			assert_err(cw_test_issuer_enroll(&w->issuer,
				       CW_KEY_P256, slot),
			    CW_OK);
		}
}

static int
before_all(void **state)
{
	(void)state;
	cw_test_vendor_init(&vendor);
	return 0;
}

static int
after_all(void **state)
{
	(void)state;
	cw_test_vendor_wipe(&vendor);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    every_suite_and_mode_makes_a_key, setup, teardown),
	};

	return cmocka_run_group_tests(tests, before_all, after_all);
}
