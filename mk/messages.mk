# The message catalogue becomes a C table (proto/message.c includes it).
MESSAGE_TABLE := $(BUILD)/gen/proto/message_table.inc
CPPFLAGS_ALL += -I$(BUILD)/gen

$(MESSAGE_TABLE): $(wildcard messages/*.json) scripts/messages
	$(call say,GEN,$@)mkdir -p $(@D)
	$(Q)scripts/messages table >$@

$(call obj,proto/message.c): $(MESSAGE_TABLE)
