/* SPDX-License-Identifier: Apache-2.0 */
/* `change-pin`, `change-puk`, `unblock`, `delete`, `reset`, `attest`: what the
 * holder decides alone. */
#include "agent/cmd_hold.h"
#include "agent/show.h"
#include "proto/text.h"

static int
care(const struct cw_options *options, const char *event, const char *key,
    enum cw_err (*run)(struct cw_holding *h))
{
	struct cw_holding h;
	enum cw_err err;

	cw_holding_init(&h, options);
	err = cw_holding_begin(&h);
	if (err == CW_OK)
		err = run(&h);
	if (err == CW_OK)
		cw_holding_say(&h, event, key);
	return cw_holding_end(&h, err);
}

/* ---- PIN and PUK ---- */

static enum cw_err
change_pin(struct cw_holding *h)
{
	return h->options->operand != NULL ?
	    cw_hold_change_key_pin(&h->hold) :
	    cw_hold_change(&h->hold, CW_ICC_PIN);
}

int
cw_cmd_change_pin(const struct cw_options *options)
{
	return care(options, "pin-changed", "cli_pin_changed", change_pin);
}

static enum cw_err
change_puk(struct cw_holding *h)
{
	return cw_hold_change(&h->hold, CW_ICC_PUK);
}

int
cw_cmd_change_puk(const struct cw_options *options)
{
	return care(options, "puk-changed", "cli_puk_changed", change_puk);
}

static enum cw_err
unblock(struct cw_holding *h)
{
	return h->options->operand != NULL ?
	    cw_hold_unblock_key(&h->hold, h->options->keep_pin) :
	    cw_hold_unblock(&h->hold);
}

int
cw_cmd_unblock(const struct cw_options *options)
{
	if (options->keep_pin && options->operand == NULL) {
		fprintf(stderr,
		    "cardwright-agent: --keep-pin is for a key's PIN\n");
		return cw_err_exit_status(CW_ERR_USAGE);
	}
	return care(options, "unblocked", "cli_unblocked", unblock);
}

/* ---- the end of keys ---- */

static enum cw_err
confirm(const struct cw_holding *h, const char *key, struct cw_bytes value)
{
	struct cw_buf text;
	enum cw_err err;

	if (h->options->yes)
		return CW_OK;
	cw_buf_init(&text, 4096);
	cw_message_put(&text, h->hold.language, key, &value, 1);
	err = cw_show_question(h->hold.language, cw_buf_bytes(&text),
	    h->options->timeout_s);
	cw_buf_wipe(&text);
	return err;
}

static enum cw_err delete (struct cw_holding *h) {
	const struct cw_bytes name = h->hold.key.attributes.name;
	enum cw_err err = confirm(h, "cli_delete",
	    cw_text_is_displayable(name) ? name : CW_BYTES_NONE);

	return err == CW_OK ? cw_hold_delete(&h->hold) : err;
}

int
cw_cmd_delete(const struct cw_options *options)
{
	return care(options, "deleted", "cli_deleted", delete);
}

static enum cw_err
reset(struct cw_holding *h)
{
	enum cw_err err =
	    confirm(h, "cli_reset", cw_bytes_str(h->hold.card.name));

	return err == CW_OK ? cw_hold_reset(&h->hold) : err;
}

int
cw_cmd_reset(const struct cw_options *options)
{
	return care(options, "reset", "cli_is_empty", reset);
}

/* ---- a statement ---- */

int
cw_cmd_attest(const struct cw_options *options)
{
	struct cw_holding h;
	struct cw_bytes subject = CW_BYTES_NONE;
	enum cw_err err = CW_OK;

	cw_holding_init(&h, options);
	if (options->subject != NULL)
		subject = cw_bytes_str(options->subject);
	if (subject.len == 0 || subject.len > CW_TEXT_MAX ||
	    !cw_text_is_displayable(subject)) {
		fprintf(stderr,
		    "cardwright-agent: --subject wants 1 to %u bytes of text\n",
		    (unsigned)CW_TEXT_MAX);
		err = CW_ERR_USAGE;
	}
	if (err == CW_OK)
		err = cw_holding_check_out(&h);
	if (err == CW_OK)
		err = cw_holding_read(&h);
	if (err == CW_OK)
		err = cw_holding_begin(&h);
	if (err == CW_OK)
		err = cw_hold_attest(&h.hold, cw_buf_bytes(&h.in), subject,
		    options->batch, &h.out);
	if (err == CW_OK)
		err = cw_holding_write(&h, "attested", 0, 0644);
	return cw_holding_end(&h, err);
}
