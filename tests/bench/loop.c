/*
 * Preloaded into a program that runs on libevent's epoll: how long each turn of its loop takes, from
 * one wait for events to the next. LOOP_TIMES names a folder; the turns go to a file there named after
 * the process, as two unsigned 32 bit numbers each: microseconds that passed, and that it computed.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

typedef int epoll_waiter(int fd, struct epoll_event *events, int room, int timeout);

static FILE *turns;
static int64_t woken_us, computed_us; /* 0: not yet */

static int64_t now_us(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void begin(void)
{
	char name[1024];
	const char *folder = getenv("LOOP_TIMES");
	snprintf(name, sizeof(name), "%s/%d", folder != NULL ? folder : ".", (int)getpid());
	turns = fopen(name, "we");
	if (turns == NULL)
		abort();
}

int epoll_wait(int fd, struct epoll_event *events, int room, int timeout)
{
	static epoll_waiter *waiter;
	if (waiter == NULL) {
		waiter = (epoll_waiter *)dlsym(RTLD_NEXT, "epoll_wait");
		begin();
	}
	if (woken_us != 0) {
		uint32_t took[] = {(uint32_t)(now_us(CLOCK_MONOTONIC) - woken_us),
			(uint32_t)(now_us(CLOCK_THREAD_CPUTIME_ID) - computed_us)};
		fwrite(took, sizeof(took), 1, turns);
	}
	int n = waiter(fd, events, room, timeout);
	woken_us = now_us(CLOCK_MONOTONIC);
	computed_us = now_us(CLOCK_THREAD_CPUTIME_ID);
	return n;
}
