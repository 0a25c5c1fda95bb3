/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lane protocol, one direction of a link: R receives (it proposes and plans), T
 * transmits (it stages, switches and marks). Each is a host and its card. The other direction
 * is the same with the names exchanged, and shares only the messages.
 *
 * The state machines are those of the code: rules.pml is made from it, and lane_spin checks that
 * it is fresh. Everything else follows proto.c, proto_rx.c, proto_tx.c, proto_plan.c and the
 * hardware document by hand; a function here has the name that it has there, or says which.
 *
 * A map has two logical lanes on four physical ones, 2 and 3 are spares: lane of logical 0
 * times 4, plus lane of logical 1. It is its own check sum. Moves and plans look the same, with
 * 0 for none. Sequence numbers are replaced by what they are compared for: was it sent after the
 * last switch (1), after the last challenge (2); a repeated message is marked as a copy.
 *
 * Time: a host's timer goes off when both streams are empty, of all at once (a tick), or any time
 * before, DELAYS times. FAULTS, RESETS, WISHES (of the policy, and lanes that die) and GENS
 * bound a run. Documentation/lane-protocol.rst says what is proved, and with which bounds.
 */

#ifndef GENS
#define GENS		4
#endif
#ifndef FAULTS
#define FAULTS		1	/* lost, repeated, refused, a marker lost, a map gone bad */
#endif
#ifndef RESETS
#define RESETS		1
#endif
#ifndef DELAYS
#define DELAYS		2
#endif
#ifndef WISHES
#define WISHES		2
#endif
#ifndef TICKS
#define TICKS		7	/* after the last fault, until the ends agree */
#endif
#ifndef TOLD_TICKS
#define TOLD_TICKS	2	/* until a difference has been told of */
#endif

#define ROOM		4	/* messages of hosts in a stream; any more are lost */
#define CAP		8

/* What travels besides messages. */
#define MARKER		20
#define REMAP		21	/* the transmitter was reset: another map, no marker */
#define REQUEST		22	/* of the receiver's card */

#define IDENTITY	1
#define L0(map)		((map) >> 2)
#define L1(map)		((map) & 3)
#define IN(map, lane)	(L0(map) == (lane) || L1(map) == (lane))
#define FREE(map)	(!IN(map, 2) -> 2 : (!IN(map, 3) -> 3 : 0))
#define APPLY(map, by)	(((L0(by) -> L0(by) : L0(map)) << 2) | (L1(by) -> L1(by) : L1(map)))
#define KEEP(by, map)	(((IN(map, L0(by)) -> 0 : L0(by)) << 2) | (IN(map, L1(by)) -> 0 : L1(by)))
#define WITHIN(by, all)	((!L0(by) || L0(by) == L0(all)) && (!L1(by) || L1(by) == L1(all)))
#define BY_PLAN(plan, from, to)	((to) != (from) && (L0(to) == L0(from) || L0(to) == L0(plan)) && \
				 (L1(to) == L1(from) || L1(to) == L1(plan)))

#include "rules.pml"

#define KNOWN		1	/* flags of a message */
#define ASK		2
#define COPY		4
#define REASON		8	/* PLANNED: not 0 */
#define AFTER_GRACE	16	/* of R: no marker was on its way to it */
#define SINCE_SWITCH	1	/* what it was sent after, and what it answers */
#define SINCE_CHALLENGE	2
#define HEARD		4
#define NONE		99	/* no event */

/* Why an end does something. */
#define RECEIVE		1
#define TICK		2
#define TIMEOUT		3	/* of the receiver's or the transmitter's machine */
#define BEAT		4
#define RENEW		5	/* of the plan's machine */
#define VERIFY		6	/* the card's map is read anew */
#define POLICY		7	/* an event that is set already */
#define REFUSED		16	/* the card doesn't do what it is told */
#define AT_T		32

/* kind, from, to, flags, sent after, answers, generation, map, id, its generation, what, sum */
chan rt = [CAP] of { byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte };
chan tr = [CAP] of { byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte };

/* The hosts. */
byte r_inc = 1, t_inc = 1;
byte r_st = RX_IDLE, t_st = TX_IDLE, r_pst = RXP_NONE, t_pst = TXP_NONE;
byte r_id, r_mv, r_ng, r_nm, t_id, t_ng, t_nm;
byte r_pid, r_pl, t_pid, t_pl;
byte r_peer, r_cand, r_h, r_c, r_rg, r_rm, t_peer, t_cand, t_h, t_c, t_rg, t_rm;
bit r_ku, t_ku;
byte t_ast, t_hold;
byte rk_m = IDENTITY, tk_m = IDENTITY;	/* their cards' maps, as they know them */
byte ids;

/* The cards; the line is what arrives at R. */
byte rc_g = 1, rc_m = IDENTITY, rs_g, rs_m, rc_pl;
byte tc_g = 1, tc_m = IDENTITY, ts_g, ts_m, tc_pl;
byte ln_g = 1, ln_m = IDENTITY;
bit asking, after_reset = 1;
byte asked, rq;

