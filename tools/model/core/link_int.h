/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of a link, shared by the files of the link layer and by nobody else.
 *
 * A link is two ports and two directions. A direction carries the stream from its
 * transmitting port to its receiving one, and owns everything that belongs to
 * that: lanes, maps, decoder, retry, management messages. By file:
 *
 *   link.c     a link and its ports as the owners see them: making, state, events, reset
 *   llr_tx.c   queue, serialisation, replay, data age
 *   llr_rx.c   arrival, order, acknowledgements
 *   quiet.c    trains of frames on an idle line, all at once
 *   stream.c   keeps the decoder in step with the light, the maps and the clock
 *   lanes.c    lock and loss of lanes, thresholds, lane table
 *   map.c      maps: checks, staging, markers, heartbeats
 *   standby.c  lost lanes replaced by the card itself
 *   lanetest.c wrong bits of lanes in no map
 *   mgmt.c     management messages
 *   frame.c    frames in memory and on the line, their CRC and their damage
 *   fault.c    what the control socket can break
 *   ageing.c   what hours do to a lane
 *   grid.c     what hits neighbours
 *   profile.c  configurations and their knobs
 *   optics.c, fec.c, rng.c, sim.c: the physics, the decoder, chance and time
 *
 * The transmitter's clock is kept in picoseconds (a 64-byte frame lasts 1 ns), that of
 * the events in nanoseconds.
 */
#ifndef PM_LINK_INT_H
#define PM_LINK_INT_H

#include "driver/hw/pnic_admin.h"
#include "fec.h"
#include "link.h"
#include "optics.h"

#define PM_QUEUE_FRAMES		256	/* not yet sent, per port */
#define PM_WINDOW		1024	/* queued or unacknowledged; a power of two */
#define PM_FLIGHT		1024	/* on the line; a power of two */
#define PM_FLIGHT_SPARE		64	/* of these, not for frames */
#define PM_FLIGHT_RESET		8	/* nor for commands: what a reset needs */
#define PM_MGMT_QUEUE		16	/* at the receiver (hardware-interface.rst, 8.4) */

struct pm_map {
	unsigned int refs;
	uint32_t generation;
	uint16_t width;
	uint16_t phys[];
};

/* What travels in the stream. */
enum pm_flight_kind {
	PM_FLIGHT_FRAME,
	PM_FLIGHT_MARKER,	/* from here on map holds, and the receiver is told */
	PM_FLIGHT_REMAP,	/* from here on map holds, and nobody is told: a reset */
	PM_FLIGHT_LIGHT,	/* from here on lane is switched on or off; PNIC_LANE_NONE: all */
	PM_FLIGHT_REQUEST,	/* the receiver of the other direction asks for a map */
};

/* A request of a standby plan: an ordered set of 16 bytes and 4 for each move. */
#define PM_REQUEST_MOVES	40

struct pm_request {
	uint32_t generation, sum;	/* of the map that results */
	unsigned int moves;
	struct { uint16_t logical, lane; } move[PM_REQUEST_MOVES];
};

struct pm_flight {
	uint64_t arrives;		/* ns */
	uint64_t start_ps, end_ps;	/* at the transmitter */
	uint64_t last_cw;
	struct pm_damage damage;	/* .first is the first codeword */
	union {
		struct pm_map *map;		/* MARKER, REMAP */
		struct pm_request *request;	/* REQUEST */
	};
	uint32_t seq, una, round;
	uint32_t offset_q8;		/* of the frame in its first codeword, units */
	uint16_t lane;
	uint8_t kind;
	bool on;
	bool first;			/* FRAME: not a replay */
};

struct pm_slot {
	struct pm_frame *f;		/* NULL: delivered */
	uint64_t queued;		/* ns */
	uint64_t sent;			/* ns: end of its last transmission */
	uint32_t len;
};

/* What a frame of @len takes of the line. */
struct pm_measure {
	uint32_t len, q8;		/* units, by 256 */
	uint64_t ps;			/* 0: not known */
};

#define PM_MEASURES		4

struct pm_llr_tx {
	struct pm_slot slot[PM_WINDOW];
	/* una <= next <= sent <= tail: unacknowledged, next to go, never sent yet, free. */
	uint32_t una, next, sent, tail;
	uint32_t round;			/* counts the times it went back */
	unsigned int failed;		/* of them since the last progress */
	unsigned int timeouts;		/* likewise */
	uint64_t progress;		/* ns: last acknowledgement, or going back */
	bool want_ready;
	struct pm_event pump, replay, age;

