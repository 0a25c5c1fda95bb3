// SPDX-License-Identifier: GPL-2.0
/*
 * pnic-allreduce: one rank of a ring all-reduce over a pnic card.
 *
 * Reduces the gradients of a data-parallel training step of ResNet-50, or the bytes of a file, with
 * the other ranks, and compares every byte of the result with a reference that never crossed a NIC.
 * Started once for each card, by the guest's job script or by hand. Exit status: 0 all right, 1 a wrong
 * byte or a lost transfer or the card failed, 2 wrong usage or input.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring.h"

#define FIRST_BUCKET	(1ULL << 20)	/* DistributedDataParallel's, bytes */
#define CHUNK_ELEMENTS	(512u * 1024 / 4)
#define SMALL		64		/* --small: so many times smaller in everything */
#define DEFAULT_STEPS	6		/* long enough to watch, in an emulated machine too */
#define START_MS	120000
#define STALL_MS	60000

struct options {
	unsigned int rank, ranks, steps, bucket_mib;
	const char *dev, *input, *dir;
	bool small, json;
	uint64_t seed;
};

static const char usage_text[] =
"usage: pnic-allreduce --rank R --ranks N --rendezvous DIR [options]\n"
"  --rank R          which rank this is, from 0\n"
"  --ranks N         how many there are, 2 to 8\n"
"  --rendezvous DIR  a new, empty directory that all ranks see\n"
"  --dev NAME        the card (pnicR)\n"
"  --input FILE      reduce the bytes of a file instead of gradients\n"
"  --steps K         training steps (6)\n"
"  --bucket-mib M    size of a bucket (25)\n"
"  --small           1/64 of the data, for a quick test\n"
"  --seed S          of the gradients (1)\n"
"  --json            one JSON object a line\n";

__attribute__((noreturn))
static void usage(const char *what)
{
	fprintf(stderr, "pnic-allreduce: %s\n%s", what, usage_text);
	exit(2);
}

static uint64_t number(const char *name, const char *text, uint64_t low, uint64_t high)
{
	char what[120], *end;
	uint64_t val;

	errno = 0;
	val = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || val < low || val > high) {
		snprintf(what, sizeof(what), "--%s %.30s: not a number from %llu to %llu", name, text,
			 (unsigned long long)low, (unsigned long long)high);
		usage(what);
	}
	return val;
}

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "rank",	required_argument, NULL, 'r' },
		{ "ranks",	required_argument, NULL, 'n' },
		{ "rendezvous",	required_argument, NULL, 'd' },
		{ "dev",	required_argument, NULL, 'v' },
		{ "input",	required_argument, NULL, 'i' },
		{ "steps",	required_argument, NULL, 'k' },
		{ "bucket-mib",	required_argument, NULL, 'b' },
		{ "small",	no_argument, NULL, 's' },
		{ "seed",	required_argument, NULL, 'e' },
		{ "json",	no_argument, NULL, 'j' },
		{ "help",	no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool have_rank = false;
	int opt, index = 0;

	while ((opt = getopt_long(argc, argv, "", options, &index)) != -1) {
		switch (opt) {
		case 'r':
			o->rank = (unsigned int)number("rank", optarg, 0, 7);
			have_rank = true;
			break;
		case 'n':
			o->ranks = (unsigned int)number("ranks", optarg, 2, 8);
			break;
		case 'd':
			o->dir = optarg;
			break;
		case 'v':
			o->dev = optarg;
			break;
		case 'i':
			o->input = optarg;
			break;
		case 'k':
			o->steps = (unsigned int)number("steps", optarg, 1, 1000000);
			break;
		case 'b':
			o->bucket_mib = (unsigned int)number("bucket-mib", optarg, 1, 1024);
			break;
		case 's':
			o->small = true;
			break;
		case 'e':
			o->seed = number("seed", optarg, 0, UINT64_MAX);
			break;
		case 'j':
			o->json = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		default:
			usage("unknown option, or one without its value");
		}
	}
	if (optind < argc)
		usage("too many arguments");
	if (!have_rank || !o->ranks || !o->dir)
		usage("--rank, --ranks and --rendezvous are needed");
	if (o->rank >= o->ranks)
		usage("--rank must be below --ranks");
}

/* Maps the input. Missing, empty, not a file: one line, status 2. */
static void open_input(const char *path, struct data *d)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "pnic-allreduce: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	if (!S_ISREG(st.st_mode) || !st.st_size) {
		fprintf(stderr, "pnic-allreduce: %s: %s\n", path, S_ISREG(st.st_mode) ? "empty" : "not a file");
		exit(2);
	}
	d->bytes = (uint64_t)st.st_size;
	d->file = mmap(NULL, d->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (d->file == MAP_FAILED) {
		fprintf(stderr, "pnic-allreduce: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	close(fd);
}

static int make_plan(const struct options *o, const struct data *d, struct plan *p)
{
	uint64_t limit = (uint64_t)o->bucket_mib << 20, first = FIRST_BUCKET;
	struct tensor t[RESNET50_TENSORS];
	unsigned int i;

	if (o->small) {
		limit /= SMALL;
		first /= SMALL;
	}
	if (d->file)
		return plan_flat(p, (d->bytes + 3) / 4, limit);
	resnet50_tensors(t);
	for (i = 0; o->small && i < RESNET50_TENSORS; i++)
		t[i].elements = (t[i].elements + SMALL - 1) / SMALL;
	return plan_tensors(p, t, RESNET50_TENSORS, first, limit);
}

/* Pinned memory counts against a limit whose soft value is often far below what is allowed. */
static void raise_memlock(void)
{
	struct rlimit lim;

	if (!getrlimit(RLIMIT_MEMLOCK, &lim) && lim.rlim_cur != lim.rlim_max) {
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &lim);
	}
}

int main(int argc, char **argv)
{
	struct options o = { .steps = DEFAULT_STEPS, .bucket_mib = 25, .seed = 1 };
	struct report report = { .out = stdout };
	struct ring_config ring = { .start_ms = START_MS, .stall_ms = STALL_MS };
	struct tally tally = { 0 };
	struct data data = { 0 };
	struct plan plan;
	char dev[16];
	int err;

	parse(argc, argv, &o);
	data.seed = o.seed;
	data.ranks = o.ranks;
	if (o.input)
		open_input(o.input, &data);
	report.json = o.json;
	report.rank = o.rank;
	err = make_plan(&o, &data, &plan);
	if (err) {
		report_error(&report, "no memory for the plan");
		return 1;
	}
	report.total = (data.file ? data.bytes : plan.elements * 4) * o.steps;
	raise_memlock();
	snprintf(dev, sizeof(dev), "pnic%u", o.rank);
	err = pnic_open(o.dev ? o.dev : dev, NULL, &ring.ctx);
	if (err) {
		report_error(&report, "%s", pnic_last_error());
		rendezvous_fail(o.dir);
		return 1;
	}
	ring.data = &data;
	ring.plan = &plan;
	ring.report = &report;
	ring.dir = o.dir;
	ring.rank = o.rank;
	ring.ranks = o.ranks;
	ring.steps = o.steps;
	ring.chunk = o.small ? CHUNK_ELEMENTS / SMALL : CHUNK_ELEMENTS;
	report_start(&report);
	err = ring_run(&ring, &tally);
	report_done(&report, &tally);
	pnic_close(ring.ctx);
	plan_free(&plan);
	return err || tally.wrong || tally.lost;
}