/* Bounds and observers. */
byte faults = FAULTS, resets = RESETS, delays = DELAYS, wishes = WISHES;
byte calm, differ, cause, by;
bit told, late, bad;

hidden byte k, fr, to, fl, ep, ec, g, m, id, pg, a, s;
hidden byte k2, fr2, to2, fl2, ep2, ec2, g2, m2, id2, pg2, a2, s2;
byte ev, pev;	/* 0 between steps */
hidden byte n, e, res, todo, mark, refuse, strange;
/* What the tables want done, in this order; then a message of theirs, then another one. */
hidden byte do_abort, do_stage, do_back, do_switch, do_load, say, say_flags;
hidden byte ob, ob_fl, ob_id, ob_g, ob_s;

/* ---- streams ---- */

#define MARKED		(tr??[MARKER, _, _, _, _, _, _, _, _, _, _, _])

inline r_put(kind, flags, i_, g_, a_, s_)
{
	strange = (kind == MSG_HELLO && r_cand != 0);
	if
	:: len(rt) < ROOM ->
		rt!kind, r_inc, (strange -> r_cand : r_peer),
		   (flags | (r_peer != 0 && !strange -> KNOWN : 0) | (MARKED -> 0 : AFTER_GRACE)), SINCE_SWITCH | SINCE_CHALLENGE,
		   (strange -> HEARD | r_c : (r_peer != 0 -> HEARD | r_h : 0)),
		   rc_g, rk_m, i_, g_, a_, s_
	:: else -> late = 1
	fi
}

inline t_put(kind, flags, i_, g_, a_, s_)
{
	strange = (kind == MSG_HELLO && t_cand != 0);
	if
	:: len(tr) < ROOM ->
		tr!kind, t_inc, (strange -> t_cand : t_peer),
		   (flags | (t_peer != 0 && !strange -> KNOWN : 0)), SINCE_SWITCH | SINCE_CHALLENGE,
		   (strange -> HEARD | t_c : (t_peer != 0 -> HEARD | t_h : 0)),
		   tc_g, tk_m, i_, g_, a_, s_
	:: else -> late = 1
	fi
}

inline put_marker(kind)
{
	assert(len(tr) < CAP);
	tr!kind, 0, 0, 0, 0, 0, tc_g, tc_m, 0, 0, 0, tc_m
}

inline put_request()
{
	assert(len(rt) < CAP);
	rt!REQUEST, 0, 0, 0, 0, 0, 0, 0, 0, rs_g, rq, rs_m
}

/* What is in @ch was sent before: takes @sent off, and @answers. */
inline age(ch, sent, answers)
{
	n = len(ch);
	do
	:: n > 0 ->
		ch?k2, fr2, to2, fl2, ep2, ec2, g2, m2, id2, pg2, a2, s2;
		ch!k2, fr2, to2, fl2, (ep2 & ~(sent)), (ec2 & ~(answers)), g2, m2, id2, pg2, a2, s2;
		n--
	:: else -> break
	od
}

inline nothing_to_do()
{
	do_abort = 0; do_stage = 0; do_back = 0; do_switch = 0; do_load = 0; say = 0; say_flags = 0
}

/* ---- what the tables call ---- */

inline rx_send_PROPOSE()	{ say = MSG_PROPOSE }
inline rx_send_GO()		{ say = MSG_GO }
inline rx_send_CONFIRM()	{ say = MSG_CONFIRM }
inline rx_stage()		{ do_stage = 1 }
inline rx_abort()		{ do_abort = 1 }
inline rxp_send_PLAN()		{ say = MSG_PLAN }
inline rxp_load()		{ do_load = 1 }
inline tx_send_ACCEPT()		{ say = MSG_ACCEPT }
inline tx_send_REJECT()		{ say = MSG_REJECT }
inline tx_ask_HEARTBEAT()	{ say = MSG_HEARTBEAT; say_flags = ASK }
inline tx_forget()		{ t_ast = 0 }
inline tx_stage()		{ do_stage = 1 }
inline tx_stage_back()		{ do_back = 1 }
inline tx_switch()		{ do_switch = 1 }
inline tx_abort()		{ do_abort = 1 }
inline txp_load()		{ do_load = 1 }
inline txp_send_PLANNED()	{ say = MSG_PLANNED }

/* ---- R ---- */

inline r_carry_out()
{
	if
	:: do_abort && !asking && rs_g == r_ng -> rs_g = 0; rs_m = 0
	:: else
	fi;
	if
	:: do_stage && (refuse || asking) -> ev = RXE_REFUSED
	:: do_stage && !(refuse || asking) -> rs_g = r_ng; rs_m = r_nm; ev = RXE_STAGED
	:: else
	fi;
	if
	:: do_load && (refuse || asking) -> pev = RXPE_FAILED
	:: do_load && !(refuse || asking) ->
		rc_pl = (r_pst >= RXP_LOADING -> r_pl : 0);
		pev = RXPE_LOADED
	:: else
	fi;
	if
	:: say == MSG_PLAN -> r_put(say, 0, r_pid, rc_g, r_pl, r_pl)
	:: say != 0 && say != MSG_PLAN -> r_put(say, 0, r_id, r_ng, r_mv, r_nm)
	:: else
	fi
}

