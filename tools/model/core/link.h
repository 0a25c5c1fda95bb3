/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A wide link between two ports: lanes, maps, FEC, frames, link-level retry.
 *
 * A port belongs to a NIC or to the switch (its owner). The owner hands it
 * frames; the port at the other end gives each to its owner once, in order and
 * intact, or tells the sending owner that it was flushed. Payload travels by
 * reference: the frame names it, and the receiving owner copies it from the sender's memory.
 * Only a frame that FEC could not save is gathered into a buffer, really damaged, and caught (or,
 * once in 2^32, not) by its CRC32C.
 */
#ifndef PM_LINK_H
#define PM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim.h"
#include "driver/hw/pnic_lane.h"

struct pm_port;
struct pm_link;

#define PM_MGMT_MAX		2048u	/* bytes of a management message */
#define PM_FRAME_INLINE_MAX	320
#define PM_FRAME_OVERHEAD	52	/* preamble and sequence 12, header 36, CRC32C 4 */

/* Owned by whoever holds it: the sender until pm_port_send(), then the link, then the receiver. */
struct pm_frame {
	struct pm_frame *next;
	uint32_t src_nic, dst_nic;
	uint32_t seq;			/* the link's */
	uint32_t payload_len;		/* bytes on the line besides PM_FRAME_OVERHEAD */
	struct pm_port *origin;		/* the NIC port that first sent it, and has the payload */
	/* The transport's header; the link does not look at it. */
	uint8_t hdr[96];
	/* Payload by reference: token and offset mean something to the origin's owner. */
	void *ref;
	uint64_t ref_off;
	bool is_inline;			/* payload is in data[] */
	uint8_t data[PM_FRAME_INLINE_MAX];
};

enum pm_link_event_type {
	PM_LINK_STATE,		/* state changed */
	PM_LINK_LANE,		/* a receive lane: cause, lane */
	PM_LINK_MAP,		/* a map became active: dir, generation */
	PM_LINK_MGMT,		/* a management message waits */
};

struct pm_link_event {
	enum pm_link_event_type type;
	int state, dir, cause, lane;
	uint32_t generation;
	uint64_t clock_ns;
	uint64_t data[2];
};

struct pm_port_ops {
	/* An intact frame in order; the callee owns it (pm_frame_free or forward). */
	void (*rx)(void *owner, struct pm_frame *f);
	/*
	 * Copies @len payload bytes of @f from @off to @buf; only called on the origin's
	 * owner. False: memory gone.
	 */
	bool (*gather)(void *owner, const struct pm_frame *f, size_t off, void *buf, size_t len);
	/* Not delivered, and never will be: link down past the data age. The callee owns it. */
	void (*flushed)(void *owner, struct pm_frame *f);
	/* The queue has room again after pm_port_send() said no. */
	void (*tx_ready)(void *owner);
	void (*event)(void *owner, const struct pm_link_event *ev);
};

/*
 * What makes a lane's light weaker or stronger, and how fast. Documentation/optics.rst has the
 * source of each number. Hours are those of the ageing clock, which goes only by age_rate or by
 * command.
 */
struct pm_optics_config {
	double lock_ber;		/* beyond it a lane's markers can't be found */
	double bias_ua, bias_sigma;	/* drive current, uA, and its relative spread */
	double reach_profile_m;		/* length for which ber_median holds */
	double reach_db_per_m;		/* for each metre more */
	double temp_ref_c, temp_c;	/* for which ber_median and life hold; the link's now */
	double temp_db_per_k;		/* loss for each kelvin more */
	double supply, supply_exp;	/* supply against nominal; light goes by its power */
	double burn_in_db, burn_in_h;	/* rise, and the hours for 95 % of it */
	double life_h, life_sigma;	/* hours to half the light: median, sigma of the logarithm */
	double ea_ev;			/* Arrhenius, eV */
	double fit;			/* sudden deaths of a lane in 1e9 hours */
	double drift_sigma;		/* loss of a lane by itself, dB/h */
	double noise_db, noise_h;	/* slow noise: sigma, and correlation time */
	double dirt_edge;		/* width of a patch's soft edge, lanes */
	double age_rate;		/* hours for each second of link time */
	double age_step_ms;		/* link time between looks at it */
};

