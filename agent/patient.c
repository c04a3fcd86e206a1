/* SPDX-License-Identifier: Apache-2.0 */
/* A thread for one call. */
#include "agent/patient.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/stop.h"

#define MOMENT_MS 300 /* a card in ordinary use is free again by then */
#define MINUTE_MS 60000

struct patient {
	void (*call)(void *arg);
	void *arg;
	int done; /* eventfd */
};

static void *
run(void *arg)
{
	const struct patient *p = arg;
	const uint64_t one = 1;
	ssize_t ignored;

	p->call(p->arg);
	ignored = write(p->done, &one, sizeof(one));
	(void)ignored;
	return NULL;
}

static enum cw_err
wait_for_end(const struct cw_reader_patience *patience, int done)
{
	unsigned wait_ms =
	    patience->wait_ms != 0 ? patience->wait_ms : MINUTE_MS;
	enum cw_err err = cw_stop_poll(done, MOMENT_MS);

	if (err != CW_ERR_PERSON_TIMEOUT)
		return err;
	if (patience->busy != NULL)
		patience->busy(patience->ctx, true);
	err = cw_stop_poll(done, (int)wait_ms);
	if (patience->busy != NULL)
		patience->busy(patience->ctx, false);
	return err;
}

enum cw_err
cw_patient_call(const struct cw_reader_patience *patience,
    void (*call)(void *arg), void *arg)
{
	struct patient *p = calloc(1, sizeof(*p));
	pthread_t thread;
	enum cw_err err;

	if (p == NULL)
		return CW_ERR_NO_MEMORY;
	*p = (struct patient){ call, arg, eventfd(0, EFD_CLOEXEC) };
	if (p->done < 0 || pthread_create(&thread, NULL, run, p) != 0) {
		if (p->done >= 0)
			close(p->done);
		free(p);
		return CW_ERR_NO_MEMORY;
	}
	err = wait_for_end(patience, p->done);
	if (err != CW_OK) {
		/* It cannot be called back; the process ends soon. */
		pthread_detach(thread);
		return err == CW_ERR_REFUSED ? err : CW_ERR_CARD_BUSY;
	}
	pthread_join(thread, NULL);
	close(p->done);
	free(p);
	return CW_OK;
}