inline r_run()
{
	do
	:: mark != 0 ->
		age(rt, mark, 0);
		age(tr, 0, mark);
		t_h = t_h & ~mark; t_c = t_c & ~mark;
		mark = 0
	:: mark == 0 && ev != NONE ->
		e = ev; ev = NONE; nothing_to_do();
		rx_step(e);
#ifdef BUG_BOUND
		if
		:: e == RXE_WITHDRAW && r_st == RX_GO -> r_st = RX_IDLE; do_abort = 1
		:: else
		fi;
#endif
		r_carry_out()
	:: mark == 0 && ev == NONE && pev != NONE ->
		e = pev; pev = NONE; nothing_to_do(); rxp_step(e); r_carry_out()
	:: else -> break
	od;
	if
	:: ob != 0 -> r_put(ob, ob_fl, 0, 0, 0, 0)
	:: else
	fi
}

/* lane_proto_rx_map(): the card's map is another one. */
inline r_map()
{
	if
	:: r_st == RX_GO && rc_g == r_ng && rc_m == r_nm -> ev = RXE_SWITCHED; pev = RXPE_RESET
	:: else ->
		ev = RXE_RESET;
		ob = (r_peer != 0 -> MSG_HEARTBEAT : 0);
		if
		:: r_pst >= RXP_LOADING && BY_PLAN(r_pl, rk_m, rc_m) ->
			pev = RXPE_CARD; r_pl = KEEP(r_pl, rc_m)
		:: else -> pev = RXPE_RESET
		fi
	fi;
	rk_m = rc_m;
	mark = SINCE_SWITCH
}

/* The marker of the staged map, or of the fall-back, if its sum is right. */
inline r_marker()
{
	ln_g = g; ln_m = m;
	if
	:: g == 1 && s == IDENTITY && (rc_g != 1 || rc_m != IDENTITY) ->
		rc_g = 1; rc_m = IDENTITY; rc_pl = 0;
		if
		:: asking -> asking = 0; asked = 0; rq = 0; rs_g = 0; rs_m = 0
		:: else
		fi;
		r_map()
#ifdef BUG_SUM
	:: g != 1 && rs_g == g ->
#else
	:: g != 1 && rs_g == g && rs_m == s ->
#endif
		rc_g = rs_g; rc_m = rs_m; rs_g = 0; rs_m = 0;
		rc_pl = (asking -> KEEP(rc_pl, rc_m) : 0);
		asking = 0; asked = 0; rq = 0;
		r_map()
	:: else
	fi
}

inline r_hear()
{
	r_cand = 0; r_c = 0; r_h = ep; r_ku = ((fl & KNOWN) != 0); r_rg = g; r_rm = m
}

/* meet_stranger(), take_peer() */
inline r_stranger()
{
	if
	:: to == r_inc && (ec & HEARD) && (r_peer == 0 || (fr == r_cand && (ec & SINCE_CHALLENGE))) ->
		r_peer = fr;
		r_hear();
		ev = RXE_RESET; pev = RXPE_RESET;
		ob = (fl & KNOWN -> MSG_HEARTBEAT : MSG_HELLO)
	:: else ->
		if
		:: fr == r_cand && (fl & COPY)
		:: else ->
			mark = (fr != r_cand -> SINCE_CHALLENGE : 0);
			r_cand = fr; r_c = ep; ob = MSG_HELLO
		fi
	fi
}

inline r_from_peer()
{
	r_hear();
	/* lane_proto_rx_judge(): two maps of one generation are wrong for certain. */
	if
	:: g == rc_g && m != rk_m && (ec & SINCE_SWITCH) -> told = 1
	:: else
	fi;
	if
	:: k == MSG_HELLO && !(fl & KNOWN) -> ob = MSG_HELLO
	:: k == MSG_HEARTBEAT && (fl & ASK) -> ob = MSG_HEARTBEAT
	:: k == MSG_ACCEPT && r_st != RX_IDLE && id == r_id && pg == r_ng -> ev = RXE_ACCEPT
	:: k == MSG_REJECT && r_st != RX_IDLE && id == r_id && pg == r_ng -> ev = RXE_REJECT
	:: k == MSG_PLANNED && id == r_pid && pg == rc_g && s == r_pl ->
		pev = (fl & REASON -> RXPE_REFUSED : RXPE_PLANNED)
	:: else
	fi
}

inline r_receive()
{
	tr?k, fr, to, fl, ep, ec, g, m, id, pg, a, s;
	if
	:: k == MARKER -> r_marker()
	:: k == REMAP -> ln_g = g; ln_m = m
	:: k < MARKER && r_peer != 0 && fr == r_peer && to == r_inc && (fl & COPY)
	:: k < MARKER && r_peer != 0 && fr == r_peer && to == r_inc && !(fl & COPY) -> r_from_peer()
	:: k == MSG_HELLO && !(r_peer != 0 && fr == r_peer && to == r_inc) -> r_stranger()
	:: else
	fi
}

