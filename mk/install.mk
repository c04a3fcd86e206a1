# Installation, and Debian packages (debian/).
.PHONY: install install-agent install-server deb test-packages

UNITDIR ?= $(PREFIX)/lib/systemd/system
at := $(DESTDIR)$(PREFIX)

#: make install    DESTDIR and PREFIX (/usr/local) as usual
install: install-agent install-server
	install $(BUILD)/cardwright-card $(BUILD)/cardwright-conformance \
	    $(at)/bin/
	install -m 644 docs/man/cardwright-conformance.1 $(at)/share/man/man1/

install-agent: programs extension
	install -d $(at)/bin $(at)/share/man/man1 $(at)/share/cardwright
	install $(BUILD)/cardwright-agent $(at)/bin/
	install -m 644 docs/man/cardwright-agent.1 $(at)/share/man/man1/
	rm -rf $(at)/share/cardwright/extension
	cp -R $(BUILD)/extension/unpacked $(at)/share/cardwright/extension
	rm -f $(at)/share/cardwright/extension/LICENSE
	chmod -R u=rwX,go=rX $(at)/share/cardwright/extension

install-server: programs
	install -d $(at)/bin $(at)/sbin $(at)/share/man/man1 \
	    $(at)/share/man/man8 $(DESTDIR)$(UNITDIR)
	install $(BUILD)/cardwright-keys $(at)/bin/
	install $(BUILD)/cardwrightd $(BUILD)/cardwright-admin $(at)/sbin/
	install -m 644 docs/man/cardwright-keys.1 $(at)/share/man/man1/
	install -m 644 docs/man/cardwrightd.8 docs/man/cardwright-admin.8 \
	    $(at)/share/man/man8/
	sed 's,@SBINDIR@,$(PREFIX)/sbin,' debian/cardwrightd.service.in \
	    >$(DESTDIR)$(UNITDIR)/cardwrightd.service
	chmod 644 $(DESTDIR)$(UNITDIR)/cardwrightd.service
	install -m 644 debian/cardwrightd.socket $(DESTDIR)$(UNITDIR)/

# dpkg-buildpackage writes beside its folder, so it works in a copy.
DEB := $(BUILD)/deb
#: make deb        Debian packages in build/deb/, offline after make deps
deb:
	$(Q)rm -rf $(DEB) && mkdir -p $(DEB)/cardwright
	$(Q)tar -cf - --exclude=./.git --exclude=./build --exclude=./keys/dev \
	    --exclude='./.deps/apt.*' --exclude=node_modules . | \
	    tar -xf - -C $(DEB)/cardwright
	$(Q)cd $(DEB)/cardwright && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u BUILD \
	    DEB_BUILD_OPTIONS="noautodbgsym parallel=$$(nproc)" \
	    dpkg-buildpackage -b -us -uc >../log 2>&1 || \
	    { tail -n 30 ../log >&2; exit 1; }
	$(Q)rm -rf $(DEB)/cardwright && ls $(DEB)/*.deb

#: make test-packages  the packages in a Debian of their own (root, network)
test-packages: deps
	$(Q)BUILD=$(BUILD) CW_TEST_PACKAGES=1 tests/run tests/package
