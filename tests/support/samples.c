/* SPDX-License-Identifier: Apache-2.0 */
/* The table of examples, and the keys that they need. */
#include <stdlib.h>

#include "tests/support/samples_parts.h"

const struct cw_scope cw_sample_scope = {
	.keys_max = 1,
	.n_commands = 3,
	.commands = { 3, 4, 13 },
	.n_slots = 2,
	.slots = { 0x9a, 0x9c },
	.n_objects = 1,
	.objects = { 77 },
};

void
cw_sample_must(bool ok)
{
	if (!ok)
		abort();
}

void
cw_sample_keys_init(struct cw_sample_keys *keys)
{
	struct cw_private_key *k = NULL;

	cw_sample_must(cw_key_generate(CW_KEY_P256, &keys->signer) == CW_OK);
	cw_key_public(keys->signer, &keys->signer_public);
	cw_sample_must(cw_key_generate(CW_KEY_P256, &k) == CW_OK);
	cw_key_public(k, &keys->other);
	cw_key_free(&k);
	cw_sample_must(cw_key_generate(CW_KEY_X25519, &k) == CW_OK);
	cw_key_public(k, &keys->x25519);
	cw_key_free(&k);
}

void
cw_sample_keys_wipe(struct cw_sample_keys *keys)
{
	cw_key_free(&keys->signer);
}

const struct cw_sample cw_samples[] = {
	{ "intent", false, true, cw_sample_intent_encode,
	    cw_sample_intent_decode },
	{ "card-caps", false, true, cw_sample_caps_encode,
	    cw_sample_caps_decode },
	{ "capabilities", false, true, cw_sample_capabilities_encode,
	    cw_sample_capabilities_decode },
	{ "grant", true, false, cw_sample_grant_encode,
	    cw_sample_grant_decode },
	{ "session-request", true, false, cw_sample_request_encode,
	    cw_sample_request_decode },
	{ "message-4", false, false, cw_sample_message4_encode,
	    cw_sample_message4_decode },
	{ "token", false, false, cw_sample_token_encode,
	    cw_sample_token_decode },
	{ "card-info", false, true, cw_sample_card_info_encode,
	    cw_sample_card_info_decode },
	{ "token-statement", true, false, cw_sample_token_statement_encode,
	    cw_sample_token_statement_decode },
	{ "key-statement", true, false, cw_sample_key_statement_encode,
	    cw_sample_key_statement_decode },
	{ "result-statement", true, false, cw_sample_result_encode,
	    cw_sample_result_decode },
	{ "create-pin-policy", false, false,
	    cw_sample_command_pin_policy_encode, cw_sample_command_decode },
	{ "create-key", false, false, cw_sample_command_create_key_encode,
	    cw_sample_command_decode },
	{ "set-certificates", false, false,
	    cw_sample_command_set_certificates_encode,
	    cw_sample_command_decode },
	{ "list", false, false, cw_sample_command_list_encode,
	    cw_sample_command_decode },
	{ "create-puk-policy", false, false,
	    cw_sample_command_puk_policy_encode, cw_sample_command_decode },
	{ "create-pin-policy", false, false,
	    cw_sample_command_grouped_policy_encode, cw_sample_command_decode },
	{ "import-symmetric-key", false, false,
	    cw_sample_command_import_secret_encode, cw_sample_command_decode },
	{ "import-private-key", false, false,
	    cw_sample_command_import_private_encode, cw_sample_command_decode },
	{ "set-extension", false, false, cw_sample_command_set_extension_encode,
	    cw_sample_command_decode },
	{ "list", false, false, cw_sample_command_list_after_encode,
	    cw_sample_command_decode },
	{ "on-key", false, false, cw_sample_command_delete_key_encode,
	    cw_sample_command_decode },
	{ "on-key", false, false, cw_sample_command_unlock_key_encode,
	    cw_sample_command_decode },
	{ "inherit-key", false, false, cw_sample_command_update_key_encode,
	    cw_sample_command_decode },
	{ "inherit-key", false, false,
	    cw_sample_command_clone_protection_encode,
	    cw_sample_command_decode },
	{ "properties", false, false, cw_sample_properties_encode,
	    cw_sample_properties_decode },
	{ "pin-info", false, true, cw_sample_key_pin_info_encode,
	    cw_sample_pin_info_decode },
	{ "set-pin", false, true, cw_sample_key_set_pin_encode,
	    cw_sample_set_pin_decode },
	{ "close", false, false, cw_sample_command_close_encode,
	    cw_sample_command_decode },
	{ "reply", false, false, cw_sample_reply_empty_encode,
	    cw_sample_reply_empty_decode },
	{ "create-key-result", false, false, cw_sample_reply_create_key_encode,
	    cw_sample_reply_create_key_decode },
	{ "list-result", false, false, cw_sample_reply_list_encode,
	    cw_sample_reply_list_decode },
	{ "close-result", false, false, cw_sample_reply_close_encode,
	    cw_sample_reply_close_decode },
	{ "batch", false, true, cw_sample_batch_encode,
	    cw_sample_batch_decode },
	{ "replies", false, true, cw_sample_replies_encode,
	    cw_sample_replies_decode },
	{ "pin-info", false, true, cw_sample_pin_info_encode,
	    cw_sample_pin_info_decode },
	{ "set-pin", false, true, cw_sample_set_pin_encode,
	    cw_sample_set_pin_decode },
	{ "status-query", false, true, cw_sample_query_encode,
	    cw_sample_query_decode },
	{ "status", false, true, cw_sample_status_encode,
	    cw_sample_status_decode },
	{ "list-public", false, true, cw_sample_list_encode,
	    cw_sample_list_decode },
	{ "personalisation", false, true, cw_sample_personalisation_encode,
	    cw_sample_personalisation_decode },
	{ "attest-offline", false, true, cw_sample_attest_offline_encode,
	    cw_sample_attest_offline_decode },
	{ "attested", false, true, cw_sample_attested_encode,
	    cw_sample_attested_decode },
	{ "change-key-pin", false, true, cw_sample_change_key_pin_encode,
	    cw_sample_change_key_pin_decode },
	{ "export-key", false, true, cw_sample_export_key_encode,
	    cw_sample_export_key_decode },
	{ "held-key", false, true, cw_sample_held_key_encode,
	    cw_sample_held_key_decode },
	{ "signed-offline", true, false, cw_sample_offline_encode,
	    cw_sample_offline_decode },
	{ "read-extension", false, true, cw_sample_read_extension_encode,
	    cw_sample_read_extension_decode },
	{ "read-key", false, true, cw_sample_read_key_encode,
	    cw_sample_read_key_decode },
	{ "unblock-key", false, true, cw_sample_unblock_key_encode,
	    cw_sample_unblock_key_decode },
	{ "use-key", false, true, cw_sample_use_key_encode,
	    cw_sample_use_key_decode },
	{ "write-property", false, true, cw_sample_write_property_encode,
	    cw_sample_write_property_decode },
	{ "endorsement", true, false, cw_sample_endorsement_encode,
	    cw_sample_endorsement_decode },
	{ "problem", false, false, cw_sample_problem_encode,
	    cw_sample_problem_decode },
};

const size_t cw_samples_n = sizeof(cw_samples) / sizeof(cw_samples[0]);
