/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance kit on a card in this process, whose power can be cut. */
#ifndef CW_TESTS_KIT_WORLD_H
#define CW_TESTS_KIT_WORLD_H

#include "tests/conformance/kit.h"

struct cw_kit_world {
	struct cw_test_vendor vendor;
	struct cw_test_card card;
	struct cw_trust *trust;
	struct cw_kit kit;
};

/* For cmocka: *state is a struct cw_kit_world. */
int cw_kit_world_setup(void **state);
int cw_kit_world_teardown(void **state);

#endif
