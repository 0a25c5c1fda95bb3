// SPDX-License-Identifier: GPL-2.0
/* The tables against the spec; messages against structs; and messages that make no sense. */
#include <ctype.h>
#include <stdint.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "selftests/ktap.h"

#include "decode.h"
#include "encode.h"
#include "knobs.h"
#include "reply.h"

#define SPEC	TOP "/Documentation/netlink/specs/pnic.yaml"
#define FAMILY	31

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- the spec -------------------------------------------------------------------------------- */

/* An attribute of the spec. */
struct spec {
	char set[32], name[32], type[16], nested[32], enumeration[32];
	bool multi, bits;
	unsigned long min, max;
};

static struct spec spec[512];
static unsigned int specs;

static bool value_of(const char *line, const char *key, char *to)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len))
		return false;
	sscanf(line + len, " %31[^ \n]", to);
	return true;
}

/* The lines that matter, by their indent: enough for this one file. */
static void read_spec(void)
{
	char line[512], set[32] = "", word[32];
	bool inside = false, subset = false;
	struct spec *s = NULL;
	FILE *f = fopen(SPEC, "r");

	REQUIRE(f);
	for (specs = 0; fgets(line, sizeof(line), f);) {
		if (!strncmp(line, "attribute-sets:", 15) || !strncmp(line, "operations:", 11))
			inside = line[0] == 'a';
		if (!inside)
			continue;
		if (value_of(line, "    name:", set))
			subset = false;
		if (value_of(line, "    subset-of:", word))
			subset = true;
		if (subset)
			continue;
		if (value_of(line, "        name:", word)) {
			REQUIRE(specs < 512);
			s = &spec[specs++];
			memset(s, 0, sizeof(*s));
			strcpy(s->name, word);
			strcpy(s->set, set);
		}
		if (!s)
			continue;
		value_of(line, "        type:", s->type);
		value_of(line, "        nested-attributes:", s->nested);
		value_of(line, "        enum:", s->enumeration);
		s->multi |= value_of(line, "        multi-attr: true", word);
		s->bits |= value_of(line, "        enum-as-flags: true", word);
		if (!strncmp(line, "        checks:", 15)) {
			if (strstr(line, "min:"))
				s->min = strtoul(strstr(line, "min:") + 4, NULL, 0);
			if (strstr(line, "max:"))
				s->max = strtoul(strstr(line, "max:") + 4, NULL, 0);
		}
	}
	fclose(f);
}

static const struct field_set *set_named(const char *name)
{
	unsigned int i;

	for (i = 0; field_sets[i]; i++)
		if (!strcmp(field_sets[i]->name, name))
			return field_sets[i];
	return NULL;
}

static const char *type_name(const struct field *f)
{
	static const char *const names[] = {
		[F_U8] = "u8", [F_U32] = "u32", [F_S32] = "s32", [F_UINT] = "uint",
		[F_STR] = "string", [F_FLAG] = "flag", [F_NEST] = "nest",
	};

	return names[f->kind];
}

/* Every attribute of the spec is in the tables, in its order, as what it is; and no other. */
KTAP_TEST(tables_are_the_spec)
{
	const struct field_set *set = NULL;
	const struct field *f;
	unsigned int i, n = 0, total = 0;

	read_spec();
	CHECK_GT(specs, 200);
	for (i = 0; i < specs; i++) {
		if (!i || strcmp(spec[i].set, spec[i - 1].set)) {
			set = set_named(spec[i].set);
			n = 0;
		}
		if (!set || n >= set->n) {
			ktap_failed(__FILE__, __LINE__, "%s of %s is not in the tables",
				    spec[i].name, spec[i].set);
			continue;
		}
		f = &set->fields[n++];
		total++;
		CHECK_STREQ(f->name, spec[i].name);
		CHECK_EQ(f->attr, n);
		if (f->kind == F_REQUEST)
			continue;
		CHECK_STREQ(type_name(f), spec[i].type);
		CHECK_EQ(f->multi, spec[i].multi);
		CHECK_EQ(f->bits, spec[i].bits);
		CHECK_EQ(!!f->names, !!*spec[i].enumeration);
		if (f->kind == F_NEST)
			CHECK_STREQ(f->sub->name, spec[i].nested);
	}
	for (i = 0; field_sets[i]; i++)
		total -= field_sets[i]->n;
	CHECK_EQ(total, 0);
}

