/* SPDX-License-Identifier: Apache-2.0 */
/* Between the samples files only: what the table in samples.c is made of. */
#ifndef CW_TESTS_SAMPLES_PARTS_H
#define CW_TESTS_SAMPLES_PARTS_H

#include "proto/scope.h"
#include "tests/support/samples.h"

extern const struct cw_scope cw_sample_scope;

/* Aborts the test. */
void cw_sample_must(bool ok);

/* A decoder whose result has an encoder. */
#define ROUND_TRIP(name, type, decode, encode)                            \
	enum cw_err cw_sample_##name##_decode(const struct cw_sample_keys \
						  *keys,                  \
	    struct cw_bytes in, struct cw_buf *again)                     \
	{                                                                 \
		type x;                                                   \
		enum cw_err err = decode(in, &x);                         \
                                                                          \
		(void)keys;                                               \
		if (err == CW_OK)                                         \
			encode(&x, again);                                \
		return err;                                               \
	}

/* A decoder that checks a signature; nobody can encode it again. */
#define SIGNED(name, type, verify)                                        \
	enum cw_err cw_sample_##name##_decode(const struct cw_sample_keys \
						  *keys,                  \
	    struct cw_bytes in, struct cw_buf *again)                     \
	{                                                                 \
		static type x;                                            \
                                                                          \
		(void)again;                                              \
		return verify(in, &keys->signer_public, &x);              \
	}

#define ENCODER(name)                                                     \
	void cw_sample_##name##_encode(const struct cw_sample_keys *keys, \
	    struct cw_buf *out)
#define DECODER(name)                                                     \
	enum cw_err cw_sample_##name##_decode(const struct cw_sample_keys \
						  *keys,                  \
	    struct cw_bytes in, struct cw_buf *again)

ENCODER(batch);
ENCODER(capabilities);
ENCODER(caps);
ENCODER(card_info);
ENCODER(command_clone_protection);
ENCODER(command_close);
ENCODER(command_create_key);
ENCODER(command_delete_key);
ENCODER(command_grouped_policy);
ENCODER(command_import_private);
ENCODER(command_import_secret);
ENCODER(command_list);
ENCODER(command_list_after);
ENCODER(command_pin_policy);
ENCODER(command_puk_policy);
ENCODER(command_set_certificates);
ENCODER(command_set_extension);
ENCODER(command_unlock_key);
ENCODER(command_update_key);
ENCODER(grant);
ENCODER(intent);
ENCODER(key_pin_info);
ENCODER(key_set_pin);
ENCODER(key_statement);
ENCODER(list);
ENCODER(message4);
ENCODER(personalisation);
ENCODER(pin_info);
ENCODER(problem);
ENCODER(properties);
ENCODER(query);
ENCODER(replies);
ENCODER(reply_close);
ENCODER(reply_create_key);
ENCODER(reply_empty);
ENCODER(reply_list);
ENCODER(request);
ENCODER(result);
ENCODER(set_pin);
ENCODER(status);
ENCODER(token);
ENCODER(token_statement);
ENCODER(attest_offline);
ENCODER(attested);
ENCODER(change_key_pin);
ENCODER(endorsement);
ENCODER(export_key);
ENCODER(held_key);
ENCODER(offline);
ENCODER(read_extension);
ENCODER(read_key);
ENCODER(unblock_key);
ENCODER(use_key);
ENCODER(write_property);

DECODER(batch);
DECODER(capabilities);
DECODER(caps);
DECODER(card_info);
DECODER(command);
DECODER(grant);
DECODER(intent);
DECODER(key_statement);
DECODER(list);
DECODER(message4);
DECODER(personalisation);
DECODER(pin_info);
DECODER(problem);
DECODER(properties);
DECODER(query);
DECODER(replies);
DECODER(reply_close);
DECODER(reply_create_key);
DECODER(reply_empty);
DECODER(reply_list);
DECODER(request);
DECODER(result);
DECODER(set_pin);
DECODER(status);
DECODER(token);
DECODER(token_statement);
DECODER(attest_offline);
DECODER(attested);
DECODER(change_key_pin);
DECODER(endorsement);
DECODER(export_key);
DECODER(held_key);
DECODER(offline);
DECODER(read_extension);
DECODER(read_key);
DECODER(unblock_key);
DECODER(use_key);
DECODER(write_property);

#undef ENCODER
#undef DECODER

#endif