#define R_AGREED	(r_peer != 0 && r_rg == rc_g && r_rm == rk_m)
#define R_INTRODUCES	(r_peer == 0 || !r_ku || r_cand != 0)

inline r_beat()
{
	if
	:: R_INTRODUCES -> ob = MSG_HELLO
	:: else -> ob = MSG_HEARTBEAT; ob_fl = (R_AGREED -> 0 : ASK)
	fi
}

inline r_acts(why)
{
	ob = 0; ob_fl = 0; mark = 0;
	refuse = ((why & REFUSED) != 0);
	if
	:: (why & 15) != POLICY -> ev = NONE; pev = NONE
	:: else
	fi;
	if
	:: (why & 15) == RECEIVE -> r_receive()
	:: (why & 15) == TICK ->
		/* What the card could not forget before. */
		if
		:: r_pst < RXP_LOADING -> rc_pl = 0
		:: else
		fi;
		ev = RXE_TIMEOUT;
		pev = (r_pst == RXP_PROPOSED -> RXPE_TIMEOUT : NONE);
		r_beat()
	:: (why & 15) == TIMEOUT -> ev = RXE_TIMEOUT
	:: (why & 15) == BEAT -> r_beat()
	:: (why & 15) == RENEW -> pev = RXPE_TIMEOUT
	:: (why & 15) == VERIFY -> r_map()
	:: else
	fi;
	r_run()
}

/* ---- T ---- */

#define T_AGREES	(t_rg == tc_g && t_rm == tk_m)

#define JUDGE		1	/* still to do: what follows the first events */
#define JUDGE_FRESH	2
#define BODY		3
#define GREET		4

inline t_carry_out()
{
	if
	:: do_abort && ts_g == t_ng -> ts_g = 0; ts_m = 0
	:: else
	fi;
	if
	:: do_stage && (refuse || t_ng != tc_g + 1) -> ev = TXE_REFUSED
	:: do_stage && !(refuse || t_ng != tc_g + 1) -> ts_g = t_ng; ts_m = t_nm; ev = TXE_STAGED
	:: do_back ->
		/* Without a fault there is none. */
		assert(faults < FAULTS || resets < RESETS || late);
		assert(told);
		t_ng = 1; t_nm = IDENTITY; t_id = 0;
		if
		:: refuse -> ev = TXE_REFUSED
		:: else -> ts_g = 1; ts_m = IDENTITY; ev = TXE_STAGED
		fi
	:: do_switch && (refuse || ts_g == 0) -> ev = TXE_SWITCH_FAILED
	:: do_switch && !(refuse || ts_g == 0) ->
		tc_g = ts_g; tc_m = ts_m; ts_g = 0; ts_m = 0; tc_pl = 0;
		after_reset = after_reset && tc_g == 1;
		put_marker(MARKER);
		ev = TXE_SWITCHED; pev = TXPE_RESET;
		tk_m = tc_m; t_ast = 0; mark = SINCE_SWITCH
	:: else
	fi;
	if
	:: do_load && refuse -> pev = TXPE_FAILED
	:: do_load && !refuse -> tc_pl = (t_pst >= TXP_LOADING -> t_pl : 0); pev = TXPE_LOADED
	:: else
	fi;
	if
	:: say == MSG_PLANNED ->
		t_put(say, (t_pst == TXP_LOADED -> 0 : REASON), t_pid, tc_g, 0, t_pl)
	:: say != 0 && say != MSG_PLANNED ->
		if
		:: say == MSG_ACCEPT -> t_hold = 0
		:: else
		fi;
		t_put(say, say_flags, t_id, t_ng, 0, t_nm)
	:: else
	fi
}

/* lane_proto_tx_judge() */
inline t_judge(is_fresh)
{
	if
	:: T_AGREES -> t_ast = 0; ev = TXE_AGREED
#ifdef BUG_ECHO
	:: !T_AGREES ->
#else
	:: !T_AGREES && (is_fresh || (ec & SINCE_SWITCH)) ->
#endif
#ifndef BUG_TOLD
		told = 1;
#endif
		t_ast = (t_ast < 2 -> t_ast + 1 : 2);
		/* What is said after the grace time is said when the marker has arrived. */
		if
#ifdef BUG_GRACE
		:: true -> ev = TXE_ASTRAY
#else
		:: is_fresh || (t_ast == 2 && (fl & AFTER_GRACE)) -> ev = TXE_ASTRAY
#endif
		:: else
		fi
	:: else
	fi
#ifdef BUG_FALLBACK
	; ev = (ev == TXE_ASTRAY -> NONE : ev)
#endif
}

#define IS_STAGED	(t_id != 0 && id == t_id && pg == t_ng && s == t_nm)
#define CAN_STAGE	(t_st == TX_IDLE || t_st == TX_STAGED || t_st == TX_UNCONFIRMED)
#define PLAN_FITS	(pg == tc_g && T_AGREES && !(L0(a) != 0 && IN(tc_m, L0(a))) && \
			 !(L1(a) != 0 && IN(tc_m, L1(a))))

inline t_answer(kind, flags)
{
	ob = kind; ob_fl = flags; ob_id = id; ob_g = pg; ob_s = s
}