KTAP_TEST(knobs_are_the_spec)
{
	const struct knob *k = knobs;
	unsigned int i;

	read_spec();
	for (i = 0; i < specs; i++) {
		if (strcmp(spec[i].set, "policy") || !strcmp(spec[i].name, "dev-index") ||
		    !strcmp(spec[i].name, "revision") || !strcmp(spec[i].name, "reset"))
			continue;
		REQUIRE(k->name);
		CHECK_STREQ(k->name, spec[i].name);
		CHECK_EQ(k->min, spec[i].min);
		CHECK_EQ(k->max, spec[i].max);
		CHECK_STREQ(field_of(&policy_set, k->attr)->name, k->name);
		k++;
	}
	CHECK(!k->name);
}

/* The words of an enum are those of the spec. */
static void check_enum(const char *name, const struct names *names)
{
	char line[512], word[32] = "", head[48];
	bool inside = false, entries = false;
	FILE *f = fopen(SPEC, "r");
	unsigned int n = 0;
	char *s;

	REQUIRE(f);
	snprintf(head, sizeof(head), "    name: %s\n", name);
	while (fgets(line, sizeof(line), f) && strncmp(line, "attribute-sets", 14)) {
		if (!strncmp(line, "    name:", 9))
			inside = !strcmp(line, head);
		if (!inside)
			continue;
		entries |= !strncmp(line, "    entries:", 12);
		/* On one line, or one by one. */
		for (s = strchr(line, '['); s && *s && *s != ']'; s++) {
			s += strcspn(s, "abcdefghijklmnopqrstuvwxyz]");
			if (*s == ']' || n >= names->n)
				break;
			CHECK(!strncmp(s, names->name[n], strlen(names->name[n])));
			s += strlen(names->name[n++]) - 1;
		}
		if (value_of(line, "        name:", word)) {
			REQUIRE(n < names->n);
			CHECK_STREQ(names->name[n], word);
			n++;
		}
	}
	CHECK(entries);
	CHECK_EQ(n, names->n);
	fclose(f);
}

KTAP_TEST(words_are_the_spec)
{
	check_enum("dev-status", &dev_status_names);
	check_enum("striping", &striping_names);
	check_enum("link-status", &link_status_names);
	check_enum("direction", &direction_names);
	check_enum("alarm", &alarm_names);
	check_enum("lane-status", &lane_status_names);
	check_enum("lane-action", &lane_action_names);
	check_enum("actor", &actor_names);
	check_enum("object-kind", &object_kind_names);
	CHECK_EQ(lane_status_names.first, PNIC_LANE_STATUS_SPARE);
	CHECK_EQ(name_value(&lane_status_names, "testing"), PNIC_LANE_STATUS_TESTING);
	CHECK_EQ(1 << name_value(&alarm_names, "table-bad"), PNIC_ALARM_TABLE_BAD);
}

/* --- structs there and back ------------------------------------------------------------------ */

