/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance kit on the reference card: everything passes. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/conformance/kit.h"
#include "tests/support/kit_world.h"
#include "tests/support/check.h"

static void
the_reference_card_passes_every_check(void **state)
{
	struct cw_kit_world *w = *state;
	unsigned failed = 0;

	for (size_t t = 0; cw_kit_tables[t] != NULL; t++)
		for (const struct cw_kit_check *c = cw_kit_tables[t];
		     c->name != NULL; c++)
			if (cw_kit_run(&w->kit, c) != CW_KIT_PASSED) {
				printf("# %s: %s\n", c->name, w->kit.why);
				failed++;
			}
	assert_int_equal(failed, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_reference_card_passes_every_check, cw_kit_world_setup,
		    cw_kit_world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