struct pm_link_config {
	const char *profile;		/* mosaic-800g, avicena-512g, test-16 */
	uint16_t lanes_data, lanes_spare, grid_x, grid_y;
	double lane_gbps;		/* raw */
	double reach_m, flight_ns_per_m;
	double ber_median;		/* of a healthy lane */
	double ber_sigma_db;
	uint16_t fec_n, fec_k;
	uint8_t fec_symbol_bits, striping;
	uint32_t fec_latency_ns;
	uint32_t frame_payload;
	uint32_t los_detect_ns;		/* loss of light to the event */
	uint32_t data_age_ms;		/* how long an undelivered frame is kept while down */
	uint32_t heartbeat_us;
	bool standby, lane_test;	/* the card can */
	struct pm_optics_config optics;
	uint64_t seed;
};
/* A profile that doesn't exist leaves all 0, which pm_link_new() refuses. */
void pm_link_config_defaults(struct pm_link_config *c, const char *profile);
bool pm_link_config_valid(const struct pm_link_config *c);

/* Each number of a configuration by a name, for command lines and for pictures. */
enum pm_knob_type { PM_KNOB_REAL, PM_KNOB_U8, PM_KNOB_U16, PM_KNOB_U32 };
struct pm_knob {
	const char *name, *unit, *help;
	double min, max;
	enum pm_knob_type type;
	size_t offset;
};
const struct pm_knob *pm_knob_at(unsigned int i);		/* NULL: no more */
const struct pm_knob *pm_knob_find(const char *name);		/* NULL: none */
bool pm_knob_fits(const struct pm_knob *k, double v);		/* in its range, and whole if need be */
double pm_knob_get(const struct pm_knob *k, const struct pm_link_config *c);
void pm_knob_set(const struct pm_knob *k, struct pm_link_config *c, double v);

struct pm_frame *pm_frame_new(void);
void pm_frame_free(struct pm_frame *f);

/* NULL: no memory, or a configuration that can't be. */
struct pm_link *pm_link_new(struct pm_sim *sim, const struct pm_link_config *c, unsigned int index);
void pm_link_free(struct pm_link *link);
struct pm_port *pm_link_port(struct pm_link *link, int end);	/* 0, 1 */
void pm_port_attach(struct pm_port *p, const struct pm_port_ops *ops, void *owner);
const struct pm_link_config *pm_port_config(const struct pm_port *p);

/* Takes @f and returns true, or false with the queue full (tx_ready follows). */
bool pm_port_send(struct pm_port *p, struct pm_frame *f);
/*
 * The same for a frame behind which its owner has nothing more to send. On an idle line there is
 * nothing to wait for: the clock goes on to the frame's arrival, and it is given to the other end's
 * owner before this returns. Not from an event, and the caller has to expect what the other end's
 * owner does then, its answers included.
 */
bool pm_port_send_now(struct pm_port *p, struct pm_frame *f);
/*
 * A train of frames by @p and of what answers them, on a line that is idle both ways: pm_port_quiet(),
 * then adds of messages for each way, then pm_port_plan() says where they would lie. False: there is a
 * codeword that can't be corrected, or (@until isn't 0) some event comes before the last answer.
 * pm_port_travel() counts them all as sent and delivered; nothing may be sent between the two. Then
 * pm_port_arrive() takes the clock to the arrival of the last answer, or, @followed by more that is to be
 * sent at once, near the end of what @p sends.
 */
