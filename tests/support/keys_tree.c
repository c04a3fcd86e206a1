/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of keys and a signer, for tests. */
#include "tests/support/keys_tree.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keys/devtree.h"
#include "keys/keyfile.h"
#include "proto/base/clock.h"
#include "proto/base/fdio.h"

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "keys_tree: %s\n", what);
	exit(99);
}

const char *
cw_keys_tree_path(const struct cw_keys_tree *tree, const char *name)
{
	static char path[CW_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", tree->dir, name);
	return path;
}

void
cw_keys_tree_make(struct cw_keys_tree *tree, unsigned cards)
{
	struct cw_clock clock = cw_clock_system();
	struct cw_devtree dev = { tree->dir, CW_KEYS_TREE_URL, cards,
		cw_clock_now_s(&clock) };
	char message[512] = "";
	bool made = false;

	memset(tree, 0, sizeof(*tree));
	snprintf(tree->dir, sizeof(tree->dir), "/tmp/cw-keys.XXXXXX");
	need(mkdtemp(tree->dir) != NULL, "no temporary folder");
	need(cw_devtree_make(&dev, &made) == CW_OK && made, "no tree");
	need(cw_config_load(cw_keys_tree_path(tree, "issuer.ini"),
		 &tree->config, message, sizeof(message)) == CW_OK,
	    message);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void
cw_keys_tree_free(struct cw_keys_tree *tree)
{
	if (tree->n > 0)
		cw_keys_tree_stop(tree);
	nftw(tree->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
make_channels(struct cw_keys_tree *tree, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int pair[2];

		need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			 pair) == 0,
		    "no socket pair");
		tree->web[i] = pair[0];
		tree->own[i] = pair[1];
	}
	tree->n = n;
	tree->signer = cw_signer_new(tree->web, n);
	need(tree->signer != NULL, "no client");
}

/* True when it serves. */
static bool
start(struct cw_keys_tree *tree)
{
	char byte;
	int ready[2];
	bool serves;

	need(pipe(ready) == 0, "no pipe");
	fflush(NULL);
	tree->pid = fork();
	need(tree->pid >= 0, "no process");
	if (tree->pid == 0) {
		close(ready[0]);
		_exit(
		    cw_signer_run(&tree->config, tree->own, tree->n, ready[1]));
	}
	close(ready[1]);
	serves = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	return serves;
}

void
cw_keys_tree_start(struct cw_keys_tree *tree, size_t channels)
{
	if (tree->n == 0)
		make_channels(tree, channels);
	need(start(tree), "the signer does not start");
}

int
cw_keys_tree_try(struct cw_keys_tree *tree)
{
	if (tree->n == 0)
		make_channels(tree, 1);
	return start(tree) ? 0 : cw_keys_tree_wait(tree);
}

int
cw_keys_tree_wait(struct cw_keys_tree *tree)
{
	int status = 0;

	if (tree->pid <= 0)
		return -1;
	need(waitpid(tree->pid, &status, 0) == tree->pid, "no child");
	tree->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
cw_keys_tree_stop(struct cw_keys_tree *tree)
{
	for (size_t i = 0; i < tree->n; i++) {
		close(tree->web[i]);
		close(tree->own[i]);
	}
	tree->n = 0;
	cw_signer_free(&tree->signer);
	return cw_keys_tree_wait(tree);
}

void
cw_keys_tree_kill(struct cw_keys_tree *tree)
{
	if (tree->pid > 0)
		kill(tree->pid, SIGKILL);
	cw_keys_tree_wait(tree);
}

struct cw_private_key *
cw_keys_tree_authority(const struct cw_keys_tree *tree)
{
	struct cw_private_key *key = NULL;

	need(cw_keyfile_load(tree->config.authority_key, NULL, &key) == CW_OK,
	    "no authority key");
	return key;
}

struct cw_public_key
cw_keys_tree_management(const struct cw_keys_tree *tree)
{
	struct cw_signer_info info;
	struct cw_buf memory;
	struct cw_public_key key;

	cw_buf_init(&memory, CW_BODY_MAX);
	need(cw_signer_info(tree->signer, &memory, &info) == CW_OK,
	    "no answer from the signer");
	key = info.management_key;
	cw_buf_wipe(&memory);
	return key;
}

void
cw_keys_tree_card(const struct cw_keys_tree *tree, unsigned number,
    struct cw_buf *out)
{
	char name[64];

	snprintf(name, sizeof(name), "cards/card-%u.personalisation", number);
	need(cw_file_load_own(cw_keys_tree_path(tree, name), out) == CW_OK,
	    "no such card");
}
