# The pages are built into the program (server/pages.c).
$(call obj,server/pages.c): $(wildcard www/*)
