/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of cardwright-agent. */
#include "agent/options.h"

#include <stddef.h>

const struct cw_command_line cw_commands[] = {
	{ "enroll", CW_CMD_ENROLL, "URL",
	    "let an issuer put keys and certificates on a card",
	    cw_cmd_enroll },
	{ "cards", CW_CMD_CARDS, NULL, "list readers, cards and their keys",
	    cw_cmd_cards },
	{ "check", CW_CMD_CHECK, NULL, "see whether this machine is set up",
	    cw_cmd_check },
	{ "forget", CW_CMD_FORGET, "ORIGIN",
	    "forget the management key of an issuer", cw_cmd_forget },
	{ "abort", CW_CMD_ABORT, "ORIGIN",
	    "let the card forget the sessions it keeps for an issuer",
	    cw_cmd_abort },
	{ "install", CW_CMD_INSTALL, NULL,
	    "let the browsers' extension find this program", cw_cmd_install },
	{ "uninstall", CW_CMD_UNINSTALL, NULL, "undo that", cw_cmd_uninstall },
	{ "native", CW_CMD_NATIVE, NULL,
	    "serve the browser's extension on standard input and output",
	    cw_cmd_native },
	{ NULL, 0, NULL, NULL, NULL },
};
