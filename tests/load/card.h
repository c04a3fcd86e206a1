/* SPDX-License-Identifier: Apache-2.0 */
/* What a session with one P-256 key in suite 1 costs the card: counted, but for
 * the time over PC/SC. */
#ifndef CW_TESTS_LOAD_CARD_H
#define CW_TESTS_LOAD_CARD_H

#include <stdbool.h>

typedef void cw_load_figure(const char *name, double value, const char *unit);

/* `build` is the folder with cardwright-card. False if something failed. */
bool cw_load_card_figures(const char *build, cw_load_figure *figure);

#endif
