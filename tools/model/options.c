// SPDX-License-Identifier: GPL-2.0
/* The command line of pnic-model; see options.h. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver/hw/pnic_admin.h"
#include "options.h"

enum {
	OPT_NICS = 256, OPT_SOCKET_DIR, OPT_CTL, OPT_SEED, OPT_PROFILE, OPT_PACE, OPT_NO_PARK,
	OPT_LANES, OPT_SPARES, OPT_STRIPE, OPT_REACH, OPT_BER, OPT_FRAME_PAYLOAD, OPT_DATA_AGE, OPT_NO_MSIX,
	OPT_DOORBELLS, OPT_SPIN, OPT_REALTIME, OPT_TRACE, OPT_NO_STANDBY, OPT_NO_LANE_TEST,
	OPT_OLD_CARD, OPT_OPT, OPT_AGE_RATE, OPT_TRACE_PLAY, OPT_EVIL,
	OPT_EVIL_PPM, OPT_HELP,
};

static const struct option long_options[] = {
	{ "nics", required_argument, NULL, OPT_NICS },
	{ "socket-dir", required_argument, NULL, OPT_SOCKET_DIR },
	{ "ctl", required_argument, NULL, OPT_CTL },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "profile", required_argument, NULL, OPT_PROFILE },
	{ "pace", required_argument, NULL, OPT_PACE },
	{ "no-park", no_argument, NULL, OPT_NO_PARK },
	{ "lanes", required_argument, NULL, OPT_LANES },
	{ "spares", required_argument, NULL, OPT_SPARES },
	{ "stripe", required_argument, NULL, OPT_STRIPE },
	{ "reach", required_argument, NULL, OPT_REACH },
	{ "ber", required_argument, NULL, OPT_BER },
	{ "frame-payload", required_argument, NULL, OPT_FRAME_PAYLOAD },
	{ "data-age", required_argument, NULL, OPT_DATA_AGE },
	{ "no-msix", no_argument, NULL, OPT_NO_MSIX },
	{ "no-standby", no_argument, NULL, OPT_NO_STANDBY },
	{ "old-card", no_argument, NULL, OPT_OLD_CARD },
	{ "no-lane-test", no_argument, NULL, OPT_NO_LANE_TEST },
	{ "doorbells", required_argument, NULL, OPT_DOORBELLS },
	{ "spin", required_argument, NULL, OPT_SPIN },
	{ "realtime", no_argument, NULL, OPT_REALTIME },
	{ "trace", required_argument, NULL, OPT_TRACE },
	{ "trace-play", required_argument, NULL, OPT_TRACE_PLAY },
	{ "opt", required_argument, NULL, OPT_OPT },
	{ "age-rate", required_argument, NULL, OPT_AGE_RATE },
	{ "evil", required_argument, NULL, OPT_EVIL },
	{ "evil-ppm", required_argument, NULL, OPT_EVIL_PPM },
	{ "help", no_argument, NULL, OPT_HELP },
	{}
};

static const char usage[] =
	"usage: pnic-model --socket-dir DIR --ctl PATH [OPTION ...]\n"
	"       pnic-model ctl --ctl PATH COMMAND [KEY=VALUE ...]\n"
	"       pnic-model gen-trace [OPTION ...]\n"
	"\n"
	"Photonic NICs in software: each is a PCIe function that QEMU attaches by vfio-user at\n"
	"DIR/nicN.sock. Prints \"ready\" when they can be attached, and ends on SIGTERM.\n"
	"\n"
	"  --nics N             1: looped onto itself, 2 (default): back to back, up to 8: by a switch\n"
	"  --socket-dir DIR     where the sockets nic0.sock... are made\n"
	"  --ctl PATH           the control socket\n"
	"\n"
	"  --profile NAME       mosaic-800g (default), avicena-512g, test-16\n"
	"  --seed S             of everything random (default 1)\n"
	"  --pace X             real seconds for a simulated one; 0 (default): as fast as it goes\n"
	"  --lanes N, --spares N  data and spare lanes in each direction\n"
	"  --stripe symbol|bit  how codewords are dealt to the lanes\n"
	"  --reach M            length of the cable in metres\n"
	"  --ber X              median bit error rate of a healthy lane\n"
	"  --frame-payload B    bytes of payload in a full frame\n"
	"  --data-age MS        how long a frame is kept while it can't be delivered\n"
	"  --age-rate H         hours of ageing in a second of link time; 0 (default): none\n"
	"  --trace-play FILE    what happens to the lanes, and when; gen-trace makes random ones\n"
	"  --opt NAME=VALUE     any number of the link by its name; \"help\" lists them\n"
	"\n"
	"  --doorbells HOW      mmap (default): mapped into the guest; trapped: each store is a message\n"
	"  --no-park            without the park capability: doorbells are polled, sleep is short\n"
	"  --no-msix            MSI instead of MSI-X\n"
	"  --no-standby         without the standby capability: lost lanes are mended by software\n"
	"  --no-lane-test       without the capability to test lanes\n"
	"  --old-card           a card of version 1.1 of the interface, without what came later\n"
	"  --evil KIND[,KIND]   cards that do wrong from the start: kinds as of \"ctl evil\", or all\n"
	"  --evil-ppm N         so many times of a million (default 10000)\n"
	"  --spin US            how long to look on after work before sleeping (default 20)\n"
	"  --realtime           goes before all else on the machine, as a card with a processor of its own\n"
	"  --trace FILE         a line for each message, reset and interrupt; - is standard error\n";

__attribute__((format(printf, 1, 2)))
static int bad(const char *fmt, ...)
{
	va_list ap;

	fputs("pnic-model: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 2;
}

static int take_uint(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *v)
{
	char *end;

	errno = 0;
	*v = strtoull(text, &end, 0);
	if (!*text || strchr(text, '-') || *end || errno || *v < min || *v > max)
		return bad("--%s: \"%s\" isn't an integer from %llu to %llu", name, text,
			   (unsigned long long)min, (unsigned long long)max);
	return OPTIONS_RUN;
}

static int take_real(const char *name, const char *text, double min, double max, double *v)
{
	char *end;

	*v = strtod(text, &end);
	if (!*text || *end || !(*v >= min && *v <= max))
		return bad("--%s: \"%s\" isn't a number from %g to %g", name, text, min, max);
	return OPTIONS_RUN;
}

/* One of two words: *@second tells which. */
static int take_word(const char *name, const char *text, const char *a, const char *b, bool *second)
{
	*second = !strcmp(text, b);
	if (!*second && strcmp(text, a))
		return bad("--%s: \"%s\" is neither %s nor %s", name, text, a, b);
	return OPTIONS_RUN;
}

