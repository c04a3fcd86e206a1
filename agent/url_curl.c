/* SPDX-License-Identifier: Apache-2.0 */
/* URLs, by libcurl's parser: the one that will connect. */
#include "agent/url.h"

#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

static bool
is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	    (strncmp(host, "127.", 4) == 0 &&
		strspn(host, "0123456789.") == strlen(host));
}

/* The parts of an origin as RFC 6454 6.2 writes them. */
enum cw_err
cw_url_canonical_origin(const char *url, char out[CW_URI_MAX + 1],
    bool *loopback)
{
	CURLU *parts = curl_url();
	char *scheme = NULL;
	char *host = NULL;
	char *port = NULL;
	char *user = NULL;
	enum cw_err err = CW_ERR_BAD_URL;
	int n;

	if (parts == NULL)
		return CW_ERR_NO_MEMORY;
	if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_HOST, &host, CURLU_PUNYCODE) !=
		CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK)
		goto out;
	for (char *c = host; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c | 0x20);
	*loopback = is_loopback(host);
	if (strcmp(scheme, "https") != 0 &&
	    (strcmp(scheme, "http") != 0 || !*loopback))
		goto out;
	(void)curl_url_get(parts, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT);
	n = snprintf(out, CW_URI_MAX + 1, "%s://%s%s%s", scheme, host,
	    port != NULL ? ":" : "", port != NULL ? port : "");
	if (n > 0 && n <= CW_URI_MAX)
		err = CW_OK;
out:
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(user);
	curl_url_cleanup(parts);
	return err;
}

void
cw_url_resolve(const char *from, const char *to, const char *origin,
    char out[CW_URI_MAX + 1])
{
	CURLU *parts = curl_url();
	char *whole = NULL;
	char its[CW_URI_MAX + 1];
	bool loopback;

	out[0] = '\0';
	if (parts != NULL &&
	    curl_url_set(parts, CURLUPART_URL, from, 0) == CURLUE_OK &&
	    curl_url_set(parts, CURLUPART_URL, to, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_URL, &whole, 0) == CURLUE_OK &&
	    strlen(whole) <= CW_URI_MAX &&
	    cw_url_canonical_origin(whole, its, &loopback) == CW_OK &&
	    strcmp(its, origin) == 0)
		memcpy(out, whole, strlen(whole) + 1);
	curl_free(whole);
	curl_url_cleanup(parts);
}