/* from_peer(), lane_proto_tx_proposal(), lane_proto_tx_go(), lane_proto_tx_plan() */
inline t_body()
{
	res = APPLY(tc_m, a);
	if
	:: k == MSG_HELLO && !(fl & KNOWN) -> t_answer(MSG_HELLO, 0)
	:: k == MSG_HEARTBEAT && (fl & ASK) -> t_answer(MSG_HEARTBEAT, 0)
	:: k == MSG_PROPOSE && t_st == TX_STAGED && IS_STAGED -> ev = TXE_AGAIN
	:: k == MSG_PROPOSE && !(t_st == TX_STAGED && IS_STAGED) && CAN_STAGE ->
		if
#ifdef BUG_CHECK
		:: pg == tc_g + 1 -> t_nm = res; t_id = id; t_ng = pg; ev = TXE_PROPOSE
#else
		:: pg == tc_g + 1 && T_AGREES && L0(res) != L1(res) && res == s ->
			t_nm = s; t_id = id; t_ng = pg; ev = TXE_PROPOSE
#endif
		:: else -> t_answer(MSG_REJECT, 0)
		fi
	:: k == MSG_GO && IS_STAGED && t_st == TX_STAGED -> ev = TXE_GO
	:: k == MSG_GO && IS_STAGED && t_st == TX_SWITCHING
	:: k == MSG_GO && !(IS_STAGED && (t_st == TX_STAGED || t_st == TX_SWITCHING)) ->
		if
		:: IS_STAGED && tc_g == pg && tc_m == s -> t_answer(MSG_HEARTBEAT, 0)
		:: else -> t_answer(MSG_REJECT, 0)
		fi
	:: k == MSG_PLAN && !PLAN_FITS -> t_answer(MSG_PLANNED, REASON)
	:: k == MSG_PLAN && PLAN_FITS && a == 0 -> pev = TXPE_EMPTY
	:: k == MSG_PLAN && PLAN_FITS && a != 0 && t_pst == TXP_LOADED && t_pl == a ->
		t_pid = id; pev = TXPE_AGAIN
	:: k == MSG_PLAN && PLAN_FITS && a != 0 && !(t_pst == TXP_LOADED && t_pl == a) ->
		t_pl = a; t_pid = id; pev = TXPE_PLAN
	:: else
	fi
}

inline t_run()
{
	do
	:: mark != 0 ->
		age(tr, mark, 0);
		age(rt, 0, mark);
		r_h = r_h & ~mark; r_c = r_c & ~mark;
		mark = 0
	:: mark == 0 && ev != NONE ->
		e = ev; ev = NONE; nothing_to_do();
		n = t_st;
		tx_step(e);
		/* tx_refused() */
		say = (e == TXE_REFUSED && n == TX_STAGING -> MSG_REJECT : say);
		t_carry_out()
	:: mark == 0 && ev == NONE && pev != NONE ->
		e = pev; pev = NONE; nothing_to_do(); txp_step(e); t_carry_out()
	:: mark == 0 && ev == NONE && pev == NONE && todo == JUDGE -> todo = BODY; t_judge(false)
	:: mark == 0 && ev == NONE && pev == NONE && todo == JUDGE_FRESH -> todo = GREET; t_judge(true)
	:: mark == 0 && ev == NONE && pev == NONE && todo == BODY -> todo = 0; t_body()
	:: mark == 0 && ev == NONE && pev == NONE && todo == GREET ->
		todo = 0; ob = (fl & KNOWN -> MSG_HEARTBEAT : MSG_HELLO)
	:: else -> break
	od;
	if
	:: ob != 0 -> t_put(ob, ob_fl, ob_id, ob_g, 0, ob_s)
	:: else
	fi
}

/* lane_proto_tx_map(): the card's map became another one by itself. */
inline t_map()
{
	if
	:: t_pst >= TXP_LOADING && BY_PLAN(t_pl, tk_m, tc_m) ->
		t_pl = KEEP(t_pl, tc_m); pev = TXPE_CARD
	:: else -> pev = TXPE_RESET
	fi;
	tk_m = tc_m; t_ast = 0; mark = SINCE_SWITCH;
	ev = TXE_FOREIGN
}

/* The card gets a request for a standby switch. */
inline t_request()
{
	if
	:: pg == tc_g && s == tc_m -> put_marker(MARKER)
	:: pg == tc_g + 1 && ts_g == 0 && tc_pl != 0 && WITHIN(a, tc_pl) && APPLY(tc_m, a) == s ->
		tc_g = pg; tc_m = s; tc_pl = KEEP(tc_pl, tc_m); after_reset = 0;
		put_marker(MARKER);
		t_map()
	:: else
	fi
}

inline t_hear()
{
	t_cand = 0; t_c = 0; t_h = ep; t_ku = ((fl & KNOWN) != 0); t_rg = g; t_rm = m
}

