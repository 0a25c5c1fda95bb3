/* SPDX-License-Identifier: GPL-2.0 */
/* The tables of proto_{rx,tx,plan}.c: made by lane_spin --rules. */

#define MSG_HELLO	1
#define MSG_HEARTBEAT	2
#define MSG_PROPOSE	3
#define MSG_ACCEPT	4
#define MSG_REJECT	5
#define MSG_GO	6
#define MSG_CONFIRM	7
#define MSG_PLAN	8
#define MSG_PLANNED	9

#define RX_IDLE	1
#define RX_PROPOSED	2
#define RX_STAGING	3
#define RX_GO	4

#define RXE_PROPOSE	0
#define RXE_WITHDRAW	1
#define RXE_ACCEPT	2
#define RXE_REJECT	3
#define RXE_STAGED	4
#define RXE_REFUSED	5
#define RXE_SWITCHED	6
#define RXE_RESET	7
#define RXE_TIMEOUT	8

#define TX_IDLE	1
#define TX_STAGING	2
#define TX_STAGED	3
#define TX_SWITCHING	4
#define TX_UNCONFIRMED	5
#define TX_BACK_STAGING	6
#define TX_BACK_SWITCHING	7

#define TXE_PROPOSE	0
#define TXE_AGAIN	1
#define TXE_GO	2
#define TXE_STAGED	3
#define TXE_REFUSED	4
#define TXE_SWITCHED	5
#define TXE_SWITCH_FAILED	6
#define TXE_FOREIGN	7
#define TXE_AGREED	8
#define TXE_ASTRAY	9
#define TXE_PEER_RESET	10
#define TXE_TIMEOUT	11

#define RXP_NONE	1
#define RXP_PROPOSED	2
#define RXP_LOADING	3
#define RXP_LOADED	4

#define RXPE_PLAN	0
#define RXPE_DROP	1
#define RXPE_PLANNED	2
#define RXPE_REFUSED	3
#define RXPE_LOADED	4
#define RXPE_FAILED	5
#define RXPE_CARD	6
#define RXPE_RESET	7
#define RXPE_TIMEOUT	8
#define RXPE_GIVE_UP	9

#define TXP_NONE	1
#define TXP_LOADING	2
#define TXP_LOADED	3

#define TXPE_PLAN	0
#define TXPE_AGAIN	1
#define TXPE_EMPTY	2
#define TXPE_LOADED	3
#define TXPE_FAILED	4
#define TXPE_CARD	5
#define TXPE_RESET	6

inline rx_step(ev)
{
	if
	:: r_st == RX_IDLE && ev == RXE_PROPOSE -> r_st = RX_PROPOSED; rx_send_PROPOSE();
	:: r_st == RX_PROPOSED && ev == RXE_PROPOSE -> r_st = RX_PROPOSED; rx_send_PROPOSE();
	:: r_st == RX_PROPOSED && ev == RXE_WITHDRAW -> r_st = RX_IDLE;
	:: r_st == RX_PROPOSED && ev == RXE_ACCEPT -> r_st = RX_STAGING; rx_stage();
	:: r_st == RX_PROPOSED && ev == RXE_REJECT -> r_st = RX_IDLE;
	:: r_st == RX_PROPOSED && ev == RXE_RESET -> r_st = RX_IDLE;
	:: r_st == RX_PROPOSED && ev == RXE_TIMEOUT -> r_st = RX_PROPOSED; rx_send_PROPOSE();
	:: r_st == RX_STAGING && ev == RXE_PROPOSE -> r_st = RX_PROPOSED; rx_abort(); rx_send_PROPOSE();
	:: r_st == RX_STAGING && ev == RXE_WITHDRAW -> r_st = RX_IDLE; rx_abort();
	:: r_st == RX_STAGING && ev == RXE_REJECT -> r_st = RX_IDLE; rx_abort();
	:: r_st == RX_STAGING && ev == RXE_STAGED -> r_st = RX_GO; rx_send_GO();
	:: r_st == RX_STAGING && ev == RXE_REFUSED -> r_st = RX_IDLE; rx_abort();
	:: r_st == RX_STAGING && ev == RXE_RESET -> r_st = RX_IDLE; rx_abort();
	:: r_st == RX_GO && ev == RXE_REJECT -> r_st = RX_IDLE; rx_abort();
	:: r_st == RX_GO && ev == RXE_SWITCHED -> r_st = RX_IDLE; rx_send_CONFIRM();
	:: r_st == RX_GO && ev == RXE_RESET -> r_st = RX_IDLE; rx_abort();
	:: r_st == RX_GO && ev == RXE_TIMEOUT -> r_st = RX_GO; rx_send_GO();
	:: else
	fi
}