	uint64_t free_ps;		/* the line is taken until then */
	uint64_t work_ps;		/* since when there is something to send */
	uint64_t busy_ps;		/* at the present width */
	double line_bits;		/* at earlier ones */
	double padded_ps;		/* idle that the decoder has counted with a frame */
	double ps_per_byte, units_per_byte, cw_ps;
	uint32_t cw_q8;			/* units of a codeword, by 256 */
	struct pm_measure measure[PM_MEASURES];
	uint64_t cw;			/* where the stream is: codeword and unit in it */
	uint32_t offset_q8;

	uint64_t frames, replayed, payload;
};

struct pm_llr_rx {
	uint32_t expect;
	bool synced;
	bool nak_due;
	bool now;			/* in pm_llr_rx_now(), before its frame is given to the owner */
	uint32_t nak_round;
	/*
	 * One acknowledgement is under way at a time; the next one takes all that came
	 * meanwhile.
	 */
	bool ack_busy, ack_nak;
	uint32_t ack_expect, ack_round;
	struct pm_event arrive, ack;

	uint64_t frames, payload, crc_bad, dropped;
};

struct pm_mgmt_msg {
	struct pm_mgmt_msg *next;
	uint64_t arrives;
	size_t len;
	uint8_t data[];
};

struct pm_mgmt {
	struct pm_mgmt_msg *first, **last;	/* on the way */
	unsigned int on_way;
	uint64_t free_ps;
	struct pm_event arrive;
	struct pm_rng rng;
};

struct pm_standby {
	struct pm_map *rx_plan, *tx_plan;	/* phys[] may be PNIC_LANE_NONE */
	/* At the receiver. */
	bool asking;			/* rx_staged is the card's own, and asked for */
	unsigned int repeats;		/* still to come */
	uint64_t detected;		/* ns: of the first loss that is asked for */
	struct pm_request request;
	struct pm_event repeat;
	struct pm_rng rng;
	unsigned int drop;		/* requests still to be lost */
};

/* LANE_TEST of one lane. */
struct pm_lane_test {
	bool running;			/* else it is over, and its numbers wait */
	uint64_t began, due;		/* ns */
	uint64_t limit, bits, errors;
};

struct pm_dir {
	struct pm_link *link;
	struct pm_port *tx, *rx;

	struct pm_lane *lane;
	unsigned int lanes, locked;
	double common_db;
	struct pm_event lane_due;
	struct pm_rng age_rng;
	uint64_t settled;		/* ns: lanes' evidence is complete until then */
	struct pm_rng lane_rng;

	struct pm_map *tx_map, *tx_staged;
	struct pm_map *line_map;	/* under which what arrives was sent */
	struct pm_map *rx_map, *rx_staged;
	struct pm_event heartbeat;
	struct pm_standby standby;

	struct pm_lane_test *test;	/* by lane; NULL: none was ever asked for */
	unsigned int tests;		/* running */
	struct pm_event test_due;
	struct pm_rng test_rng;

	struct pm_fec fec;
	bool dark;			/* no lane of the receiver's map has light */
	uint64_t line_ps;		/* transmitter's time, accounted for until then */
	double idle_ps;			/* of it idle, and not yet looked at */

	struct pm_flight flight[PM_FLIGHT];
	uint32_t flight_head, flight_tail;
	uint64_t last_arrival;
	uint64_t latency_ns;

	struct pm_llr_tx out;
	struct pm_llr_rx in;
	struct pm_mgmt mgmt;
	unsigned int drop, corrupt;	/* frames still to be spoiled */
};

/* A trip that was kept: one frame of the port's and what answers it. */
struct pm_hop {
	uint64_t n;			/* of them since the link was settled */
	uint64_t payload;		/* bytes of the first frame */
	uint64_t there_ns, ns;		/* one way; both */
	struct pm_hop_way {
		uint64_t ps;
		uint64_t whole;		/* codewords that it fills, ... */
		uint32_t offset_q8;	/* ... and units of the last one: the others begin with one */
	} there, back;
};

struct pm_port {
	struct pm_link *link;
	struct pm_dir *out, *in;
	struct pm_hop hop;
	const struct pm_port_ops *ops;
	void *owner;
	bool admin_up;
	bool told;			/* the far end says that it is up and sees light */
	int state;
	struct pm_event tell, notify;

	struct pm_link_event *event;	/* not yet given to the owner */
	unsigned int events, events_room;

	struct pm_mgmt_msg *mgmt[PM_MGMT_QUEUE];
	unsigned int mgmt_head, mgmt_count;

	unsigned int margin_min;	/* since the last LINK_QUERY */
	unsigned int margin_ever;	/* since the link was made */
	uint32_t table_seq;
	uint64_t map_switches_rx, map_switches_tx, link_downs;
	uint64_t mgmt_tx, mgmt_rx, mgmt_lost;
	struct pm_standby_stats standby;
};