inline t_stranger()
{
	if
	:: to == t_inc && (ec & HEARD) && (t_peer == 0 || (fr == t_cand && (ec & SINCE_CHALLENGE))) ->
		t_peer = fr;
		t_hear();
		ev = TXE_PEER_RESET; pev = TXPE_RESET; todo = JUDGE_FRESH
	:: else ->
		if
		:: fr == t_cand && (fl & COPY)
		:: else ->
			mark = (fr != t_cand -> SINCE_CHALLENGE : 0);
			t_cand = fr; t_c = ep; ob = MSG_HELLO
		fi
	fi
}

inline t_receive()
{
	rt?k, fr, to, fl, ep, ec, g, m, id, pg, a, s;
	if
	:: k == REQUEST -> t_request()
	:: k < MARKER && t_peer != 0 && fr == t_peer && to == t_inc && (fl & COPY)
	:: k < MARKER && t_peer != 0 && fr == t_peer && to == t_inc && !(fl & COPY) ->
		t_hear(); todo = JUDGE
	:: k == MSG_HELLO && !(t_peer != 0 && fr == t_peer && to == t_inc) -> t_stranger()
	:: else
	fi
}

#define T_AGREED	(t_peer != 0 && T_AGREES)
#define T_INTRODUCES	(t_peer == 0 || !t_ku || t_cand != 0)

inline t_beat()
{
	if
	:: T_INTRODUCES -> ob = MSG_HELLO
	:: else -> ob = MSG_HEARTBEAT; ob_fl = (T_AGREED -> 0 : ASK)
	fi
}

inline t_acts(why)
{
	ev = NONE; pev = NONE; ob = 0; ob_fl = 0; ob_id = 0; ob_g = 0; ob_s = 0; mark = 0; todo = 0;
	refuse = ((why & REFUSED) != 0);
	if
	:: (why & 15) == RECEIVE -> t_receive()
	:: (why & 15) == TICK ->
		/* stage_hold_ns is longer than it takes to repeat GO. */
		t_hold = (t_st == TX_STAGED -> t_hold + 1 : 0);
		ev = (t_hold == 1 -> NONE : TXE_TIMEOUT);
		t_hold = (t_hold == 2 -> 0 : t_hold);
		if
		:: after_reset && (rc_g != 1 || rc_m != IDENTITY) -> put_marker(MARKER)
		:: else
		fi;
		t_beat()
	:: (why & 15) == TIMEOUT -> ev = TXE_TIMEOUT; t_hold = 0
	:: (why & 15) == BEAT -> t_beat()
	:: (why & 15) == VERIFY -> t_map()
	:: else
	fi;
	t_run()
}

#define QUIET		(len(tr) == 0 && len(rt) == 0)

/* ---- the cards by themselves ---- */

/* The receiver's repeats its request, once here, and then gives up. */
inline ask_again()
{
	if
	:: asked < 1 -> asked++; put_request()
	:: else ->
		/* That of a request that is still on its way is a fault. */
		late = late || !QUIET;
		asking = 0; asked = 0; rq = 0; rs_g = 0; rs_m = 0; rc_pl = 0
	fi
}

/* A lane of R's map goes dark: its card asks for what the plan says. */
inline lose(what)
{
	rq = what; rs_m = APPLY(rc_m, what); rs_g = rc_g + 1;
	asking = 1; asked = 0;
	put_request()
}

inline reset_r()
{
	r_inc++;
	r_st = RX_IDLE; r_pst = RXP_NONE; r_id = 0; r_mv = 0; r_ng = 0; r_nm = 0; r_pid = 0; r_pl = 0;
	r_peer = 0; r_cand = 0; r_h = 0; r_c = 0; r_ku = 0; r_rg = 0; r_rm = 0;
	rc_g = 1; rc_m = IDENTITY; rk_m = IDENTITY; rs_g = 0; rs_m = 0; rc_pl = 0;
	asking = 0; asked = 0; rq = 0
}

inline reset_t()
{
	t_inc++;
	t_st = TX_IDLE; t_pst = TXP_NONE; t_id = 0; t_ng = 0; t_nm = 0; t_pid = 0; t_pl = 0;
	t_peer = 0; t_cand = 0; t_h = 0; t_c = 0; t_ku = 0; t_rg = 0; t_rm = 0; t_ast = 0; t_hold = 0;
	tc_g = 1; tc_m = IDENTITY; tk_m = IDENTITY; ts_g = 0; ts_m = 0; tc_pl = 0; after_reset = 1;
	put_marker(REMAP)
}

/* ---- properties ---- */

#define SAME		(rc_g == tc_g && rc_m == tc_m)
#define SETTLED		(SAME && ln_g == rc_g && ln_m == rc_m && rs_g == 0 && ts_g == 0 && !asking && \
			 r_st == RX_IDLE && t_st == TX_IDLE && r_peer == t_inc && t_peer == r_inc && \
			 R_AGREED && T_AGREED)

/* At each tick. */
inline count()
{
	calm = (calm < TICKS -> calm + 1 : TICKS);
	if
	:: SAME -> differ = 0; told = 0
	:: else -> differ = (calm == 1 -> 1 : (differ <= TOLD_TICKS -> differ + 1 : differ))
	fi
}

