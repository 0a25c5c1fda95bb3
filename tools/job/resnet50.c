// SPDX-License-Identifier: GPL-2.0
/*
 * ResNet-50 as He et al. define it and torchvision builds it: a stem, four stages of
 * 3, 4, 6 and 3 bottleneck blocks, a classifier of 1000 classes. Only the shapes.
 */
#include <stdarg.h>
#include <stdio.h>

#include "resnet50.h"

struct builder {
	struct tensor *t;
	size_t n;
};

__attribute__((format(printf, 3, 4)))
static void add(struct builder *b, uint64_t elements, const char *fmt, ...)
{
	struct tensor *t = &b->t[b->n++];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->name, sizeof(t->name), fmt, ap);
	va_end(ap);
	t->elements = elements;
}

/* A convolution without bias and the batch normalisation behind it. */
static void add_conv_bn(struct builder *b, const char *prefix, const char *conv, const char *bn,
			unsigned int in, unsigned int out, unsigned int kernel)
{
	add(b, (uint64_t)out * in * kernel * kernel, "%s%s.weight", prefix, conv);
	add(b, out, "%s%s.weight", prefix, bn);
	add(b, out, "%s%s.bias", prefix, bn);
}

static void add_bottleneck(struct builder *b, unsigned int stage, unsigned int block, unsigned int in,
			   unsigned int width)
{
	unsigned int out = 4 * width;
	char prefix[24];

	snprintf(prefix, sizeof(prefix), "layer%u.%u.", stage, block);
	add_conv_bn(b, prefix, "conv1", "bn1", in, width, 1);
	add_conv_bn(b, prefix, "conv2", "bn2", width, width, 3);
	add_conv_bn(b, prefix, "conv3", "bn3", width, out, 1);
	/* The first block of a stage changes the shape, so its shortcut is a convolution as well. */
	if (block == 0)
		add_conv_bn(b, prefix, "downsample.0", "downsample.1", in, out, 1);
}

void resnet50_tensors(struct tensor t[RESNET50_TENSORS])
{
	static const unsigned int blocks[4] = { 3, 4, 6, 3 };
	struct builder b = { .t = t };
	unsigned int stage, block, in = 64, width = 64;

	add_conv_bn(&b, "", "conv1", "bn1", 3, 64, 7);
	for (stage = 0; stage < 4; stage++, width *= 2) {
		for (block = 0; block < blocks[stage]; block++) {
			add_bottleneck(&b, stage + 1, block, in, width);
			in = 4 * width;
		}
	}
	add(&b, (uint64_t)1000 * in, "fc.weight");
	add(&b, 1000, "fc.bias");
}