struct pm_link {
	struct pm_sim *sim;
	struct pm_link_config config;
	double q_nominal;
	bool cut;
	struct pm_event age_due;
	uint64_t aged;			/* ns: the ageing clock has gone until then */
	struct pm_map *identity;	/* generation 1, full width */
	const struct pm_hop *last_hop;	/* the last of those that aren't booked, NULL: none; ... */
	uint64_t last_at;		/* ... its clock, ns */
	uint64_t hops_left;		/* before a codeword with an error */
	struct pm_port port[2];
	struct pm_dir dir[2];		/* dir[i] is sent by port[i] */
	struct pm_rng damage_rng;
	uint8_t *image;			/* a frame as it is on the line */
	size_t image_room;
};

static inline uint64_t pm_dir_now(const struct pm_dir *d)
{
	return pm_sim_now(d->link->sim);
}

/* The line is taken until @end_ps. */
static inline void pm_line_used(struct pm_llr_tx *t, uint64_t end_ps)
{
	uint64_t from = t->work_ps > t->free_ps ? t->work_ps : t->free_ps;

	if (end_ps > from)
		t->busy_ps += end_ps - from;
	t->free_ps = end_ps;
}

/* Idle symbols fill the codeword that is begun. */
static inline void pm_end_codeword(struct pm_llr_tx *t)
{
	if (!t->offset_q8)
		return;
	t->padded_ps += (t->cw_q8 - t->offset_q8) * t->cw_ps / t->cw_q8;
	t->offset_q8 = 0;
	t->cw++;
}

static inline struct pm_measure *pm_measure_of(struct pm_llr_tx *t, uint32_t len)
{
	return &t->measure[(len ^ len >> 3) % PM_MEASURES];
}

/* llr_tx.c */
void pm_llr_tx_init(struct pm_dir *d);
void pm_llr_tx_drop(struct pm_dir *d);		/* what is queued, with no word to the owner */
void pm_llr_tx_rate(struct pm_dir *d);		/* the transmit map's width has changed */
uint64_t pm_llr_tx_line_bits(const struct pm_dir *d);
void pm_llr_tx_link(struct pm_dir *d, bool up);
void pm_llr_tx_ack(struct pm_dir *d, uint32_t expect);
void pm_llr_tx_nak(struct pm_dir *d, uint32_t round);
/*
 * Puts something other than a frame into the stream; takes over a reference to
 * @map. False: no room just now. A reset always has room: it puts in only what a command changed.
 */
bool pm_llr_tx_control(struct pm_dir *d, enum pm_flight_kind kind, struct pm_map *map,
		       uint16_t lane, bool on);
/* The same for a request, which it copies. */
bool pm_llr_tx_request(struct pm_dir *d, const struct pm_request *req);
/* Nothing is on the way, neither of frames nor of what they bring about, and nothing waits. */
bool pm_llr_tx_idle(const struct pm_dir *d);
const struct pm_measure *pm_llr_tx_measure_new(struct pm_llr_tx *t, uint32_t len);
/* What a frame of @len takes of the line. Mostly the same as a late one. */
static inline const struct pm_measure *pm_llr_tx_measure(struct pm_llr_tx *t, uint32_t len)
{
	const struct pm_measure *m = pm_measure_of(t, len);

	return len == m->len && m->ps ? m : pm_llr_tx_measure_new(t, len);
}
/* Takes back the frames that have a place on the line, but have not begun: something is urgent. */
void pm_llr_tx_recall(struct pm_dir *d);
void pm_flight_free(struct pm_flight *e);

/* llr_rx.c */
void pm_llr_rx_init(struct pm_dir *d);
void pm_llr_rx_reset(struct pm_dir *d);
void pm_llr_rx_schedule(struct pm_dir *d);
bool pm_llr_rx_quiet(const struct pm_dir *d);	/* no acknowledgement is under way */
void pm_llr_rx_now(struct pm_dir *d);		/* the one frame on the line arrives */

/* stream.c */
void pm_stream_settle(struct pm_dir *d);	/* before a change, or a look */
void pm_stream_load(struct pm_dir *d, bool fresh);
static inline void pm_stream_idle(struct pm_dir *d, uint64_t until_ps)
{
	if (until_ps <= d->line_ps)
		return;
	d->idle_ps += (double)(until_ps - d->line_ps);
	d->line_ps = until_ps;
}
/* Frames lie there, and what was before them is idle. */
static inline void pm_stream_gap(struct pm_dir *d, uint64_t start_ps, uint64_t end_ps)
{
	pm_stream_idle(d, start_ps);
	if (end_ps > d->line_ps)
		d->line_ps = end_ps;
}