static void *filled(const struct field_set *set, unsigned int seed)
{
	char *obj = calloc(1, set->size);
	const struct field *f;
	unsigned int i;

	for (f = set->fields; f < set->fields + set->n; f++) {
		char *at = obj + f->off;

		if (f->kind == F_REQUEST)
			continue;
		if (f->multi && f->kind != F_NEST) {
			for (i = 0; i < 3; i++) {
				at = list_add((struct list *)(obj + f->off), f->size);
				memset(at, 'a' + i, f->kind == F_STR ? 5 : f->size);
			}
			continue;
		}
		if (f->multi || f->kind == F_NEST) {
			void *sub = filled(f->sub, seed + 7);

			if (f->multi)
				at = list_add((struct list *)at, f->size);
			memcpy(at, sub, f->size);
			free(sub);
			continue;
		}
		if (f->kind == F_STR)
			snprintf(at, f->size, "text %u", seed + f->attr);
		else if (f->kind == F_FLAG)
			*(bool *)at = true;
		else if (f->kind == F_UINT)
			*(uint64_t *)at = (f->attr & 1 ? 1ull << 40 : 0) + seed + f->attr;
		else if (f->kind == F_U8)
			*at = 1;
		else
			*(uint32_t *)at = f->kind == F_S32 ? (uint32_t)-5 : seed + f->attr;
	}
	encode_has_all(set, obj);
	return obj;
}

static void check_same(const struct field_set *set, const void *a, const void *b)
{
	struct bytes x = {}, y = {};

	encode(&x, set, a);
	encode(&y, set, b);
	CHECK_EQ(x.n, y.n);
	CHECK(x.n == y.n && !memcmp(x.p, y.p, x.n));
	bytes_free(&x);
	bytes_free(&y);
}

KTAP_TEST(there_and_back)
{
	struct bytes b = {};
	char why[128] = "";
	void *obj, *back;
	unsigned int i;

	for (i = 0; field_sets[i]; i++)
		SUBTEST("%s", field_sets[i]->name) {
			obj = filled(field_sets[i], 100);
			back = calloc(1, field_sets[i]->size);
			encode(&b, field_sets[i], obj);
			CHECK_EQ(decode(field_sets[i], b.p, b.n, back, why, sizeof(why)), 0);
			CHECK_STREQ(why, "");
			check_same(field_sets[i], obj, back);
			CHECK_GT(b.n, 8);
			bytes_free(&b);
			fields_clear(field_sets[i], obj);
			fields_clear(field_sets[i], back);
			free(obj);
			free(back);
		}
}

/* Cut anywhere: an error or what came until there, never more than there is. */
KTAP_TEST(cut_anywhere)
{
	struct bytes b = {};
	unsigned int i, bad = 0;
	char why[128], *cut;
	size_t n;

	for (i = 0; field_sets[i]; i++) {
		void *obj = filled(field_sets[i], 5), *back = calloc(1, field_sets[i]->size);

		encode(&b, field_sets[i], obj);
		for (n = 0; n < b.n; n++) {
			/* Its own allocation, for the sanitizer to see a byte too many. */
			cut = malloc(n ? n : 1);
			memcpy(cut, b.p, n);
			bad += !!decode(field_sets[i], cut, n, back, why, sizeof(why));
			fields_clear(field_sets[i], back);
			free(cut);
		}
		bytes_free(&b);
		fields_clear(field_sets[i], obj);
		free(obj);
		free(back);
	}
	CHECK_GT(bad, 1000);
}

static int decode_one(unsigned int attr, const void *p, size_t n, struct lane *l, char *why)
{
	struct bytes b = {};
	int ret;

	memset(l, 0, sizeof(*l));
	encode_attr(&b, attr, p, n);
	ret = decode(&lane_set, b.p, b.n, l, why, 128);
	bytes_free(&b);
	return ret;
}