static int take_profile(struct pm_link_config *k, const char *text)
{
	pm_link_config_defaults(k, text);
	return k->profile ? OPTIONS_RUN : bad("--profile: there is no \"%s\"; see --help", text);
}

/* Another number of lanes: the grid keeps its columns and gets the rows that it needs. */
static int take_lanes(struct pm_link_config *k, const char *name, const char *arg, uint64_t min,
		      uint16_t *lanes)
{
	uint64_t u;
	int r = take_uint(name, arg, min, PNIC_LANES_MAX, &u);

	if (r != OPTIONS_RUN)
		return r;
	*lanes = u;
	k->grid_y = (k->lanes_data + k->lanes_spare + k->grid_x - 1) / k->grid_x;
	return OPTIONS_RUN;
}

static int list_knobs(const struct pm_link_config *c)
{
	const struct pm_knob *k;
	unsigned int i;

	for (i = 0; (k = pm_knob_at(i)); i++)
		printf("%-16s %-10.6g %-8s %s\n", k->name, pm_knob_get(k, c), k->unit, k->help);
	return 0;
}

static int take_knob(struct pm_link_config *c, const char *name, const char *text)
{
	const struct pm_knob *k = pm_knob_find(name);
	char *end;
	double v;

	if (!k)
		return bad("--opt: there is no \"%.40s\"; --opt help lists them", name);
	v = strtod(text, &end);
	if (!*text || *end || !pm_knob_fits(k, v))
		return bad("--opt %s: \"%.40s\" isn't %s from %g to %g", name, text,
			   k->type == PM_KNOB_REAL ? "a number" : "an integer", k->min, k->max);
	pm_knob_set(k, c, v);
	return OPTIONS_RUN;
}

static int take_opt(struct pm_link_config *c, const char *arg)
{
	const char *eq = strchr(arg, '=');
	char name[41];

	if (!strcmp(arg, "help"))
		return list_knobs(c);
	if (!eq || eq == arg || (size_t)(eq - arg) >= sizeof(name))
		return bad("--opt: \"%.60s\" isn't NAME=VALUE", arg);
	memcpy(name, arg, eq - arg);
	name[eq - arg] = 0;
	return take_knob(c, name, eq + 1);
}