inline tx_step(ev)
{
	if
	:: t_st == TX_IDLE && ev == TXE_PROPOSE -> t_st = TX_STAGING; tx_stage();
	:: t_st == TX_IDLE && ev == TXE_FOREIGN -> t_st = TX_UNCONFIRMED; tx_ask_HEARTBEAT();
	:: t_st == TX_IDLE && ev == TXE_ASTRAY -> t_st = TX_BACK_STAGING; tx_stage_back();
	:: t_st == TX_STAGING && ev == TXE_STAGED -> t_st = TX_STAGED; tx_send_ACCEPT();
	:: t_st == TX_STAGING && ev == TXE_REFUSED -> t_st = TX_IDLE; tx_abort();
	:: t_st == TX_STAGING && ev == TXE_FOREIGN -> t_st = TX_UNCONFIRMED; tx_ask_HEARTBEAT();
	:: t_st == TX_STAGED && ev == TXE_PROPOSE -> t_st = TX_STAGING; tx_stage();
	:: t_st == TX_STAGED && ev == TXE_AGAIN -> t_st = TX_STAGED; tx_send_ACCEPT();
	:: t_st == TX_STAGED && ev == TXE_GO -> t_st = TX_SWITCHING; tx_switch();
	:: t_st == TX_STAGED && ev == TXE_FOREIGN -> t_st = TX_UNCONFIRMED; tx_abort(); tx_ask_HEARTBEAT();
	:: t_st == TX_STAGED && ev == TXE_ASTRAY -> t_st = TX_BACK_STAGING; tx_abort(); tx_stage_back();
	:: t_st == TX_STAGED && ev == TXE_PEER_RESET -> t_st = TX_IDLE; tx_abort();
	:: t_st == TX_STAGED && ev == TXE_TIMEOUT -> t_st = TX_IDLE; tx_abort();
	:: t_st == TX_SWITCHING && ev == TXE_SWITCHED -> t_st = TX_UNCONFIRMED; tx_ask_HEARTBEAT();
	:: t_st == TX_SWITCHING && ev == TXE_SWITCH_FAILED -> t_st = TX_IDLE; tx_abort(); tx_send_REJECT();
	:: t_st == TX_SWITCHING && ev == TXE_FOREIGN -> t_st = TX_UNCONFIRMED; tx_ask_HEARTBEAT();
	:: t_st == TX_SWITCHING && ev == TXE_TIMEOUT -> t_st = TX_SWITCHING; tx_switch();
	:: t_st == TX_UNCONFIRMED && ev == TXE_PROPOSE -> t_st = TX_STAGING; tx_stage();
	:: t_st == TX_UNCONFIRMED && ev == TXE_FOREIGN -> t_st = TX_UNCONFIRMED; tx_ask_HEARTBEAT();
	:: t_st == TX_UNCONFIRMED && ev == TXE_AGREED -> t_st = TX_IDLE;
	:: t_st == TX_UNCONFIRMED && ev == TXE_ASTRAY -> t_st = TX_BACK_STAGING; tx_stage_back();
	:: t_st == TX_UNCONFIRMED && ev == TXE_TIMEOUT -> t_st = TX_UNCONFIRMED; tx_ask_HEARTBEAT();
	:: t_st == TX_BACK_STAGING && ev == TXE_STAGED -> t_st = TX_BACK_SWITCHING; tx_switch();
	:: t_st == TX_BACK_STAGING && ev == TXE_REFUSED -> t_st = TX_UNCONFIRMED; tx_forget();
	:: t_st == TX_BACK_STAGING && ev == TXE_FOREIGN -> t_st = TX_UNCONFIRMED; tx_ask_HEARTBEAT();
	:: t_st == TX_BACK_SWITCHING && ev == TXE_SWITCHED -> t_st = TX_UNCONFIRMED; tx_ask_HEARTBEAT();
	:: t_st == TX_BACK_SWITCHING && ev == TXE_SWITCH_FAILED -> t_st = TX_UNCONFIRMED; tx_abort(); tx_forget();
	:: t_st == TX_BACK_SWITCHING && ev == TXE_FOREIGN -> t_st = TX_UNCONFIRMED; tx_ask_HEARTBEAT();
	:: t_st == TX_BACK_SWITCHING && ev == TXE_TIMEOUT -> t_st = TX_BACK_SWITCHING; tx_switch();
	:: else
	fi
}

