/* SPDX-License-Identifier: Apache-2.0 */
/* fields: plays sessions in which one field is wrong, as fields.py asks for
 * them on standard input (tap.h). */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "proto/evidence.h"
#include "tests/fields/world.h"

/* Nothing here is about disks: thousands of sessions do not wait for them. */
__attribute__((visibility("default"))) int
fsync(int fd)
{
	(void)fd;
	return 0;
}

__attribute__((visibility("default"))) int
fdatasync(int fd)
{
	(void)fd;
	return 0;
}

static bool
play(const char *kind, unsigned suite, unsigned mode, const char *wanted)
{
	enum cw_mode m = (enum cw_mode)mode;

	return cw_fields_enrol(kind, suite, m, wanted) ||
	    cw_fields_command(kind, suite, m, wanted) ||
	    cw_fields_holder(kind, suite, m, wanted);
}

static bool
decode(const char *rule)
{
	enum cw_err err = CW_OK;
	struct cw_buf bytes;
	bool known;

	cw_buf_init(&bytes, (size_t)2 * CW_EVIDENCE_MAX);
	cw_tap_read(&bytes);
	known = cw_fields_decode(rule, &bytes, &err);
	cw_buf_wipe(&bytes);
	cw_tap_begin(NULL);
	cw_tap_error("decoder", err);
	cw_tap_end();
	return known;
}

int
main(void)
{
	char line[256];

	if (!cw_secret_process_init() || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
		return 1;
	cw_tap_init();
	cw_log_set_level(CW_LOG_ERROR);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		char what[8], kind[32];
		unsigned suite, mode;
		int end = 0;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "decode\t", 7) == 0 && decode(line + 7))
			continue;
		if (sscanf(line, "%7[a-z]\t%31[a-z0-9-]\t%u\t%u%n", what, kind,
			&suite, &mode, &end) != 4 ||
		    !play(kind, suite, mode,
			line[end] == '\t' ? line + end + 1 : NULL)) {
			fprintf(stderr, "fields: %s\n", line);
			return 2;
		}
	}
	cw_fields_enrol_end();
	cw_fields_command_end();
	cw_fields_decode_end();
	return 0;
}