inline check()
{
	bad = bad && !(SAME && ln_g == rc_g && ln_m == rc_m && len(tr) == 0);
	/* (a) No symbol is read by another map than it was sent by. */
	assert(bad || rc_g != ln_g || rc_m == ln_m);
	/* (b) No lane carries two logical lanes, nor is about to. */
	assert(L0(rc_m) != L1(rc_m) && L0(tc_m) != L1(tc_m) && L0(ln_m) != L1(ln_m));
	assert(!(rs_g && L0(rs_m) == L1(rs_m)) && !(ts_g && L0(ts_m) == L1(ts_m)));
	/* (c) The ends agree again. */
	assert(calm < TICKS || SETTLED);
	/* (d) A difference is told of. */
	assert(differ <= TOLD_TICKS || told)
}

/* ---- the world ---- */

inline drop(ch)
{
	ch?_, _, _, _, _, _, _, _, _, _, _, _
}

/* The first once more, right behind itself. */
inline repeat(ch)
{
	ch?k, fr, to, fl, ep, ec, g, m, id, pg, a, s;
	n = len(ch);
	ch!k, fr, to, fl, ep, ec, g, m, id, pg, a, s;
	ch!k, fr, to, fl | COPY, ep, ec, g, m, id, pg, a, s;
	do
	:: n > 0 ->
		ch?k, fr, to, fl, ep, ec, g, m, id, pg, a, s;
		ch!k, fr, to, fl, ep, ec, g, m, id, pg, a, s;
		n--
	:: else -> break
	od;
	n = 0
}

/* The first is a marker: the message that was sent after it goes before it. */
inline overtake()
{
	tr?k, fr, to, fl, ep, ec, g, m, id, pg, a, s;
	tr?k2, fr2, to2, fl2, ep2, ec2, g2, m2, id2, pg2, a2, s2;
	n = len(tr);
	if
	:: k2 < MARKER ->
		tr!k2, fr2, to2, fl2, ep2, ec2, g2, m2, id2, pg2, a2, s2;
		tr!k, fr, to, fl, ep, ec, g, m, id, pg, a, s
	:: else ->
		tr!k, fr, to, fl, ep, ec, g, m, id, pg, a, s;
		tr!k2, fr2, to2, fl2, ep2, ec2, g2, m2, id2, pg2, a2, s2
	fi;
	do
	:: n > 0 ->
		tr?k, fr, to, fl, ep, ec, g, m, id, pg, a, s;
		tr!k, fr, to, fl, ep, ec, g, m, id, pg, a, s;
		n--
	:: else -> break
	od;
	n = 0
}

#define HEAD(ch, kind)	(ch?[kind, _, _, _, _, _, _, _, _, _, _, _])
#define SPARE		FREE(rc_m)
#define KNOWS		(r_peer != 0 && r_rg == rc_g && r_rm == rk_m && rc_g < GENS && SPARE != 0)

/* lane_proto_propose(), lane_proto_plan() */
inline r_propose(what)
{
	r_mv = what; r_nm = APPLY(rc_m, what); r_ng = rc_g + 1; ids++; r_id = ids;
	ev = RXE_PROPOSE; pev = NONE
}

inline r_plan(what)
{
	ids++; r_pid = ids; r_pl = what;
	ev = NONE; pev = (what == 0 -> RXPE_DROP : RXPE_PLAN)
}

#define WISH_PROPOSE	1
#define WISH_WITHDRAW	2
#define WISH_PLAN	3