struct pm_train {
	uint32_t frames;
	uint64_t payload, ps, q8;	/* q8: units of codewords, by 256 */
};
/* Where one lies in a direction's stream. */
struct pm_booking {
	uint64_t start_ps, end_ps;	/* at the transmitter */
	uint64_t arrives;		/* ns */
	uint64_t first_cw, last_cw;
	uint64_t cw;			/* the stream goes on there */
	uint32_t offset_q8;
	bool gap;			/* idle symbols end a codeword first */
};
struct pm_trip {
	struct pm_train there, back;
	struct pm_booking out, in;
	uint64_t until;			/* ns */
};
/*
 * The same again: after a trip of one frame of @len bytes there and one back, not followed, has been kept,
 * each call is one more of it, and takes the clock on. It is counted only, and booked by pm_link_settle(),
 * which is due before anything else is done to the link, its lanes or its ends, or anybody looks at them.
 * False: nothing has happened, and a plan is needed.
 */
void pm_port_keep(struct pm_port *p, const struct pm_trip *trip);
bool pm_port_again(struct pm_port *p, uint32_t len);
void pm_link_settle(struct pm_link *link);
bool pm_port_quiet(const struct pm_port *p);
/* @n messages of @len bytes. */
void pm_port_train_add(struct pm_port *p, struct pm_train *train, uint32_t len, uint32_t n);
bool pm_port_plan(const struct pm_port *p, struct pm_trip *trip);
void pm_port_travel(struct pm_port *p, const struct pm_trip *trip);
void pm_port_arrive(struct pm_port *p, const struct pm_trip *trip, bool followed);
struct pm_port *pm_port_peer(struct pm_port *p);

/*
 * Reset of the owner: drops what it queued (no flushed call), its receive state, its maps
 * back to identity generation; frames of it still on the way are not delivered. The far end
 * sees the link bounce no more than its lanes do.
 */
void pm_port_reset(struct pm_port *p);
void pm_port_link_set(struct pm_port *p, bool admin_up);
/* From one end to the other, flight and FEC, ns. */
uint64_t pm_port_latency_ns(const struct pm_port *p);
int pm_port_state(const struct pm_port *p);			/* enum pnic_link_state */

/* What the admin commands LINK_QUERY, LANE_TABLE, MAP_*, MGMT_*, COUNTERS, LANE_CTL do. 0 or an
 * enum pnic_admin_status; *@detail is result[0]. */
void pm_port_query(struct pm_port *p, struct pnic_link_info *info);
/* The same in two steps, for who may fail to pass it on: only the second restarts margin_min. */
void pm_port_ask(struct pm_port *p, struct pnic_link_info *info);
void pm_port_told(struct pm_port *p);
/*
 * The same for an onlooker: restarts no minimum, and margin_min is the smallest since the
 * link was made.
 */
void pm_port_peek(struct pm_port *p, struct pnic_link_info *info);
/* Bytes written, 0: @cap too small. */
size_t pm_port_lane_table(struct pm_port *p, int dir, void *buf, size_t cap);
size_t pm_port_map_get(struct pm_port *p, int dir, bool staged, void *buf, size_t cap);
int pm_port_map_stage(struct pm_port *p, int dir, const void *map, size_t len, uint64_t *detail);
int pm_port_map_switch(struct pm_port *p, uint32_t generation);
int pm_port_map_abort(struct pm_port *p, int dir, uint32_t generation);
int pm_port_mgmt_send(struct pm_port *p, const void *msg, size_t len);
/* Length of the oldest message, 0: none. One longer than @cap is neither copied nor taken. */
size_t pm_port_mgmt_recv(struct pm_port *p, void *buf, size_t cap);
/* The same in two steps, for who may fail to pass it on. Drop only what is there. */
size_t pm_port_mgmt_peek(struct pm_port *p, void *buf, size_t cap);
void pm_port_mgmt_drop(struct pm_port *p);
int pm_port_lane_ctl(struct pm_port *p, uint16_t lane, bool on);
/* @len 0: no plan any more. */
int pm_port_standby(struct pm_port *p, int dir, const void *plan, size_t len, uint64_t *detail);
/* The plan as it is now, in the form of a map; 0: none, or @cap too small. */
size_t pm_port_standby_get(struct pm_port *p, int dir, void *buf, size_t cap);
/* READ and STOP fill result[0..1]: wrong bits, bits looked at. */
int pm_port_lane_test(struct pm_port *p, uint16_t lane, uint8_t op, uint32_t mbits,
		      uint64_t *result);
