/*
 * counters - what the answering processes have done, for rndc
 *
 * Memory that all processes share: each answering process has a part that it
 * alone writes, without waiting for anybody; the envoy adds them up.
 */

#ifndef NAMED_LITE_COUNTERS_H
#define NAMED_LITE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#define COUNTERS_CODES	16	/* response codes */

struct counters {
	uint64_t udp_questions;
	uint64_t tcp_questions;
	uint64_t answers[COUNTERS_CODES];
	uint64_t truncated;
	uint64_t transfers;
	uint64_t connections;
	uint64_t tcp_clients;		/* that are connected now */
} __attribute__((aligned(64)));

/* Those of this process; of nobody outside of answering processes. */
extern struct counters *counters;

/* The supervisor, before there are others. */
void	counters_share(unsigned processes);

/* An answering process begins. */
void	counters_begin(unsigned number);

/* A client has come (1) or gone (-1). */
void	counters_note_client(int change);

/* An answer as it goes out. */
static inline void
counters_note_answer(const uint8_t *answer)
{
	counters->answers[answer[3] & 15]++;
	counters->truncated += answer[2] >> 1 & 1;
}

/* All together; how many clients were connected at most; how many processes answer. */
struct counters counters_sum(void);
unsigned counters_most_clients(void);
unsigned counters_processes(void);

#endif