KTAP_TEST(lengths)
{
	char why[128] = "";
	struct lane l;

	CHECK_EQ(decode_one(PNIC_A_LANE_INDEX, "\1\0\0\0", 4, &l, why), 0);
	CHECK_EQ(l.index, 1);
	CHECK(HAS(&l, PNIC_A_LANE_INDEX));
	CHECK_EQ(decode_one(PNIC_A_LANE_INDEX, "\1\0", 2, &l, why), -1);
	CHECK_STREQ(why, "attribute index of lane does not have 4 bytes");
	CHECK_EQ(decode_one(PNIC_A_LANE_MBITS, "\1\0\0\0\0\0\0\1", 8, &l, why), 0);
	CHECK_EQ(l.mbits, 0x0100000000000001);
	CHECK_EQ(decode_one(PNIC_A_LANE_MBITS, "\1\0\0\0", 4, &l, why), 0);
	CHECK_EQ(l.mbits, 1);
	CHECK_EQ(decode_one(PNIC_A_LANE_MBITS, "\1\0\0\0", 3, &l, why), -1);
	CHECK_EQ(decode_one(PNIC_A_LANE_ERASED, "", 0, &l, why), 0);
	CHECK(l.erased);
	CHECK_EQ(decode_one(PNIC_A_LANE_ERASED, "\1", 1, &l, why), -1);
	/* A newer kernel's attribute; and one that only requests have. */
	CHECK_EQ(decode_one(60, "abc", 3, &l, why), 0);
	CHECK_EQ(decode_one(PNIC_A_LANE_FIRST, "\1\0\0\0", 4, &l, why), 0);
	CHECK_EQ(l.has, 0);
}

