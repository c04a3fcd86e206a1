/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a person for a PIN or PUK. Back ends show and read; the rules, the
 * counting and the going round again are in pin_ask.c, the same for all.
 */
#ifndef CW_AGENT_PIN_ENTRY_H
#define CW_AGENT_PIN_ENTRY_H

#include "proto/card_link.h"
#include "proto/message.h"

enum cw_pin_what {
	CW_PIN_HOLDER,  /* the holder's PIN of the card */
	CW_PIN_PUK,     /* its PUK */
	CW_PIN_KEY,     /* a PIN for keys of this issuer */
	CW_PIN_KEY_PUK, /* a key's PUK; never new */
};

/* One question. */
struct cw_pin_prompt {
	enum cw_pin_what what;
	enum cw_language language;
	bool is_new; /* chosen now: typed twice */
	const struct cw_pin_rule *rule;
	unsigned tries_left;    /* only when not new */
	enum cw_err last;       /* why it is asked again, or CW_OK */
	struct cw_bytes origin; /* who asks; displayable; empty: nobody does */
	struct cw_bytes key;    /* whose PIN; empty: not told */
	const char *reader;     /* where the card is */
};

/* A typed value, in guarded memory (cw_secret_new). */
struct cw_pin_value {
	size_t len;
	uint8_t bytes[CW_PIN_MAX_BYTES];
};

struct cw_pin_entry {
	/*
	 * Asks once. A new value has been typed twice and is the same twice:
	 * PIN_MISMATCH otherwise. Errors: REFUSED, PERSON_TIMEOUT,
	 * NO_PIN_ENTRY (there is no way to ask), PIN_MISMATCH, PIN_LENGTH.
	 */
	enum cw_err (*ask)(struct cw_pin_entry *entry,
	    const struct cw_pin_prompt *prompt, struct cw_pin_value *out);
	void (*close)(struct cw_pin_entry *entry); /* frees it */
	bool can_repeat; /* asking again can give another answer */
	const char *name;
};

/* Lines from a descriptor, which is kept open by the caller: the first is the
 * PIN, the second the PUK. */
struct cw_pin_entry *cw_pin_entry_fd(int fd);

/* Lines as well, but each question takes the next one, whatever it is for. */
struct cw_pin_entry *cw_pin_entry_lines(int fd);

/* The controlling terminal, with echo off; NULL when there is none. */
struct cw_pin_entry *cw_pin_entry_tty(unsigned timeout_s);

/* A pinentry program (path or name in PATH), started for each question; with
 * NULL the system's `pinentry`. Both are checked when it is asked. */
struct cw_pin_entry *cw_pin_entry_pinentry(const char *program,
    unsigned timeout_s);

/* The terminal, or a pinentry where there is none or one is named. */
struct cw_pin_entry *cw_pin_entry_person(const char *pinentry,
    unsigned timeout_s);

/* What kind of dialog it would be ("gtk2", "curses", …); nothing is shown.
 * Errors: NO_PIN_ENTRY when there is no such program or it cannot show any. */
enum cw_err cw_pinentry_flavor(const char *program, char *out, size_t size)
    __attribute__((warn_unused_result));

/* NULL-safe; nulls the pointer. */
void cw_pin_entry_close(struct cw_pin_entry **entry);

/*
 * A new value that fits its rule: asks until it does, at most some times.
 * Errors: those of ask, and of the last try.
 */
enum cw_err cw_pin_ask_new(struct cw_pin_entry *entry,
    struct cw_pin_prompt *prompt, struct cw_pin_value *out)
    __attribute__((warn_unused_result));

/* A value that exists already: not checked against more than its length. */
enum cw_err cw_pin_ask_existing(struct cw_pin_entry *entry,
    struct cw_pin_prompt *prompt, struct cw_pin_value *out)
    __attribute__((warn_unused_result));

/* Plain words for people, in `out` (always with a NUL): the question with its
 * rules, tries and what was wrong before; and the few before the input ("PIN:",
 * or for the second time "PIN again:"). In the prompt's language. */
#define CW_PIN_TEXT_MAX 1024
#define CW_PIN_LABEL_MAX 64
void cw_pin_text(const struct cw_pin_prompt *prompt, char out[CW_PIN_TEXT_MAX]);
void cw_pin_label(const struct cw_pin_prompt *prompt, bool is_again,
    char out[CW_PIN_LABEL_MAX]);

#endif
