# The browser extension (scripts/extension): a folder to load and reproducible
# archives. ORIGINS, if given, are the only sites that may ask.
.PHONY: extension

#: make extension  the browser extension; ORIGINS="https://a https://*.b:8443"
extension:
	$(call say,EXT,$(BUILD)/extension)mkdir -p $(BUILD)
	$(Q)scripts/extension $(BUILD)/extension $(ORIGINS)

#: make test-browser  the extension in real browsers
.PHONY: test-browser
test-browser:
	$(SUB) all
	$(Q)BUILD=$(BUILD) tests/run $(TESTFLAGS) tests/browser