/* What changes a profile's values waits until the profile is known, wherever that stands. */
static int link_option(struct pm_link_config *k, int opt, const char *arg)
{
	uint64_t u;
	bool second;
	int r;

	switch (opt) {
	case OPT_LANES:
		return take_lanes(k, "lanes", arg, 1, &k->lanes_data);
	case OPT_SPARES:
		return take_lanes(k, "spares", arg, 0, &k->lanes_spare);
	case OPT_STRIPE:
		r = take_word("stripe", arg, "symbol", "bit", &second);
		k->striping = second ? PNIC_STRIPE_BIT : PNIC_STRIPE_SYMBOL;
		return r;
	case OPT_REACH:
		return take_real("reach", arg, 0, 1e6, &k->reach_m);
	case OPT_BER:
		return take_real("ber", arg, 1e-30, 0.09, &k->ber_median);
	case OPT_AGE_RATE:
		return take_real("age-rate", arg, 0, 1e12, &k->optics.age_rate);
	case OPT_OPT:
		return take_opt(k, arg);
	case OPT_FRAME_PAYLOAD:
		r = take_uint("frame-payload", arg, 64, 65536, &u);
		k->frame_payload = u;
		return r;
	case OPT_NO_STANDBY:
		k->standby = false;
		return OPTIONS_RUN;
	case OPT_NO_LANE_TEST:
		k->lane_test = false;
		return OPTIONS_RUN;
	case OPT_DATA_AGE:
		r = take_uint("data-age", arg, 1, 3600000, &u);
		k->data_age_ms = u;
		return r;
	default:
		return OPTIONS_RUN;
	}
}

static int other_option(struct options *o, int opt, const char *arg)
{
	bool second;
	uint64_t u;
	int r = OPTIONS_RUN;

	switch (opt) {
	case OPT_NICS:
		r = take_uint("nics", arg, 1, MAX_NICS, &u);
		o->fabric.nics = u;
		break;
	case OPT_SOCKET_DIR:
		o->socket_dir = arg;
		break;
	case OPT_CTL:
		o->ctl_path = arg;
		break;
	case OPT_SEED:
		r = take_uint("seed", arg, 0, UINT64_MAX, &o->fabric.seed);
		break;
	case OPT_PACE:
		r = take_real("pace", arg, 0, 1e6, &o->fabric.pace);
		break;
	case OPT_NO_PARK:
		o->fabric.park = false;
		break;
	case OPT_OLD_CARD:
		o->fabric.old_card = true;
		break;
	case OPT_NO_MSIX:
		o->nic.msix = false;
		break;
	case OPT_DOORBELLS:
		r = take_word("doorbells", arg, "mmap", "trapped", &second);
		o->nic.db_mmap = !second;
		break;
	case OPT_SPIN:
		r = take_uint("spin", arg, 0, 1000000, &u);
		o->idle.spin_ns = u * 1000;
		break;
	case OPT_REALTIME:
		o->idle.realtime = true;
		break;
	case OPT_EVIL:
		if (!pm_garble_kinds(arg, &o->evil))
			r = bad("--evil: \"%.60s\" isn't all, none, or kinds with commas between them", arg);
		break;
	case OPT_EVIL_PPM:
		r = take_uint("evil-ppm", arg, 0, 1000000, &u);
		o->evil_ppm = u;
		break;
	case OPT_TRACE:
		o->trace_path = arg;
		break;
	case OPT_TRACE_PLAY:
		o->play_path = arg;
		break;
	case OPT_PROFILE:
		r = take_profile(&o->fabric.link, arg);
		break;
	case OPT_HELP:
		fputs(usage, stdout);
		r = 0;
		break;
	default:	/* the link's, in the second pass */
		break;
	}
	return r;
}

static int one_pass(struct options *o, int argc, char **argv, bool link_pass)
{
	int opt, r;

	optind = 1;
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (opt == '?')
			return 2;
		r = link_pass ? link_option(&o->fabric.link, opt, optarg) :
		    other_option(o, opt, optarg);
		if (r != OPTIONS_RUN)
			return r;
	}
	return OPTIONS_RUN;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int r;

	memset(o, 0, sizeof(*o));
	o->fabric.nics = 2;
	o->fabric.seed = 1;
	o->fabric.park = true;
	o->nic.msix = true;
	o->nic.db_mmap = true;
	o->idle.spin_ns = 20000;
	o->evil_ppm = 10000;
	pm_link_config_defaults(&o->fabric.link, "mosaic-800g");
	r = one_pass(o, argc, argv, false);
	if (r == OPTIONS_RUN)
		r = one_pass(o, argc, argv, true);
	if (r != OPTIONS_RUN)
		return r;
	if (optind < argc)
		return bad("\"%s\" is no option", argv[optind]);
	if (!o->socket_dir || !o->ctl_path)
		return bad("--socket-dir and --ctl are needed; see --help");
	if (access(o->socket_dir, W_OK | X_OK))
		return bad("%s: %s", o->socket_dir, strerror(errno));
	if (!pm_link_config_valid(&o->fabric.link))
		return bad("there is no link of %u + %u lanes on a grid of %u x %u, with RS(%u,%u) of %u-bit symbols",
			   o->fabric.link.lanes_data, o->fabric.link.lanes_spare,
			   o->fabric.link.grid_x, o->fabric.link.grid_y, o->fabric.link.fec_n,
			   o->fabric.link.fec_k, o->fabric.link.fec_symbol_bits);
	o->fabric.link.seed = o->fabric.seed;
	o->idle.park = o->fabric.park;
	return OPTIONS_RUN;
}
