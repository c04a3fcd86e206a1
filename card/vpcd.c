/* SPDX-License-Identifier: Apache-2.0 */
/* vpcd transport. */
#include "card/vpcd.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/apdu.h"
#include "proto/base/fdio.h"
#include "proto/base/log.h"

#define RETRY_MS 200 /* vpcd polls for a card about every 400 ms */
#define MESSAGE_MAX 65535

enum control {
	CONTROL_OFF = 0,
	CONTROL_ON = 1,
	CONTROL_RESET = 2,
	CONTROL_ATR = 4,
};

/*
 * vpcd sends length and data in two small writes; without this each APDU waits
 * 40 ms for a delayed acknowledgement. The kernel forgets it, so it is said
 * before every read.
 */
static void
quick(int fd)
{
	const int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
}

/* All of it, or CLOSED as soon as a signal says stop. */
static enum cw_err
receive(int fd, uint8_t *ptr, size_t len, const volatile sig_atomic_t *stop)
{
	while (len > 0) {
		ssize_t n;

		if (*stop)
			return CW_ERR_CLOSED;
		quick(fd);
		n = recv(fd, ptr, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return CW_ERR_CLOSED;
		if (n < 0)
			return CW_ERR_IO;
		ptr += n;
		len -= (size_t)n;
	}
	return CW_OK;
}

/* Length and data in one write. */
static enum cw_err
send_message(int fd, struct cw_bytes data)
{
	struct cw_buf b;
	enum cw_err err;

	if (data.len > MESSAGE_MAX)
		return CW_ERR_OUT_OF_RANGE;
	cw_buf_init(&b, MESSAGE_MAX + 2);
	cw_buf_put_u16be(&b, (uint16_t)data.len);
	cw_buf_put(&b, data);
	err = b.err == CW_OK ? cw_fd_write(fd, cw_buf_bytes(&b)) : b.err;
	cw_buf_wipe(&b);
	return err;
}

static enum cw_err
control(struct cw_card *card, int fd, uint8_t byte)
{
	switch (byte) {
	case CONTROL_OFF:
	case CONTROL_ON:
		cw_card_power(card, byte == CONTROL_ON);
		return CW_OK;
	case CONTROL_RESET:
		cw_card_reset(card);
		return CW_OK;
	case CONTROL_ATR:
		return send_message(fd, cw_card_atr(card));
	default:
		return cw_log_fail(CW_ERR_OUT_OF_RANGE, "vpcd.control",
		    "byte=%u", byte);
	}
}

static enum cw_err
message(struct cw_card *card, int fd, struct cw_bytes in,
    struct cw_buf *response)
{
	if (in.len == 0)
		return cw_log_fail(CW_ERR_OUT_OF_RANGE, "vpcd.message",
		    "length=0");
	if (in.len == 1)
		return control(card, fd, in.ptr[0]);
	cw_card_transmit(card, in, response);
	return send_message(fd, cw_buf_bytes(response));
}

enum cw_err
cw_vpcd_serve(struct cw_card *card, int fd, const volatile sig_atomic_t *stop)
{
	struct cw_buf in, response;
	enum cw_err err = CW_OK;

	cw_buf_init(&in, MESSAGE_MAX);
	cw_buf_init(&response, CW_RESPONSE_MAX);
	while (err == CW_OK) {
		uint8_t head[2];
		uint8_t *at;
		size_t len;

		cw_buf_truncate(&in, 0);
		err = receive(fd, head, sizeof(head), stop);
		if (err != CW_OK)
			break;
		len = (size_t)head[0] << 8 | head[1];
		at = cw_buf_extend(&in, len);
		err = at == NULL ? in.err : receive(fd, at, len, stop);
		if (err == CW_OK)
			err = message(card, fd, cw_buf_bytes(&in), &response);
		cw_buf_truncate(&response, 0);
	}
	cw_buf_wipe(&in);
	cw_buf_wipe(&response);
	return err;
}

/* A connected socket, -1 while nobody listens. */
static int
attach(const struct addrinfo *address)
{
	const int one = 1;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
		close(fd);
		return -1;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* A signal that comes between the question for *stop and the sleep is heard
 * one interval later. */
static void
pause_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

enum cw_err
cw_vpcd_run(struct cw_card *card, const struct cw_vpcd_config *config)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *address = NULL;
	char port[8];

	snprintf(port, sizeof(port), "%u", config->port);
	if (getaddrinfo(config->host, port, &hints, &address) != 0)
		return cw_log_fail(CW_ERR_USAGE, "vpcd.host", "host=%s",
		    config->host);
	while (!*config->stop) {
		int fd = attach(address);

		if (fd >= 0) {
			enum cw_err err;

			cw_log(CW_LOG_INFO, "vpcd.connected", "port=%u",
			    config->port);
			cw_card_power(card, false);
			err = cw_vpcd_serve(card, fd, config->stop);
			close(fd);
			cw_log(CW_LOG_INFO, "vpcd.disconnected", "cause=%s",
			    cw_err_name(err));
		}
		if (!*config->stop)
			pause_ms(RETRY_MS);
	}
	freeaddrinfo(address);
	return CW_OK;
}