inline rxp_step(ev)
{
	if
	:: r_pst == RXP_NONE && ev == RXPE_PLAN -> r_pst = RXP_PROPOSED; rxp_send_PLAN();
	:: r_pst == RXP_PROPOSED && ev == RXPE_PLAN -> r_pst = RXP_PROPOSED; rxp_send_PLAN();
	:: r_pst == RXP_PROPOSED && ev == RXPE_DROP -> r_pst = RXP_NONE; rxp_send_PLAN();
	:: r_pst == RXP_PROPOSED && ev == RXPE_PLANNED -> r_pst = RXP_LOADING; rxp_load();
	:: r_pst == RXP_PROPOSED && ev == RXPE_REFUSED -> r_pst = RXP_NONE;
	:: r_pst == RXP_PROPOSED && ev == RXPE_RESET -> r_pst = RXP_NONE;
	:: r_pst == RXP_PROPOSED && ev == RXPE_TIMEOUT -> r_pst = RXP_PROPOSED; rxp_send_PLAN();
	:: r_pst == RXP_PROPOSED && ev == RXPE_GIVE_UP -> r_pst = RXP_NONE;
	:: r_pst == RXP_LOADING && ev == RXPE_PLAN -> r_pst = RXP_PROPOSED; rxp_load(); rxp_send_PLAN();
	:: r_pst == RXP_LOADING && ev == RXPE_DROP -> r_pst = RXP_NONE; rxp_load(); rxp_send_PLAN();
	:: r_pst == RXP_LOADING && ev == RXPE_LOADED -> r_pst = RXP_LOADED;
	:: r_pst == RXP_LOADING && ev == RXPE_FAILED -> r_pst = RXP_NONE;
	:: r_pst == RXP_LOADING && ev == RXPE_CARD -> r_pst = RXP_LOADED;
	:: r_pst == RXP_LOADING && ev == RXPE_RESET -> r_pst = RXP_NONE; rxp_load();
	:: r_pst == RXP_LOADED && ev == RXPE_PLAN -> r_pst = RXP_PROPOSED; rxp_load(); rxp_send_PLAN();
	:: r_pst == RXP_LOADED && ev == RXPE_DROP -> r_pst = RXP_NONE; rxp_load(); rxp_send_PLAN();
	:: r_pst == RXP_LOADED && ev == RXPE_PLANNED -> r_pst = RXP_LOADED; rxp_load();
	:: r_pst == RXP_LOADED && ev == RXPE_REFUSED -> r_pst = RXP_NONE; rxp_load();
	:: r_pst == RXP_LOADED && ev == RXPE_RESET -> r_pst = RXP_NONE; rxp_load();
	:: r_pst == RXP_LOADED && ev == RXPE_TIMEOUT -> r_pst = RXP_LOADED; rxp_send_PLAN();
	:: else
	fi
}

inline txp_step(ev)
{
	if
	:: t_pst == TXP_NONE && ev == TXPE_PLAN -> t_pst = TXP_LOADING; txp_load();
	:: t_pst == TXP_LOADING && ev == TXPE_PLAN -> t_pst = TXP_LOADING; txp_load();
	:: t_pst == TXP_LOADING && ev == TXPE_EMPTY -> t_pst = TXP_NONE; txp_load();
	:: t_pst == TXP_LOADING && ev == TXPE_LOADED -> t_pst = TXP_LOADED; txp_send_PLANNED();
	:: t_pst == TXP_LOADING && ev == TXPE_FAILED -> t_pst = TXP_NONE; txp_send_PLANNED();
	:: t_pst == TXP_LOADING && ev == TXPE_CARD -> t_pst = TXP_LOADED;
	:: t_pst == TXP_LOADING && ev == TXPE_RESET -> t_pst = TXP_NONE; txp_load();
	:: t_pst == TXP_LOADED && ev == TXPE_PLAN -> t_pst = TXP_LOADING; txp_load();
	:: t_pst == TXP_LOADED && ev == TXPE_AGAIN -> t_pst = TXP_LOADED; txp_send_PLANNED();
	:: t_pst == TXP_LOADED && ev == TXPE_EMPTY -> t_pst = TXP_NONE; txp_load();
	:: t_pst == TXP_LOADED && ev == TXPE_RESET -> t_pst = TXP_NONE; txp_load();
	:: else
	fi
}

