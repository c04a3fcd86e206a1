/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the configuration file and what may stand behind them. Only for
 * config.c and config_value.c. */
#ifndef CW_KEYS_CONFIG_VALUE_H
#define CW_KEYS_CONFIG_VALUE_H

#include "keys/config.h"

struct cw_config_name {
	const char *name;
	/* Stores the value; gives a plain reason, or NULL when it is good. */
	const char *(*parse)(const struct cw_config_name *self, void *at,
	    const char *value, const char *folder);
	size_t offset; /* in its section's struct */
	size_t size;   /* of a text */
	unsigned min, max;
	bool must; /* refuse a file without it */
};

/* A kind of section: its names, at most 32, NULL behind the last. */
struct cw_config_section {
	const char *name;
	bool titled; /* [name "TITLE"], many of them */
	const struct cw_config_name *names;
};

extern const struct cw_config_section cw_config_sections[];
extern const size_t cw_config_sections_n;

#endif
