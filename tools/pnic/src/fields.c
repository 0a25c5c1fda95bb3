// SPDX-License-Identifier: GPL-2.0
/* Attributes of the spec and members of types.h, see fields.h. */
#include "fields.h"

#include <stdlib.h>
#include <string.h>

#define MEMBER_SIZE(st, m)	sizeof(((struct st *)0)->m)
#define ONE(st, a, k, nm, m, ...)						\
	{ .attr = (a), .kind = (k), .name = (nm), .off = offsetof(struct st, m),	\
	  .size = MEMBER_SIZE(st, m), ##__VA_ARGS__ }
#define MANY(st, a, k, nm, m, type, ...)						\
	{ .attr = (a), .kind = (k), .multi = true, .name = (nm),			\
	  .off = offsetof(struct st, m), .size = sizeof(type), ##__VA_ARGS__ }
/* All knobs are 32 bits wide here, for loops over them. */
#define KNOB(a, k, nm)									\
	{ .attr = (a), .kind = (k), .name = (nm),					\
	  .off = offsetof(struct policy, knob[a]), .size = sizeof(uint32_t) }
#define SET(st, nm)									\
	const struct field_set st##_set = {						\
		nm, st##_fields, ARRAY_SIZE(st##_fields), sizeof(struct st) \
	}

static const struct field dev_fields[] = {
	ONE(dev, PNIC_A_DEV_INDEX, F_U32, "index", index),
	ONE(dev, PNIC_A_DEV_NAME, F_STR, "name", name),
	ONE(dev, PNIC_A_DEV_BUS_INFO, F_STR, "bus-info", bus_info),
	ONE(dev, PNIC_A_DEV_STATUS, F_U32, "status", status, .names = &dev_status_names),
	ONE(dev, PNIC_A_DEV_EPOCH, F_U32, "epoch", epoch),
	ONE(dev, PNIC_A_DEV_RESETS, F_U32, "resets", resets),
	ONE(dev, PNIC_A_DEV_RESET_REASON, F_STR, "reset-reason", reset_reason),
	ONE(dev, PNIC_A_DEV_NIC_ADDR, F_U32, "nic-addr", nic_addr),
	ONE(dev, PNIC_A_DEV_GUID, F_UINT, "guid", guid),
	ONE(dev, PNIC_A_DEV_SERIAL, F_STR, "serial", serial),
	ONE(dev, PNIC_A_DEV_CABLE_SERIAL, F_STR, "cable-serial", cable_serial),
	ONE(dev, PNIC_A_DEV_MODEL, F_STR, "model", model),
	ONE(dev, PNIC_A_DEV_HW_MAJOR, F_U32, "hw-major", hw_major),
	ONE(dev, PNIC_A_DEV_HW_MINOR, F_U32, "hw-minor", hw_minor),
	ONE(dev, PNIC_A_DEV_FW_VERSION, F_U32, "fw-version", fw_version),
	ONE(dev, PNIC_A_DEV_LANES_DATA, F_U32, "lanes-data", lanes_data),
	ONE(dev, PNIC_A_DEV_LANES_SPARE, F_U32, "lanes-spare", lanes_spare),
	ONE(dev, PNIC_A_DEV_GRID_X, F_U32, "grid-x", grid_x),
	ONE(dev, PNIC_A_DEV_GRID_Y, F_U32, "grid-y", grid_y),
	ONE(dev, PNIC_A_DEV_LANE_KBPS, F_U32, "lane-kbps", lane_kbps),
	ONE(dev, PNIC_A_DEV_LANE_PAYLOAD_KBPS, F_U32, "lane-payload-kbps", lane_payload_kbps),
	ONE(dev, PNIC_A_DEV_FEC_N, F_U32, "fec-n", fec_n),
	ONE(dev, PNIC_A_DEV_FEC_K, F_U32, "fec-k", fec_k),
	ONE(dev, PNIC_A_DEV_FEC_SYMBOL_BITS, F_U32, "fec-symbol-bits", fec_symbol_bits),
	ONE(dev, PNIC_A_DEV_STRIPING, F_U32, "striping", striping, .names = &striping_names),
	ONE(dev, PNIC_A_DEV_STANDBY, F_FLAG, "standby", standby),
	ONE(dev, PNIC_A_DEV_LANE_TEST, F_FLAG, "lane-test", lane_test),
};

SET(dev, "dev");

static const struct field link_dir_fields[] = {
	ONE(link_dir, PNIC_A_LINK_DIR_WIDTH, F_U32, "width", width),
	ONE(link_dir, PNIC_A_LINK_DIR_RATE_MBPS, F_U32, "rate-mbps", rate_mbps),
	ONE(link_dir, PNIC_A_LINK_DIR_GENERATION, F_U32, "generation", generation),
	ONE(link_dir, PNIC_A_LINK_DIR_STAGED, F_U32, "staged", staged),
	ONE(link_dir, PNIC_A_LINK_DIR_CHECKSUM, F_U32, "checksum", checksum),
	ONE(link_dir, PNIC_A_LINK_DIR_PEER_GENERATION, F_U32, "peer-generation", peer_generation),
	ONE(link_dir, PNIC_A_LINK_DIR_PEER_CHECKSUM, F_U32, "peer-checksum", peer_checksum),
	ONE(link_dir, PNIC_A_LINK_DIR_AGREED, F_FLAG, "agreed", agreed),
	ONE(link_dir, PNIC_A_LINK_DIR_PROTO_STATE, F_STR, "proto-state", proto_state),
};

SET(link_dir, "link-dir");

static const struct field forecast_fields[] = {
	ONE(forecast, PNIC_A_FORECAST_SPARES, F_U32, "spares", spares),
	ONE(forecast, PNIC_A_FORECAST_LOST, F_U32, "lost", lost),
	ONE(forecast, PNIC_A_FORECAST_OBSERVED_S, F_UINT, "observed-s", observed_s),
	ONE(forecast, PNIC_A_FORECAST_LIFE_S, F_UINT, "life-s", life_s),
	ONE(forecast, PNIC_A_FORECAST_LIFE_LOW_S, F_UINT, "life-low-s", life_low_s),
	ONE(forecast, PNIC_A_FORECAST_LIFE_HIGH_S, F_UINT, "life-high-s", life_high_s),
};

SET(forecast, "forecast");

static const struct field bucket_fields[] = {
	ONE(bucket, PNIC_A_BUCKET_UPTO_NS, F_UINT, "upto-ns", upto_ns),
	ONE(bucket, PNIC_A_BUCKET_COUNT, F_UINT, "count", count),
};

SET(bucket, "bucket");

static const struct field link_fields[] = {
	ONE(link, PNIC_A_LINK_DEV_INDEX, F_U32, "dev-index", dev_index),
	ONE(link, PNIC_A_LINK_STATUS, F_U32, "status", status, .names = &link_status_names),
	ONE(link, PNIC_A_LINK_ADMIN_UP, F_U8, "admin-up", admin_up),
	ONE(link, PNIC_A_LINK_WIDTH_MAX, F_U32, "width-max", width_max),
	ONE(link, PNIC_A_LINK_RX, F_NEST, "rx", rx, .sub = &link_dir_set),
	ONE(link, PNIC_A_LINK_TX, F_NEST, "tx", tx, .sub = &link_dir_set),
	ONE(link, PNIC_A_LINK_MARGIN, F_S32, "margin", margin),
	ONE(link, PNIC_A_LINK_MARGIN_ERASURE, F_S32, "margin-erasure", margin_erasure),
	ONE(link, PNIC_A_LINK_MARGIN_MIN, F_S32, "margin-min", margin_min),
	ONE(link, PNIC_A_LINK_MARGIN_MIN_WINDOW, F_S32, "margin-min-window", margin_min_window),
	{ .attr = PNIC_A_LINK_TAKE_MARGIN_MIN, .kind = F_REQUEST, .name = "take-margin-min" },
	ONE(link, PNIC_A_LINK_SPARES, F_U32, "spares", spares),
	ONE(link, PNIC_A_LINK_ACTIVE, F_U32, "active", active),
	ONE(link, PNIC_A_LINK_WATCH, F_U32, "watch", watch),
	ONE(link, PNIC_A_LINK_RETIRING, F_U32, "retiring", retiring),
	ONE(link, PNIC_A_LINK_FAILED, F_U32, "failed", failed),
	ONE(link, PNIC_A_LINK_QUARANTINED, F_U32, "quarantined", quarantined),
	ONE(link, PNIC_A_LINK_TESTING, F_U32, "testing", testing),
	ONE(link, PNIC_A_LINK_DISABLED, F_U32, "disabled", disabled),
	ONE(link, PNIC_A_LINK_ALARMS, F_U32, "alarms", alarms, .names = &alarm_names, .bits = true),
	ONE(link, PNIC_A_LINK_PEER_KNOWN, F_FLAG, "peer-known", peer_known),
	ONE(link, PNIC_A_LINK_PEER_INCARNATION, F_U32, "peer-incarnation", peer_incarnation),
	ONE(link, PNIC_A_LINK_REMAPS, F_UINT, "remaps", remaps),
	ONE(link, PNIC_A_LINK_STANDBY_REMAPS, F_UINT, "standby-remaps", standby_remaps),
	ONE(link, PNIC_A_LINK_DOWNS, F_UINT, "downs", downs),
	ONE(link, PNIC_A_LINK_FORECAST, F_NEST, "forecast", forecast, .sub = &forecast_set),
	MANY(link, PNIC_A_LINK_REMAP_LATENCY, F_NEST, "remap-latency", remap_latency,
	    struct bucket, .sub = &bucket_set),
	ONE(link, PNIC_A_LINK_HISTORY_SEQ, F_UINT, "history-seq", history_seq),
};

SET(link, "link");

static const struct field lane_fields[] = {
	ONE(lane, PNIC_A_LANE_DEV_INDEX, F_U32, "dev-index", dev_index),
	ONE(lane, PNIC_A_LANE_INDEX, F_U32, "index", index),
	ONE(lane, PNIC_A_LANE_DIRECTION, F_U32, "direction", direction, .names = &direction_names),
	ONE(lane, PNIC_A_LANE_LOGICAL, F_U32, "logical", logical),
	ONE(lane, PNIC_A_LANE_X, F_U32, "x", x),
	ONE(lane, PNIC_A_LANE_Y, F_U32, "y", y),
	ONE(lane, PNIC_A_LANE_STATUS, F_U32, "status", status, .names = &lane_status_names),
	ONE(lane, PNIC_A_LANE_ERASED, F_FLAG, "erased", erased),
	ONE(lane, PNIC_A_LANE_POWER_CDB, F_S32, "power-cdb", power_cdb),
	ONE(lane, PNIC_A_LANE_BIAS_UA, F_U32, "bias-ua", bias_ua),
	ONE(lane, PNIC_A_LANE_AGE_HOURS, F_U32, "age-hours", age_hours),
	ONE(lane, PNIC_A_LANE_ERROR_PPB, F_U32, "error-ppb", error_ppb),
	ONE(lane, PNIC_A_LANE_ERROR_PPB_LOW, F_U32, "error-ppb-low", error_ppb_low),
	ONE(lane, PNIC_A_LANE_ERROR_PPB_HIGH, F_U32, "error-ppb-high", error_ppb_high),
	ONE(lane, PNIC_A_LANE_EVIDENCE_MBITS, F_U32, "evidence-mbits", evidence_mbits),
	ONE(lane, PNIC_A_LANE_SYM_ERRORS, F_UINT, "sym-errors", sym_errors),
	ONE(lane, PNIC_A_LANE_MBITS, F_UINT, "mbits", mbits),
	ONE(lane, PNIC_A_LANE_TREND_CDB_H, F_S32, "trend-cdb-h", trend_cdb_h),
	ONE(lane, PNIC_A_LANE_LOSSES, F_U32, "losses", losses),
	ONE(lane, PNIC_A_LANE_GENERATION, F_U32, "generation", generation),
	ONE(lane, PNIC_A_LANE_PROBATION_MS, F_UINT, "probation-ms", probation_ms),
	ONE(lane, PNIC_A_LANE_STANDBY, F_U32, "standby", standby),
	ONE(lane, PNIC_A_LANE_KNOWN_BAD, F_FLAG, "known-bad", known_bad),
	ONE(lane, PNIC_A_LANE_TEST_BITS, F_UINT, "test-bits", test_bits),
	ONE(lane, PNIC_A_LANE_TEST_ERRORS, F_UINT, "test-errors", test_errors),
	{ .attr = PNIC_A_LANE_FIRST, .kind = F_REQUEST, .name = "first" },
	{ .attr = PNIC_A_LANE_LAST, .kind = F_REQUEST, .name = "last" },
	{ .attr = PNIC_A_LANE_ABNORMAL, .kind = F_REQUEST, .name = "abnormal" },
};

SET(lane, "lane");

static const struct field move_fields[] = {
	ONE(move, PNIC_A_MOVE_LOGICAL, F_U32, "logical", logical),
	ONE(move, PNIC_A_MOVE_FROM, F_U32, "from", from),
	ONE(move, PNIC_A_MOVE_TO, F_U32, "to", to),
};

SET(move, "move");

static const struct field plan_fields[] = {
	ONE(plan, PNIC_A_PLAN_DEV_INDEX, F_U32, "dev-index", dev_index),
	ONE(plan, PNIC_A_PLAN_PREVIEW, F_FLAG, "preview", preview),
	ONE(plan, PNIC_A_PLAN_REFUSED, F_STR, "refused", refused),
	ONE(plan, PNIC_A_PLAN_GENERATION, F_U32, "generation", generation),
	ONE(plan, PNIC_A_PLAN_MARGIN_NOW, F_S32, "margin-now", margin_now),
	ONE(plan, PNIC_A_PLAN_MARGIN_THEN, F_S32, "margin-then", margin_then),
	ONE(plan, PNIC_A_PLAN_WIDTH_NOW, F_U32, "width-now", width_now),
	ONE(plan, PNIC_A_PLAN_WIDTH_THEN, F_U32, "width-then", width_then),
	ONE(plan, PNIC_A_PLAN_RATE_NOW_MBPS, F_U32, "rate-now-mbps", rate_now_mbps),
	ONE(plan, PNIC_A_PLAN_RATE_THEN_MBPS, F_U32, "rate-then-mbps", rate_then_mbps),
	MANY(plan, PNIC_A_PLAN_MOVE, F_NEST, "move", moves, struct move, .sub = &move_set),
	MANY(plan, PNIC_A_PLAN_NOTE, F_STR, "note", notes, struct text),
	{ .attr = PNIC_A_PLAN_LANE, .kind = F_REQUEST, .name = "lane" },
	{ .attr = PNIC_A_PLAN_ACTION, .kind = F_REQUEST, .name = "action" },
	{ .attr = PNIC_A_PLAN_FORCE, .kind = F_REQUEST, .name = "force" },
	{ .attr = PNIC_A_PLAN_EXPECT_GENERATION, .kind = F_REQUEST, .name = "expect-generation" },
	{ .attr = PNIC_A_PLAN_POLICY, .kind = F_REQUEST, .name = "policy", .sub = &policy_set },
};

SET(plan, "plan");

static const struct field policy_fields[] = {
	ONE(policy, PNIC_A_POLICY_DEV_INDEX, F_U32, "dev-index", dev_index),
	ONE(policy, PNIC_A_POLICY_REVISION, F_U32, "revision", revision),
	KNOB(PNIC_A_POLICY_MANAGE, F_U8, "manage"),
	KNOB(PNIC_A_POLICY_STANDBY, F_U8, "standby"),
	KNOB(PNIC_A_POLICY_WATCH_PPB, F_U32, "watch-ppb"),
	KNOB(PNIC_A_POLICY_RETIRE_PPB, F_U32, "retire-ppb"),
	KNOB(PNIC_A_POLICY_FAIL_PPB, F_U32, "fail-ppb"),
	KNOB(PNIC_A_POLICY_MIN_ERRORS, F_U32, "min-errors"),
	KNOB(PNIC_A_POLICY_COMMON_PCT, F_U32, "common-pct"),
	KNOB(PNIC_A_POLICY_COMMON_CDB, F_U32, "common-cdb"),
	KNOB(PNIC_A_POLICY_CLUSTER_MIN, F_U32, "cluster-min"),
	KNOB(PNIC_A_POLICY_CLUSTER_MS, F_U32, "cluster-ms"),
	KNOB(PNIC_A_POLICY_MARGIN_FLOOR, F_U32, "margin-floor"),
	KNOB(PNIC_A_POLICY_HORIZON_S, F_U32, "horizon-s"),
	KNOB(PNIC_A_POLICY_QUARANTINE_MS, F_U32, "quarantine-ms"),
	KNOB(PNIC_A_POLICY_QUARANTINE_MAX_MS, F_U32, "quarantine-max-ms"),
	KNOB(PNIC_A_POLICY_CALM_MS, F_U32, "calm-ms"),
	KNOB(PNIC_A_POLICY_GROW_MS, F_U32, "grow-ms"),
	KNOB(PNIC_A_POLICY_BUDGET_MS, F_U32, "budget-ms"),
	KNOB(PNIC_A_POLICY_SETTLE_US, F_U32, "settle-us"),
	KNOB(PNIC_A_POLICY_POLL_MS, F_U32, "poll-ms"),
	KNOB(PNIC_A_POLICY_TEST_MBITS, F_U32, "test-mbits"),
	{ .attr = PNIC_A_POLICY_RESET, .kind = F_REQUEST, .name = "reset" },
};

SET(policy, "policy");

static const struct field history_fields[] = {
	ONE(history, PNIC_A_HISTORY_DEV_INDEX, F_U32, "dev-index", dev_index),
	ONE(history, PNIC_A_HISTORY_SEQ, F_UINT, "seq", seq),
	ONE(history, PNIC_A_HISTORY_TIME_NS, F_UINT, "time-ns", time_ns),
	ONE(history, PNIC_A_HISTORY_WALL_NS, F_UINT, "wall-ns", wall_ns),
	ONE(history, PNIC_A_HISTORY_CODE, F_STR, "code", code),
	ONE(history, PNIC_A_HISTORY_ACTOR, F_U32, "actor", actor, .names = &actor_names),
	ONE(history, PNIC_A_HISTORY_DIRECTION, F_U32, "direction", direction,
	    .names = &direction_names),
	ONE(history, PNIC_A_HISTORY_LANE, F_U32, "lane", lane),
	ONE(history, PNIC_A_HISTORY_OTHER, F_U32, "other", other),
	ONE(history, PNIC_A_HISTORY_LOGICAL, F_U32, "logical", logical),
	ONE(history, PNIC_A_HISTORY_GENERATION, F_U32, "generation", generation),
	ONE(history, PNIC_A_HISTORY_TEXT, F_STR, "text", text),
	{ .attr = PNIC_A_HISTORY_SINCE, .kind = F_REQUEST, .name = "since" },
	ONE(history, PNIC_A_HISTORY_MISSED, F_UINT, "missed", missed),
};

SET(history, "history");

static const struct field record_fields[] = {
	ONE(record, PNIC_A_RECORD_LANE, F_U32, "lane", lane),
	ONE(record, PNIC_A_RECORD_LOSSES, F_U32, "losses", losses),
	ONE(record, PNIC_A_RECORD_KNOWN_BAD, F_FLAG, "known-bad", known_bad),
	ONE(record, PNIC_A_RECORD_AGE_HOURS, F_U32, "age-hours", age_hours),
};

SET(record, "record");

static const struct field cable_fields[] = {
	ONE(cable, PNIC_A_CABLE_DEV_INDEX, F_U32, "dev-index", dev_index),
	ONE(cable, PNIC_A_CABLE_CABLE_SERIAL, F_STR, "cable-serial", cable_serial),
	ONE(cable, PNIC_A_CABLE_LANES, F_U32, "lanes", lanes),
	MANY(cable, PNIC_A_CABLE_RECORD, F_NEST, "record", records, struct record,
	    .sub = &record_set),
};

SET(cable, "cable");

static const struct field counters_fields[] = {
	ONE(counters, PNIC_A_COUNTERS_DEV_INDEX, F_U32, "dev-index", dev_index),
	ONE(counters, PNIC_A_COUNTERS_FRAMES_TX, F_UINT, "frames-tx", frames_tx),
	ONE(counters, PNIC_A_COUNTERS_FRAMES_RX, F_UINT, "frames-rx", frames_rx),
	ONE(counters, PNIC_A_COUNTERS_FRAMES_REPLAYED, F_UINT, "frames-replayed", frames_replayed),
	ONE(counters, PNIC_A_COUNTERS_FRAMES_CRC_BAD, F_UINT, "frames-crc-bad", frames_crc_bad),
	ONE(counters, PNIC_A_COUNTERS_FRAMES_DROPPED, F_UINT, "frames-dropped", frames_dropped),
	ONE(counters, PNIC_A_COUNTERS_PAYLOAD_TX, F_UINT, "payload-tx", payload_tx),
	ONE(counters, PNIC_A_COUNTERS_PAYLOAD_RX, F_UINT, "payload-rx", payload_rx),
	ONE(counters, PNIC_A_COUNTERS_LINE_BITS_TX, F_UINT, "line-bits-tx", line_bits_tx),
	ONE(counters, PNIC_A_COUNTERS_CODEWORDS, F_UINT, "codewords", codewords),
	ONE(counters, PNIC_A_COUNTERS_CODEWORDS_CORRECTED, F_UINT, "codewords-corrected",
	    codewords_corrected),
	ONE(counters, PNIC_A_COUNTERS_CODEWORDS_UNCORRECTABLE, F_UINT,
	    "codewords-uncorrectable", codewords_uncorrectable),
	ONE(counters, PNIC_A_COUNTERS_SYMBOLS_CORRECTED, F_UINT, "symbols-corrected",
	    symbols_corrected),
	MANY(counters, PNIC_A_COUNTERS_HIST, F_UINT, "hist", hist, uint64_t),
	ONE(counters, PNIC_A_COUNTERS_MAP_SWITCHES_RX, F_UINT, "map-switches-rx", map_switches_rx),
	ONE(counters, PNIC_A_COUNTERS_MAP_SWITCHES_TX, F_UINT, "map-switches-tx", map_switches_tx),
	ONE(counters, PNIC_A_COUNTERS_LINK_DOWNS, F_UINT, "link-downs", link_downs),
	ONE(counters, PNIC_A_COUNTERS_MGMT_TX, F_UINT, "mgmt-tx", mgmt_tx),
	ONE(counters, PNIC_A_COUNTERS_MGMT_RX, F_UINT, "mgmt-rx", mgmt_rx),
	ONE(counters, PNIC_A_COUNTERS_MGMT_LOST, F_UINT, "mgmt-lost", mgmt_lost),
	ONE(counters, PNIC_A_COUNTERS_WQES, F_UINT, "wqes", wqes),
	ONE(counters, PNIC_A_COUNTERS_CQES, F_UINT, "cqes", cqes),
	ONE(counters, PNIC_A_COUNTERS_DOORBELLS, F_UINT, "doorbells", doorbells),
	ONE(counters, PNIC_A_COUNTERS_INTERRUPTS, F_UINT, "interrupts", interrupts),
	ONE(counters, PNIC_A_COUNTERS_ADMIN_TIMEOUTS, F_UINT, "admin-timeouts", admin_timeouts),
	ONE(counters, PNIC_A_COUNTERS_NONSENSE, F_UINT, "nonsense", nonsense),
	ONE(counters, PNIC_A_COUNTERS_LOST_IRQS, F_UINT, "lost-irqs", lost_irqs),
};

SET(counters, "counters");

static const struct field res_fields[] = {
	ONE(res, PNIC_A_RES_DEV_INDEX, F_U32, "dev-index", dev_index),
	ONE(res, PNIC_A_RES_FILE, F_U32, "file", file),
	ONE(res, PNIC_A_RES_PID, F_U32, "pid", pid),
	ONE(res, PNIC_A_RES_COMM, F_STR, "comm", comm),
	ONE(res, PNIC_A_RES_CONTEXT, F_U32, "context", context),
	ONE(res, PNIC_A_RES_PARTITION, F_U32, "partition", partition),
	ONE(res, PNIC_A_RES_DEAD, F_FLAG, "dead", dead),
	ONE(res, PNIC_A_RES_REGIONS, F_U32, "regions", regions),
	ONE(res, PNIC_A_RES_CQS, F_U32, "cqs", cqs),
	ONE(res, PNIC_A_RES_ENDPOINTS, F_U32, "endpoints", endpoints),
	ONE(res, PNIC_A_RES_PINNED_BYTES, F_UINT, "pinned-bytes", pinned_bytes),
	ONE(res, PNIC_A_RES_RING_BYTES, F_UINT, "ring-bytes", ring_bytes),
};

SET(res, "res");

static const struct field object_fields[] = {
	ONE(object, PNIC_A_OBJECT_DEV_INDEX, F_U32, "dev-index", dev_index),
	ONE(object, PNIC_A_OBJECT_KIND, F_U32, "kind", kind, .names = &object_kind_names),
	ONE(object, PNIC_A_OBJECT_ID, F_U32, "id", id),
	ONE(object, PNIC_A_OBJECT_FILE, F_U32, "file", file),
	ONE(object, PNIC_A_OBJECT_PID, F_U32, "pid", pid),
	ONE(object, PNIC_A_OBJECT_COMM, F_STR, "comm", comm),
	ONE(object, PNIC_A_OBJECT_BYTES, F_UINT, "bytes", bytes),
	ONE(object, PNIC_A_OBJECT_ENTRIES, F_U32, "entries", entries),
	ONE(object, PNIC_A_OBJECT_RX_ENTRIES, F_U32, "rx-entries", rx_entries),
	ONE(object, PNIC_A_OBJECT_RIGHTS, F_U32, "rights", rights),
	ONE(object, PNIC_A_OBJECT_SEND_CQ, F_U32, "send-cq", send_cq),
	ONE(object, PNIC_A_OBJECT_RECV_CQ, F_U32, "recv-cq", recv_cq),
	ONE(object, PNIC_A_OBJECT_DEAD, F_FLAG, "dead", dead),
};

SET(object, "object");

static const struct field grant_fields[] = {
	ONE(grant, PNIC_A_GRANT_DEV_INDEX, F_U32, "dev-index", dev_index),
	ONE(grant, PNIC_A_GRANT_PARTITION, F_U32, "partition", partition),
	ONE(grant, PNIC_A_GRANT_UID, F_U32, "uid", uid),
};

SET(grant, "grant");

static const struct field change_fields[] = {
	ONE(change, PNIC_A_CHANGE_LANE, F_U32, "lane", lane),
	ONE(change, PNIC_A_CHANGE_STATUS, F_U32, "status", status, .names = &lane_status_names),
	ONE(change, PNIC_A_CHANGE_WAS, F_U32, "was", was, .names = &lane_status_names),
	ONE(change, PNIC_A_CHANGE_LOGICAL, F_U32, "logical", logical),
};

SET(change, "change");

static const struct field lane_event_fields[] = {
	ONE(lane_event, PNIC_A_LANE_EVENT_DEV_INDEX, F_U32, "dev-index", dev_index),
	ONE(lane_event, PNIC_A_LANE_EVENT_GENERATION, F_U32, "generation", generation),
	ONE(lane_event, PNIC_A_LANE_EVENT_FIRST_SEQ, F_UINT, "first-seq", first_seq),
	ONE(lane_event, PNIC_A_LANE_EVENT_LAST_SEQ, F_UINT, "last-seq", last_seq),
	ONE(lane_event, PNIC_A_LANE_EVENT_EVENTS, F_U32, "events", events),
	MANY(lane_event, PNIC_A_LANE_EVENT_CHANGE, F_NEST, "change", changes, struct change,
	    .sub = &change_set),
	ONE(lane_event, PNIC_A_LANE_EVENT_MORE, F_U32, "more", more),
};

SET(lane_event, "lane-event");

static const struct field health_fields[] = {
	ONE(health, PNIC_A_HEALTH_DEV_INDEX, F_U32, "dev-index", dev_index),
	ONE(health, PNIC_A_HEALTH_STATUS, F_U32, "status", status, .names = &dev_status_names),
	ONE(health, PNIC_A_HEALTH_ALARMS, F_U32, "alarms", alarms, .names = &alarm_names,
	    .bits = true),
	ONE(health, PNIC_A_HEALTH_RAISED, F_U32, "raised", raised, .names = &alarm_names,
	    .bits = true),
	ONE(health, PNIC_A_HEALTH_CLEARED, F_U32, "cleared", cleared, .names = &alarm_names,
	    .bits = true),
	ONE(health, PNIC_A_HEALTH_TEXT, F_STR, "text", text),
};

SET(health, "health");
const struct field_set *const field_sets[] = {
	&dev_set,
	&link_dir_set,
	&forecast_set,
	&bucket_set,
	&link_set,
	&lane_set,
	&move_set,
	&plan_set,
	&policy_set,
	&history_set,
	&record_set,
	&cable_set,
	&counters_set,
	&res_set,
	&object_set,
	&grant_set,
	&change_set,
	&lane_event_set,
	&health_set,
	NULL,
};

const struct field *field_of(const struct field_set *set, unsigned int attr)
{
	unsigned int i;

	for (i = 0; i < set->n; i++)
		if (set->fields[i].attr == attr)
			return &set->fields[i];
	return NULL;
}

void *list_add(struct list *list, size_t size)
{
	void *items = list->items;
	void *item;

	/* Doubled whenever the number of items is a power of two. */
	if (!(list->n & (list->n - 1))) {
		items = reallocarray(items, list->n ? 2 * (size_t)list->n : 1, size);
		if (!items)
			return NULL;
		list->items = items;
	}
	item = (char *)items + size * list->n++;
	return memset(item, 0, size);
}

void fields_clear_list(const struct field_set *set, struct list *list)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		fields_clear(set, (char *)list->items + i * set->size);
	free(list->items);
	memset(list, 0, sizeof(*list));
}

void fields_clear(const struct field_set *set, void *obj)
{
	const struct field *f;

	for (f = set->fields; f < set->fields + set->n; f++) {
		void *member = (char *)obj + f->off;

		if (f->multi && f->kind == F_NEST)
			fields_clear_list(f->sub, member);
		else if (f->multi)
			free(((struct list *)member)->items);
		else if (f->kind == F_NEST)
			fields_clear(f->sub, member);
	}
	memset(obj, 0, set->size);
}
