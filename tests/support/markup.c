/* SPDX-License-Identifier: Apache-2.0 */
/* A reader of tags: it knows no more of HTML than that they nest. */
#include "tests/support/markup.h"

#include <ctype.h>
#include <stdio.h>

#define DEPTH_MAX 32
#define NAME_MAX_BYTES 24

struct reading {
	const char *at, *end;
	size_t depth;
	char open[DEPTH_MAX][NAME_MAX_BYTES];
	char fault[200];
};

static bool
fail(struct reading *r, const char *what)
{
	snprintf(r->fault, sizeof(r->fault), "%s at: %.60s", what,
	    r->at < r->end ? r->at : "the end");
	return false;
}

static bool
is_void(const char *name)
{
	static const char *const names[] = { "meta", "link", "br", "img",
		"input", "hr" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool
read_name(struct reading *r, char out[NAME_MAX_BYTES])
{
	size_t n = 0;

	while (r->at < r->end && n < NAME_MAX_BYTES - 1 &&
	    (islower((unsigned char)*r->at) || isdigit((unsigned char)*r->at) ||
		*r->at == '-'))
		out[n++] = *r->at++;
	out[n] = '\0';
	return n > 0 || fail(r, "no name");
}

/* "&amp;": what an ampersand begins in our pages. */
static bool
read_entity(struct reading *r)
{
	static const char *const entities[] = { "&amp;", "&lt;", "&gt;",
		"&quot;", "&#39;" };

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		size_t n = strlen(entities[i]);

		if ((size_t)(r->end - r->at) >= n &&
		    memcmp(r->at, entities[i], n) == 0) {
			r->at += n;
			return true;
		}
	}
	return fail(r, "a lone ampersand");
}

static bool
read_value(struct reading *r)
{
	if (r->at == r->end || *r->at++ != '"')
		return fail(r, "a value without quotes");
	while (r->at < r->end && *r->at != '"')
		if (*r->at == '<' || *r->at == '>')
			return fail(r, "markup in a value");
		else if (*r->at == '&' && !read_entity(r))
			return false;
		else if (*r->at != '"')
			r->at++;
	if (r->at == r->end)
		return fail(r, "a value without its end");
	r->at++;
	return true;
}

static bool
read_attributes(struct reading *r)
{
	char name[NAME_MAX_BYTES];

	while (r->at < r->end && *r->at == ' ') {
		r->at++;
		if (!read_name(r, name))
			return false;
		if (strncmp(name, "on", 2) == 0 || strcmp(name, "style") == 0)
			return fail(r, "something inline");
		if (r->at < r->end && *r->at == '=') {
			r->at++;
			if (!read_value(r))
				return false;
		}
	}
	if (r->at == r->end || *r->at != '>')
		return fail(r, "a tag without its end");
	r->at++;
	return true;
}

static bool
read_tag(struct reading *r)
{
	char name[NAME_MAX_BYTES];

	if (r->at < r->end && *r->at == '/') {
		r->at++;
		if (!read_name(r, name))
			return false;
		if (r->depth == 0 || strcmp(r->open[--r->depth], name) != 0)
			return fail(r, "another element is open");
		return read_attributes(r);
	}
	if (!read_name(r, name) || !read_attributes(r))
		return false;
	if (is_void(name))
		return true;
	if (r->depth == DEPTH_MAX)
		return fail(r, "nested too deeply");
	memcpy(r->open[r->depth++], name, sizeof(name));
	return true;
}

const char *
cw_markup_fault(struct cw_bytes html)
{
	static const char doctype[] = "<!doctype html>\n";
	static struct reading r;

	r = (struct reading){ .at = (const char *)html.ptr,
		.end = (const char *)html.ptr + html.len };
	if (html.len < sizeof(doctype) ||
	    memcmp(html.ptr, doctype, sizeof(doctype) - 1) != 0) {
		fail(&r, "no doctype");
		return r.fault;
	}
	r.at += sizeof(doctype) - 1;
	while (r.at < r.end)
		if (*r.at == '<') {
			r.at++;
			if (!read_tag(&r))
				return r.fault;
		} else if (*r.at == '&') {
			if (!read_entity(&r))
				return r.fault;
		} else if (*r.at++ == '>') {
			fail(&r, "a lone bracket");
			return r.fault;
		}
	if (r.depth > 0) {
		fail(&r, r.open[r.depth - 1]);
		return r.fault;
	}
	return NULL;
}