KTAP_TEST(text)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "plain", "plain" },
		{ "a\033[31mb", "a?[31mb" },
		{ "line\nfeed\ttab\177", "line?feed?tab?" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xc3(", "?(" },
		{ "\xc0\x80", "??" },
		{ "\xed\xa0\x80", "???" },
		{ "\xc2\x9b" "31m", "??31m" },
		{ "\xff\xfe", "??" },
		{ "cut \xe2\x82", "cut ??" },
	};
	char to[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		decode_text(to, sizeof(to), t[i].in, strlen(t[i].in));
		CHECK_STREQ(to, t[i].out);
	}
	/* Cut between characters, not within one. */
	decode_text(to, 3, "a\xc3\xa4", 3);
	CHECK_STREQ(to, "a");
	decode_text(to, 1, "abc", 3);
	CHECK_STREQ(to, "");
}

/* --- replies --------------------------------------------------------------------------------- */

static int count(void *arg, uint8_t cmd, const void *attrs, size_t len)
{
	(void)cmd;
	(void)attrs;
	(void)len;
	++*(unsigned int *)arg;
	return 0;
}

KTAP_TEST(replies)
{
	unsigned int n = 0;
	struct reply r = { .family = FAMILY, .seq = 7, .fn = count, .arg = &n };
	struct lane l = { .index = 1 };
	struct bytes b = {};

	encode_has_all(&lane_set, &l);
	message_data(&b, FAMILY, NLM_F_MULTI, 6, PNIC_CMD_LANE_GET, &lane_set, &l);
	message_data(&b, FAMILY, NLM_F_MULTI, 7, PNIC_CMD_LANE_GET, &lane_set, &l);
	message_data(&b, FAMILY, NLM_F_MULTI, 7, PNIC_CMD_LANE_GET, &lane_set, &l);
	CHECK_EQ(reply_datagram(&r, b.p, b.n), 0);
	CHECK_EQ(n, 2);
	CHECK(!r.done);
	bytes_free(&b);
	message_done(&b, NLM_F_DUMP_INTR, 7);
	CHECK_EQ(reply_datagram(&r, b.p, b.n), 0);
	CHECK(r.done);
	CHECK(r.interrupted);
	CHECK_EQ(r.error, 0);
	bytes_free(&b);
}

KTAP_TEST(refusals)
{
	struct reply r = { .family = FAMILY, .seq = 7 };
	struct bytes b = {};
	size_t at;

	message_error(&b, 7, EBUSY, "the margin would fall", 28);
	CHECK_EQ(reply_datagram(&r, b.p, b.n), 0);
	CHECK(r.done);
	CHECK_EQ(r.error, EBUSY);
	CHECK_STREQ(r.text, "the margin would fall");
	CHECK_EQ(r.attr_offset, 28);
	bytes_free(&b);

	/* The request's body before the kernel's words, and a range. */
	memset(&r, 0, sizeof(r));
	r.family = FAMILY;
	at = message_begin(&b, NLMSG_ERROR, NLM_F_ACK_TLVS, 7);
	{
		struct nlmsgerr e = { .error = -ERANGE, .msg = { .nlmsg_len = NLMSG_HDRLEN + 12 } };
		struct bytes policy = {};
		uint64_t low = 1, high = 9;

		bytes_add(&b, &e, sizeof(e));
		bytes_add(&b, "request body", 12);
		encode_string(&b, NLMSGERR_ATTR_MSG, "integer out of range");
		encode_attr(&policy, NL_POLICY_TYPE_ATTR_MIN_VALUE_U, &low, 8);
		encode_attr(&policy, NL_POLICY_TYPE_ATTR_MAX_VALUE_U, &high, 8);
		encode_attr(&b, NLMSGERR_ATTR_POLICY | NLA_F_NESTED, policy.p, policy.n);
		bytes_free(&policy);
	}
	message_end(&b, at);
	CHECK_EQ(reply_datagram(&r, b.p, b.n), 0);
	CHECK_EQ(r.error, ERANGE);
	CHECK_STREQ(r.text, "integer out of range");
	CHECK(r.has_range);
	CHECK_EQ(r.low, 1);
	CHECK_EQ(r.high, 9);
	bytes_free(&b);
}

KTAP_TEST(replies_without_sense)
{
	struct reply r = { .family = FAMILY };
	struct nlmsghdr h = { .nlmsg_len = 8, .nlmsg_type = FAMILY };

	CHECK_EQ(reply_datagram(&r, &h, 3), -1);
	CHECK_EQ(reply_datagram(&r, &h, sizeof(h)), -1);
	h.nlmsg_len = 100;
	CHECK_EQ(reply_datagram(&r, &h, sizeof(h)), -1);
	h.nlmsg_len = sizeof(h);
	CHECK_EQ(reply_datagram(&r, &h, sizeof(h)), -1);
	h.nlmsg_type = NLMSG_ERROR;
	CHECK_EQ(reply_datagram(&r, &h, sizeof(h)), -1);
	CHECK(!r.done);
}

/* --- noise ----------------------------------------------------------------------------------- */

static void one_datagram(struct bytes *b, unsigned int set)
{
	void *obj = filled(field_sets[set], set);

	message_data(b, FAMILY, 0, 0, set, field_sets[set], obj);
	message_error(b, 0, EINVAL, "no", 24);
	message_done(b, 0, 0);
	fields_clear(field_sets[set], obj);
	free(obj);
}

/* PNIC_TOOL_ROUNDS and PNIC_TOOL_SEED in the environment change the run. */
static unsigned int setting(const char *name, unsigned int usual)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : usual;
}

KTAP_TEST(noise)
{
	unsigned int seed = setting("PNIC_TOOL_SEED", 1);
	unsigned int rounds = setting("PNIC_TOOL_ROUNDS", 60000), i, k, sets = 0;
	struct bytes b = {};
	uint8_t *copy;

	while (field_sets[sets])
		sets++;
	ktap_say("seed %u, %u rounds", seed, rounds);
	for (i = 0; i < rounds; i++) {
		if (!(i % 64)) {
			bytes_free(&b);
			one_datagram(&b, i / 64 % sets);
		}
		copy = malloc(b.n);
		memcpy(copy, b.p, b.n);
		for (k = rand_r(&seed) % 8; k; k--)
			copy[rand_r(&seed) % b.n] = rand_r(&seed);
		LLVMFuzzerTestOneInput(copy, b.n - (rand_r(&seed) & 1 ? rand_r(&seed) % b.n : 0));
		free(copy);
	}
	bytes_free(&b);
}

KTAP_MAIN()
