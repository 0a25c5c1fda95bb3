/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading the arguments of a command. What fails has said why and returns ST_USAGE or
 * ST_FAILED; 0 is success.
 */
#ifndef PNIC_TOOL_ARGS_H
#define PNIC_TOOL_ARGS_H

#include "pnic.h"

/* The next argument, or NULL; taken, or only looked at. */
char *arg_next(struct pnic *p);
const char *arg_peek(struct pnic *p);
/* Nothing may be left. */
int arg_end(struct pnic *p);
/* The next argument as one of @words: its value, or negative and it was said: -status. */
int arg_word(struct pnic *p, const struct names *words, const char *what);
/* Takes the next argument if it is @word or an abbreviation of at least one letter. */
bool arg_is(struct pnic *p, const char *word);

int arg_u32(struct pnic *p, const char *what, uint32_t max, uint32_t *value);
int arg_u64(struct pnic *p, const char *what, uint64_t *value);
/* "N" or "N-M". */
int arg_range(struct pnic *p, const char *what, uint32_t *first, uint32_t *last);

/* The device that the next argument names: pnicN, N, or a PCI address. */
int arg_dev(struct pnic *p, struct dev *dev);
/* The same, or every device if no argument is left. */
int arg_devs(struct pnic *p, struct list *devs);
/* DEV FILE, and no more; without a file the usage error is @ask. */
int arg_dev_file(struct pnic *p, struct dev *dev, const char **path, const char *ask);
/* Every device, whatever the arguments are. */
int arg_all_devs(struct pnic *p, struct list *devs);
/* The device of that number; NULL if it has gone. */
const struct dev *dev_of(const struct list *devs, uint32_t index);

/* A decimal number, or 0x and a hexadecimal one; whole text. 0, -1. */
int parse_u64(const char *s, uint64_t *value);

#endif /* PNIC_TOOL_ARGS_H */