/* lanes.c */
void pm_lanes_init(struct pm_dir *d, uint64_t stream);
bool pm_lanes_make(struct pm_dir *d, uint64_t stream);
void pm_lanes_refresh(struct pm_dir *d, unsigned int lane);
/* After refreshes, or (@fresh) a new line map. */
void pm_lanes_changed(struct pm_dir *d, bool fresh);
void pm_lanes_mapped(struct pm_dir *d, const struct pm_map *was);
void pm_lanes_reset(struct pm_dir *d);		/* of the receiver */
unsigned int pm_lanes_lit(const struct pm_dir *d);
/* Do @len bytes that every lit lane carries in full arrive undamaged on one of them? */
bool pm_lanes_carry(const struct pm_dir *d, size_t len, struct pm_rng *rng);

/* ageing.c */
void pm_ageing_init(struct pm_link *link);
void pm_ageing_make(struct pm_dir *d, uint64_t stream);
void pm_ageing_start(struct pm_link *link);	/* or goes on at another rate */
void pm_ageing_pass(struct pm_link *link, double hours);
double pm_ageing_hours(const struct pm_lane *lane);	/* lit, by both clocks */
void pm_ageing_renew(struct pm_lane *lane);

/* fault.c */
void pm_fault_refresh(struct pm_dir *d);	/* all lanes */

/* map.c */
struct pm_map *pm_map_identity(unsigned int width);
struct pm_map *pm_map_get(struct pm_map *m);
void pm_map_put(struct pm_map *m);
bool pm_map_same(const struct pm_map *a, const struct pm_map *b);
struct pm_map *pm_map_copy(const struct pm_map *m);
uint32_t pm_map_sum(const struct pm_map *m);
uint32_t pm_map_next(uint32_t generation);
struct pm_map *pm_map_read(const void *buf, size_t len, unsigned int width_max);
size_t pm_map_write(const struct pm_map *m, void *buf, size_t cap);
void pm_map_set(struct pm_map **at, struct pm_map *m);	/* takes over a reference */
void pm_maps_init(struct pm_dir *d);
void pm_maps_make(struct pm_dir *d);
void pm_maps_free(struct pm_dir *d);
void pm_maps_reset_tx(struct pm_dir *d);
void pm_maps_reset_rx(struct pm_dir *d);
void pm_map_arrived(struct pm_dir *d, const struct pm_flight *e);
void pm_map_heartbeat(struct pm_dir *d);	/* starts or stops it as things are */
/* The transmitter goes over to @m as a plan says; @detected: when it was asked. False: no room. */
bool pm_map_mend(struct pm_dir *d, struct pm_map *m, uint64_t detected);
/* An end's map becomes @m, and nobody knows. Takes over a reference. False: no room. */
bool pm_map_corrupt(struct pm_dir *d, int dir, struct pm_map *m);
/* The marker of the active transmit map, again. */
bool pm_map_remind(struct pm_dir *d);

/* standby.c */
void pm_standby_init(struct pm_dir *d, uint64_t stream);
void pm_standby_free(struct pm_dir *d);
/* Something that a plan depends on may have changed at the receiver. */
void pm_standby_review(struct pm_dir *d);
/* The map of an end is another one now; @mended: by the plan itself. */
void pm_standby_mapped(struct pm_dir *d, int dir, bool mended);
/* Came in by @d, the other direction of the one that it is about. */
void pm_standby_requested(struct pm_dir *d, const struct pm_flight *e);

/* lanetest.c */
void pm_lanetest_init(struct pm_dir *d, uint64_t stream);
void pm_lanetest_free(struct pm_dir *d);
void pm_lanetest_reset(struct pm_dir *d);
bool pm_lanetest_running(const struct pm_dir *d, unsigned int lane);
void pm_lanetest_settle(struct pm_dir *d);	/* before a lane's error rate changes */
/* Ends the tests of lanes that are lost or put to use. */
void pm_lanetest_review(struct pm_dir *d);

/* mgmt.c */
void pm_mgmt_init(struct pm_dir *d, uint64_t stream);
void pm_mgmt_free(struct pm_dir *d);
void pm_mgmt_flush(struct pm_port *p);

/* frame.c */
/* Sends the frame's bytes through its damaged codewords; true if the CRC is right all the same. */
bool pm_frame_survives(struct pm_dir *d, const struct pm_frame *f, const struct pm_flight *e,
		       bool spoil);

/* link.c */
void pm_port_notify(struct pm_port *p, struct pm_link_event ev);
void pm_port_notify_lane(struct pm_dir *d, unsigned int lane, int cause, uint64_t a, uint64_t b);
void pm_link_review(struct pm_link *link);	/* recomputes the states of both ends */
void pm_port_margin(struct pm_port *p);

#endif /* PM_LINK_INT_H */