/* What the card did by itself, since reset. */
struct pm_standby_stats {
	uint64_t switches_rx, switches_tx;	/* by a plan */
	uint64_t requests;			/* sent, repetitions included */
	uint64_t requests_rx, ignored;		/* received, and of them not followed */
	uint64_t given_up;
};
void pm_port_standby_stats(const struct pm_port *p, struct pm_standby_stats *s);
/* Sets the link's part of it. */
void pm_port_counters(struct pm_port *p, struct pnic_counters *c);

/*
 * Faults, for the control socket. @p is the receiver whose incoming lanes are meant. 0 or
 * -errno.
 */
int pm_fault_kill(struct pm_port *p, unsigned int lane);
int pm_fault_heal(struct pm_port *p, unsigned int lane);
int pm_fault_degrade(struct pm_port *p, unsigned int lane, double db);		/* less light, dB */
/* @db >= 100: kill; <= 0: heal. */
int pm_fault_patch(struct pm_port *p, unsigned int x, unsigned int y, double radius, double db);
/* The same with an edge of @edge lanes in which the loss falls to nothing. */
int pm_fault_dirt(struct pm_port *p, double x, double y, double radius, double edge, double db);
/* A row driver: @db >= 100: the row is dark; <= 0: as before. */
int pm_fault_row(struct pm_port *p, unsigned int row, double db);
/*
 * The image is off by @x, @y lanes, so that the lanes on that edge lose their light, and has a
 * gradient of @db from one edge to the other in that direction. 0, 0, 0: takes it back.
 */
int pm_fault_misalign(struct pm_port *p, double x, double y, double db);
int pm_fault_drift(struct pm_port *p, unsigned int lane, double db_per_hour);
int pm_fault_common(struct pm_port *p, double db);
/* Of the whole link, both directions. */
int pm_fault_temperature(struct pm_port *p, double celsius);
int pm_fault_supply(struct pm_port *p, double supply);		/* against nominal */
int pm_fault_age(struct pm_port *p, double hours);		/* they pass at once */
int pm_fault_age_rate(struct pm_port *p, double hours_per_second);
/* All lanes as good as new, no dirt, nothing common. */
int pm_fault_heal_all(struct pm_port *p);
int pm_fault_drop(struct pm_port *p, unsigned int frames);		/* next frames vanish */
int pm_fault_corrupt(struct pm_port *p, unsigned int frames);	/* next frames are damaged past FEC */
/* The next requests of @p's standby plan vanish on the line. */
int pm_fault_drop_requests(struct pm_port *p, unsigned int requests);
/*
 * The end of @p has a wrong idea of its active map: @logical goes to the physical lane @lane, and
 * the logical lane that was there to the one that becomes free. Same generation, nobody is told.
 */
int pm_fault_map(struct pm_port *p, int dir, unsigned int logical, unsigned int lane);
int pm_fault_cut(struct pm_port *p, bool cut);			/* no light at all, both directions */

/* One physical lane as the optics have it, for pictures and tests. */
struct pm_lane_truth {
	double power_db, ber;
	bool dead, off;
	uint8_t x, y;
	double age_db, drift;		/* loss by ageing, noise and drift, dB; dB/h */
	double hours;			/* lit, by both clocks */
};
int pm_lane_truth(struct pm_port *p, unsigned int lane, struct pm_lane_truth *t);

#endif /* PM_LINK_H */
