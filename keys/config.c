/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the configuration. libinih splits lines; its reader callback counts
 * them and sees section heads, because libinih reports neither an empty section
 * nor a line's number to the handler, and cuts a long line in two.
 */
#include "keys/config.h"

#include <ini.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>

#include "keys/config_value.h"
#include "proto/text.h"

struct loader {
	struct cw_config *config;
	FILE *file;
	const char *path;
	char folder[CW_PATH_MAX];
	unsigned line;
	const struct cw_config_section *section; /* NULL before the first */
	void *at;          /* the struct that the section fills */
	uint32_t seen;     /* names of this section, by their place */
	uint32_t sections; /* sections without title that began */
	bool failed;
	char *message;
	size_t message_size;
};

static bool fail(struct loader *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The first error stays; libinih goes on after it. */
static bool
fail(struct loader *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (l->failed)
		return false;
	l->failed = true;
	n = snprintf(l->message, l->message_size, "%s:%u: ", l->path, l->line);
	if (n < 0 || (size_t)n >= l->message_size)
		return false;
	va_start(ap, fmt);
	vsnprintf(l->message + n, l->message_size - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

/* SP 800-73-4 part 1, table 4b: no card asks for a PIN there. */
#define SLOT_WITHOUT_PIN 0x9E

static bool
check_profile(struct loader *l, const struct cw_profile *p)
{
	if (p->pin && p->slot == SLOT_WITHOUT_PIN)
		return fail(l,
		    "the profile before this line has slot 9E, whose key no "
		    "PIN protects, and not pin = no");
	return true;
}

/* Every name that must be there was there, and what they say fits. */
static bool
end_section(struct loader *l)
{
	const struct cw_config_name *names;

	if (l->section == NULL)
		return true;
	names = l->section->names;
	for (unsigned i = 0; names[i].name != NULL; i++)
		if (names[i].must && (l->seen & 1u << i) == 0)
			return fail(l,
			    "the section [%s] before this line has no %s",
			    l->section->name, names[i].name);
	if (strcmp(l->section->name, "profile") == 0)
		return check_profile(l, l->at);
	return true;
}

static bool
title_is_new(struct loader *l, struct cw_bytes title)
{
	if (strcmp(l->section->name, "model") == 0)
		return cw_config_model(l->config, title) == NULL;
	return cw_config_profile(l->config, title) == NULL;
}

static bool
begin_titled(struct loader *l, struct cw_bytes title)
{
	bool is_model = strcmp(l->section->name, "model") == 0;
	struct cw_config *c = l->config;
	size_t max =
	    is_model ? sizeof(c->models[0].name) : sizeof(c->profiles[0].name);
	char *name;

	if (title.len == 0 || title.len >= max ||
	    !cw_text_is_displayable(title))
		return fail(l,
		    "the name of this %s is empty, too long or not text",
		    l->section->name);
	if (!title_is_new(l, title))
		return fail(l, "this %s stands here for the second time",
		    l->section->name);
	if (is_model ? c->n_models == CW_MODELS_MAX :
		       c->n_profiles == CW_PROFILES_MAX)
		return fail(l, "there are too many %ss", l->section->name);
	if (is_model) {
		l->at = &c->models[c->n_models];
		name = c->models[c->n_models++].name;
	} else {
		c->profiles[c->n_profiles].uses_max = 1;
		c->profiles[c->n_profiles].pin = true;
		l->at = &c->profiles[c->n_profiles];
		name = c->profiles[c->n_profiles++].name;
	}
	memcpy(name, title.ptr, title.len);
	return true;
}

static bool
begin_plain(struct loader *l, unsigned number)
{
	if ((l->sections & 1u << number) != 0)
		return fail(l,
		    "the section [%s] stands here for the second time",
		    l->section->name);
	l->sections |= 1u << number;
	l->at = l->config;
	return true;
}

/* [name] or [name "TITLE"] */
static bool
begin_section(struct loader *l, const char *line)
{
	size_t name_len = strcspn(line + 1, "] \"\r\n");
	const char *name = line + 1, *rest = name + name_len, *end;

	if (!end_section(l))
		return false;
	l->section = NULL;
	l->seen = 0;
	for (unsigned i = 0; i < cw_config_sections_n; i++) {
		const struct cw_config_section *s = &cw_config_sections[i];

		if (strlen(s->name) != name_len ||
		    memcmp(s->name, name, name_len) != 0)
			continue;
		l->section = s;
		if (!s->titled)
			return strncmp(rest, "]", 1) == 0 ?
			    begin_plain(l, i) :
			    fail(l, "the section must be written [%s]",
				s->name);
		end = strncmp(rest, " \"", 2) == 0 ? strstr(rest + 2, "\"]") :
						     NULL;
		return end != NULL ?
		    begin_titled(l,
			cw_bytes((const uint8_t *)rest + 2,
			    (size_t)(end - rest - 2))) :
		    fail(l, "the section must be written [%s \"NAME\"]",
			s->name);
	}
	return fail(l, "there is no section of this name");
}

/* fgets for libinih. Ends the file at the first error. */
static char *
read_line(char *line, int size, void *stream)
{
	struct loader *l = stream;
	size_t len;

	if (l->failed || fgets(line, size, l->file) == NULL)
		return NULL;
	l->line++;
	len = strlen(line);
	if (len + 1 == (size_t)size && line[len - 1] != '\n')
		fail(l, "the line is longer than %d bytes", size - 2);
	else if ((line[0] == ' ' || line[0] == '\t') &&
	    line[strspn(line, " \t\r\n")] != '\0')
		fail(l, "the line begins with a space");
	else if (line[0] == '[')
		begin_section(l, line);
	return l->failed ? NULL : line;
}

static int
handle(void *user, const char *section, const char *name, const char *value)
{
	struct loader *l = user;
	const struct cw_config_name *names;
	const char *why;

	(void)section; /* libinih cuts it at 49 bytes */
	if (l->section == NULL)
		return fail(l, "%.60s stands before the first section", name);
	names = l->section->names;
	for (unsigned i = 0; names[i].name != NULL; i++) {
		if (strcmp(names[i].name, name) != 0)
			continue;
		if ((l->seen & 1u << i) != 0)
			return fail(l,
			    "%s stands in this section for the second time",
			    name);
		l->seen |= 1u << i;
		why = names[i].parse(&names[i],
		    (uint8_t *)l->at + names[i].offset, value, l->folder);
		return why == NULL ? 1 : fail(l, "%s: %s", name, why);
	}
	return fail(l, "the section [%s] has no name %.60s", l->section->name,
	    name);
}

static bool
is_unix(const char *listen)
{
	return strncmp(listen, "unix:", 5) == 0;
}

static bool
is_loopback(const char *listen)
{
	return is_unix(listen) || strncmp(listen, "127.", 4) == 0 ||
	    strncmp(listen, "[::1]:", 6) == 0 ||
	    strncmp(listen, "localhost:", 10) == 0;
}

/* What no single line can say. */
static bool
check_whole(struct loader *l)
{
	const struct cw_config *c = l->config;

	if (!end_section(l))
		return false;
	for (unsigned i = 0; i < 2; i++)
		if ((l->sections & 1u << i) == 0)
			return fail(l, "the section [%s] is missing",
			    cw_config_sections[i].name);
	if (c->n_models == 0 || c->n_profiles == 0)
		return fail(l, "at least one model and one profile are needed");
	if (c->plain && c->tls_certificate[0] != '\0')
		return fail(l,
		    "plain = yes and tls_certificate exclude each other");
	if (c->plain && !is_loopback(c->listen))
		return fail(l,
		    "plain = yes needs a loopback address in listen");
	if (!c->plain && is_unix(c->listen))
		return fail(l, "listen = unix:PATH needs plain = yes");
	if ((c->holder_listen[0] == '\0') != (c->holder_url[0] == '\0'))
		return fail(l, "holder_listen and holder_url need each other");
	if (c->plain && c->holder_listen[0] != '\0')
		return fail(l, "holder_listen needs TLS of its own");
	if (!c->plain && c->forwarded_header[0] != '\0')
		return fail(l,
		    "forwarded_header needs plain = yes, behind a proxy");
	if (!c->plain &&
	    (c->tls_certificate[0] == '\0' || c->tls_key[0] == '\0'))
		return fail(l, "tls_certificate and tls_key are missing");
	return true;
}

static void
set_defaults(struct cw_config *c)
{
	memset(c, 0, sizeof(*c));
	c->session_minutes = 30;
	c->invitation_hours = 72;
	c->open_sessions_max = 10000;
	c->threads = 16;
	c->passphrase_fd = -1;
	c->listen_fd = c->holder_listen_fd = -1;
}

enum cw_err
cw_config_load(const char *path, struct cw_config *out, char *message,
    size_t message_size)
{
	struct loader l = { .config = out,
		.path = path,
		.message = message,
		.message_size = message_size };
	char copy[CW_PATH_MAX];
	int bad_line;

	set_defaults(out);
	snprintf(message, message_size, "%s: %s", path,
	    cw_err_what(CW_ERR_NO_FILE));
	if (strlen(path) >= sizeof(copy))
		return CW_ERR_NO_FILE;
	memcpy(copy, path, strlen(path) + 1);
	snprintf(l.folder, sizeof(l.folder), "%s", dirname(copy));
	l.file = fopen(path, "re");
	if (l.file == NULL)
		return CW_ERR_NO_FILE;
	bad_line = ini_parse_stream(read_line, &l, handle, &l);
	if (bad_line > 0 && !l.failed) {
		l.line = (unsigned)bad_line;
		fail(&l, "the line is neither [section] nor name = value");
	}
	if (bad_line < 0)
		fail(&l, "%s", cw_err_what(CW_ERR_NO_MEMORY));
	if (!l.failed && ferror(l.file))
		fail(&l, "%s", cw_err_what(CW_ERR_IO));
	fclose(l.file);
	if (l.failed || !check_whole(&l))
		return CW_ERR_BAD_CONFIG;
	message[0] = '\0';
	return CW_OK;
}

const struct cw_profile *
cw_config_profile(const struct cw_config *config, struct cw_bytes name)
{
	for (size_t i = 0; i < config->n_profiles; i++)
		if (cw_bytes_is(name, config->profiles[i].name))
			return &config->profiles[i];
	return NULL;
}

uint64_t
cw_config_session_s(const struct cw_config *config,
    const struct cw_profile *profile)
{
	return 60ull *
	    (profile->session_minutes > 0 ? profile->session_minutes :
					    config->session_minutes);
}

uint64_t
cw_config_session_max_s(const struct cw_config *config)
{
	uint64_t max = 60ull * config->session_minutes;

	for (size_t i = 0; i < config->n_profiles; i++) {
		uint64_t s = cw_config_session_s(config, &config->profiles[i]);

		max = s > max ? s : max;
	}
	return max;
}

const struct cw_model *
cw_config_model(const struct cw_config *config, struct cw_bytes name)
{
	for (size_t i = 0; i < config->n_models; i++)
		if (cw_bytes_is(name, config->models[i].name))
			return &config->models[i];
	return NULL;
}
