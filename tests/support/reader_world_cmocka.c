/* SPDX-License-Identifier: Apache-2.0 */
/* Worlds as cmocka's fixtures. */
#include "tests/support/native_world.h"

#include <stdlib.h>

static struct cw_test_vendor the_vendor;

int
cw_world_before_all(void **state)
{
	(void)state;
	cw_test_vendor_init(&the_vendor);
	return 0;
}

int
cw_world_after_all(void **state)
{
	(void)state;
	cw_test_vendor_wipe(&the_vendor);
	return 0;
}

const struct cw_test_vendor *
cw_world_vendor(void)
{
	return &the_vendor;
}

int
cw_world_setup(void **state)
{
	struct cw_world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -1;
	cw_world_init(w, &the_vendor);
	*state = w;
	return 0;
}

int
cw_world_teardown(void **state)
{
	cw_world_wipe(*state);
	free(*state);
	return 0;
}

int
cw_native_world_setup(void **state)
{
	struct cw_native_world *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return -1;
	cw_native_world_init(n, &the_vendor);
	*state = n;
	return 0;
}

int
cw_native_world_teardown(void **state)
{
	cw_native_world_wipe(*state);
	free(*state);
	return 0;
}
