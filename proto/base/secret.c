/* SPDX-License-Identifier: Apache-2.0 */
/* Guarded memory over libsodium. */
#include "proto/base/secret.h"

#include <signal.h>
#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void *
cw_secret_new(size_t len)
{
	void *p = sodium_malloc(len);

	if (p != NULL)
		sodium_memzero(p, len);
	return p;
}

void
cw_secret_free(void *pointer_to_pointer)
{
	void **p = pointer_to_pointer;

	sodium_free(*p);
	*p = NULL;
}

void
cw_wipe(void *ptr, size_t len)
{
	sodium_memzero(ptr, len);
}

bool
cw_secret_equal(struct cw_bytes a, struct cw_bytes b)
{
	if (a.len != b.len)
		return false;
	return a.len == 0 || sodium_memcmp(a.ptr, b.ptr, a.len) == 0;
}

bool
cw_secret_process_init(void)
{
	const struct rlimit none = { 0, 0 };

	signal(SIGPIPE, SIG_IGN);
	return sodium_init() >= 0 && setrlimit(RLIMIT_CORE, &none) == 0 &&
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}
