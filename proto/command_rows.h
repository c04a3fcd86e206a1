/* SPDX-License-Identifier: Apache-2.0 */
/* Between the command files only: the arguments of each command, written and
 * read. Nothing here fails but through the buffer or the reader. */
#ifndef CW_PROTO_COMMAND_ROWS_H
#define CW_PROTO_COMMAND_ROWS_H

#include "proto/command.h"

typedef void cw_command_put(struct cw_buf *b, const struct cw_command *c);
typedef void cw_command_get(struct cw_cbor_reader *r, struct cw_command *c);

cw_command_put cw_command_put_puk_policy, cw_command_put_pin_policy,
    cw_command_put_key, cw_command_put_secret, cw_command_put_private,
    cw_command_put_certificates, cw_command_put_extension;
cw_command_get cw_command_get_puk_policy, cw_command_get_pin_policy,
    cw_command_get_key, cw_command_get_secret, cw_command_get_private,
    cw_command_get_certificates, cw_command_get_extension;

void cw_command_put_list_result(struct cw_buf *b, const struct cw_reply *reply);
void cw_command_get_list_result(struct cw_cbor_reader *r,
    struct cw_reply *reply);

/* An object id: 1 or more. */
uint32_t cw_command_get_id(struct cw_cbor_reader *r);

#endif