active proctype world()
{
	do
	:: atomic {
		/* What happens next... */
		if
		:: len(tr) > 0 -> cause = RECEIVE
		:: len(rt) > 0 -> cause = RECEIVE | AT_T
		/* Nothing is on its way: the card's timers, then the hosts'. */
		:: QUIET && asking -> d_step { ask_again() }
		:: QUIET && !asking && rk_m != rc_m -> cause = VERIFY
		:: QUIET && !asking && rk_m == rc_m && tk_m != tc_m -> cause = VERIFY | AT_T
		:: QUIET && !asking && rk_m == rc_m && tk_m == tc_m -> cause = TICK

		/* Timers that go off before that. */
		:: delays > 0 && !QUIET && asking -> d_step { delays--; calm = 0; ask_again() }
		:: delays > 0 && RESETS > 0 && !QUIET && after_reset -> d_step { delays--; calm = 0; put_marker(MARKER) }
		:: delays > 0 && !QUIET && (r_st == RX_PROPOSED || r_st == RX_GO) -> delays--; cause = TIMEOUT
		:: delays > 0 && !QUIET -> delays--; cause = BEAT
		:: delays > 0 && !QUIET -> delays--; cause = BEAT | AT_T
		:: delays > 0 && !QUIET && (t_st == TX_STAGED || t_st == TX_UNCONFIRMED) ->
			delays--; cause = TIMEOUT | AT_T
		:: delays > 0 && (r_pst == RXP_PROPOSED || r_pst == RXP_LOADED) -> delays--; cause = RENEW

		:: delays > 0 && len(tr) > 1 && HEAD(tr, MARKER) -> d_step { delays--; calm = 0; overtake() }

		/* The policy, and lanes that die. */
		:: wishes > 0 && KNOWS && r_st != RX_GO ->
			wishes--; cause = POLICY; ev = WISH_PROPOSE; by = SPARE << 2
		:: wishes > 0 && KNOWS && r_st != RX_GO ->
			wishes--; cause = POLICY; ev = WISH_PROPOSE; by = SPARE
#ifdef BUG_BOUND
		:: wishes > 0 && r_st == RX_GO -> wishes--; cause = POLICY; ev = WISH_WITHDRAW
#endif
		:: wishes > 0 && (r_st == RX_PROPOSED || r_st == RX_STAGING) ->
			wishes--; cause = POLICY; ev = WISH_WITHDRAW
		:: wishes > 0 && KNOWS -> wishes--; cause = POLICY; ev = WISH_PLAN; by = SPARE << 2 | SPARE
		:: wishes > 0 && KNOWS && SPARE == 2 && !IN(rc_m, 3) ->
			wishes--; cause = POLICY; ev = WISH_PLAN; by = 2 << 2 | 3
		:: wishes > 0 && KNOWS && r_pst != RXP_NONE -> wishes--; cause = POLICY; ev = WISH_PLAN; by = 0
		:: wishes > 0 && L0(rc_pl) != 0 && !IN(rc_m, L0(rc_pl)) && rs_g == 0 && rc_g < GENS ->
			d_step { wishes--; calm = 0; lose(L0(rc_pl) << 2) }
		:: wishes > 0 && L1(rc_pl) != 0 && !IN(rc_m, L1(rc_pl)) && rs_g == 0 && rc_g < GENS ->
			d_step { wishes--; calm = 0; lose(L1(rc_pl)) }

		/* Faults. A marker met by nobody: what follows is by the new map all the same. */
		:: faults > 0 && HEAD(tr, MARKER) ->
			d_step { faults--; calm = 0; tr?_, _, _, _, _, _, ln_g, ln_m, _, _, _, _ }
		:: faults > 0 && len(tr) > 0 && !HEAD(tr, MARKER) && !HEAD(tr, REMAP) ->
			d_step { faults--; calm = 0; drop(tr) }
		:: faults > 0 && len(rt) > 0 -> d_step { faults--; calm = 0; drop(rt) }
		:: faults > 0 && len(tr) > 0 && len(tr) < CAP && !HEAD(tr, MARKER) && !HEAD(tr, REMAP) ->
			d_step { faults--; calm = 0; repeat(tr) }
		:: faults > 0 && len(rt) > 0 && len(rt) < CAP && !HEAD(rt, REQUEST) ->
			d_step { faults--; calm = 0; repeat(rt) }
		:: faults > 0 && (HEAD(tr, MSG_ACCEPT) || HEAD(tr, MSG_PLANNED)) ->
			faults--; calm = 0; cause = RECEIVE | REFUSED
		:: faults > 0 && (HEAD(rt, MSG_PROPOSE) || HEAD(rt, MSG_GO) || HEAD(rt, MSG_PLAN) ||
				  (t_ast > 0 && len(rt) > 0)) ->
			faults--; calm = 0; cause = RECEIVE | REFUSED | AT_T
#ifdef CORRUPT
		:: faults > 0 && !bad && SPARE != 0 ->
			d_step { faults--; calm = 0; bad = 1; rc_m = SPARE << 2 | L1(rc_m) }
		:: faults > 0 && !bad && FREE(tc_m) != 0 ->
			d_step {
				faults--; calm = 0; bad = 1; tc_m = FREE(tc_m) << 2 | L1(tc_m);
				put_marker(REMAP)
			}
#endif
		:: resets > 0 -> d_step { resets--; calm = 0; reset_r() }
		:: resets > 0 -> d_step { resets--; calm = 0; reset_t() }
		fi;

		/* ...and what the ends make of it. */
		d_step {
			if
			:: (cause & 15) == TIMEOUT || (cause & 15) == BEAT || (cause & 15) == RENEW -> calm = 0
			:: (cause & 15) == POLICY ->
				calm = 0;
				if
				:: ev == WISH_PROPOSE -> r_propose(by)
				:: ev == WISH_PLAN -> r_plan(by)
				:: else -> ev = RXE_WITHDRAW; pev = NONE
				fi
			:: else
			fi;
			if
			:: cause != 0 && !(cause & AT_T) -> r_acts(cause)
			:: else
			fi;
			n = 0
		};
		d_step {
			if
			:: cause & AT_T || cause == TICK -> t_acts(cause)
			:: else
			fi;
			if
			:: cause == TICK -> count()
			:: else
			fi;
			/* For whoever looks at a trail (spin -t). */
			printf("%d: R %d plan %d map %d.%d staged %d.%d%c T %d plan %d map %d.%d staged %d.%d calm %d\n",
			       cause, r_st, rc_pl, rc_g, rc_m, rs_g, rs_m, (asking -> 33 : 32), t_st,
			       tc_pl, tc_g, tc_m, ts_g, ts_m, calm);
			cause = 0; by = 0; ev = 0; pev = 0;
			check()
		}
	}
	od
}
