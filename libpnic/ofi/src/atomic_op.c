// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The arithmetic of atomics: each operation for each type. Who calls sees to it that nobody else does the same.
 */
#include <complex.h>

#include "pfi.h"

typedef float complex fcomplex;
typedef double complex dcomplex;
typedef long double ldouble;
typedef long double complex ldcomplex;
__extension__ typedef __int128 i128;
__extension__ typedef unsigned __int128 u128;

/* X(number, type, kind): I integers, F floating, C complex */
#define ALL_TYPES(X)				\
	X(FI_INT8, int8_t, I)			\
	X(FI_UINT8, uint8_t, I)			\
	X(FI_INT16, int16_t, I)			\
	X(FI_UINT16, uint16_t, I)		\
	X(FI_INT32, int32_t, I)			\
	X(FI_UINT32, uint32_t, I)		\
	X(FI_INT64, int64_t, I)			\
	X(FI_UINT64, uint64_t, I)		\
	X(FI_FLOAT, float, F)			\
	X(FI_DOUBLE, double, F)			\
	X(FI_FLOAT_COMPLEX, fcomplex, C)	\
	X(FI_DOUBLE_COMPLEX, dcomplex, C)	\
	X(FI_LONG_DOUBLE, ldouble, F)		\
	X(FI_LONG_DOUBLE_COMPLEX, ldcomplex, C)	\
	X(FI_INT128, i128, I)			\
	X(FI_UINT128, u128, I)

size_t pfi_atomic_size(unsigned int datatype)
{
	switch (datatype) {
#define X(number, type, kind) case number: return sizeof(type);
	ALL_TYPES(X)
#undef X
	default:
		return 0;
	}
}

static char atomic_kind(unsigned int datatype)
{
	switch (datatype) {
#define X(number, type, kind) case number: return #kind[0];
	ALL_TYPES(X)
#undef X
	default:
		return 0;
	}
}

bool pfi_atomic_valid(unsigned int kind, unsigned int datatype, unsigned int op)
{
	char type = atomic_kind(datatype);

	if (!type)
		return false;
	switch (op) {
	case FI_MIN:
	case FI_MAX:
		return kind != WIRE_ATOMIC_COMPARE && type != 'C';
	case FI_SUM:
	case FI_PROD:
	case FI_DIFF:
	case FI_LOR:
	case FI_LAND:
	case FI_LXOR:
	case FI_ATOMIC_WRITE:
		return kind != WIRE_ATOMIC_COMPARE;
	case FI_BOR:
	case FI_BAND:
	case FI_BXOR:
		return kind != WIRE_ATOMIC_COMPARE && type == 'I';
	case FI_ATOMIC_READ:
		return kind == WIRE_ATOMIC_FETCH;
	case FI_CSWAP:
	case FI_CSWAP_NE:
		return kind == WIRE_ATOMIC_COMPARE;
	case FI_CSWAP_LE:
	case FI_CSWAP_LT:
	case FI_CSWAP_GE:
	case FI_CSWAP_GT:
		return kind == WIRE_ATOMIC_COMPARE && type != 'C';
	case FI_MSWAP:
		return kind == WIRE_ATOMIC_COMPARE && type == 'I';
	default:
		return false;
	}
}

/* What is new, of what was (t), the operand (v) and what it is compared with (c). Sums wrap. */
#define NEW_ANY(type, t, v, c)						\
	case FI_SUM: t = (type)(t + v); break;				\
	case FI_PROD: t = (type)(t * v); break;				\
	case FI_DIFF: t = (type)(t - v); break;				\
	case FI_LOR: t = (type)(t != 0 || v != 0); break;		\
	case FI_LAND: t = (type)(t != 0 && v != 0); break;		\
	case FI_LXOR: t = (type)((t != 0) != (v != 0)); break;		\
	case FI_ATOMIC_READ: break;					\
	case FI_ATOMIC_WRITE: t = v; break;				\
	case FI_CSWAP: t = c == t ? v : t; break;			\
	case FI_CSWAP_NE: t = c != t ? v : t; break;

#define NEW_ORDERED(type, t, v, c)					\
	case FI_MIN: t = v < t ? v : t; break;				\
	case FI_MAX: t = v > t ? v : t; break;				\
	case FI_CSWAP_LE: t = c <= t ? v : t; break;			\
	case FI_CSWAP_LT: t = c < t ? v : t; break;			\
	case FI_CSWAP_GE: t = c >= t ? v : t; break;			\
	case FI_CSWAP_GT: t = c > t ? v : t; break;

#define NEW_BITS(type, t, v, c)						\
	case FI_BOR: t = (type)(t | v); break;				\
	case FI_BAND: t = (type)(t & v); break;				\
	case FI_BXOR: t = (type)(t ^ v); break;				\
	case FI_MSWAP: t = (type)((v & c) | (t & ~c)); break;

#define NEW_I(type, t, v, c)	NEW_ANY(type, t, v, c) NEW_ORDERED(type, t, v, c) NEW_BITS(type, t, v, c)
#define NEW_F(type, t, v, c)	NEW_ANY(type, t, v, c) NEW_ORDERED(type, t, v, c)
#define NEW_C(type, t, v, c)	NEW_ANY(type, t, v, c)

/* Overflow of signed integers wraps here as it does in a card. */
#define DO(number, type, kind)							\
	__attribute__((no_sanitize("signed-integer-overflow")))			\
	static void do_##number(unsigned int op, char *target, const char *operand, const char *compare, char *old, \
				size_t count)					\
	{									\
		type t, v, c;							\
		size_t i;							\
										\
		memset(&v, 0, sizeof(v));					\
		memset(&c, 0, sizeof(c));					\
		for (i = 0; i < count; i++) {					\
			memcpy(&t, target + i * sizeof(t), sizeof(t));		\
			if (old)						\
				memcpy(old + i * sizeof(t), &t, sizeof(t));	\
			if (operand)						\
				memcpy(&v, operand + i * sizeof(v), sizeof(v));	\
			if (compare)						\
				memcpy(&c, compare + i * sizeof(c), sizeof(c));	\
			switch (op) {						\
			NEW_##kind(type, t, v, c)				\
			default:						\
				return;						\
			}							\
			memcpy(target + i * sizeof(t), &t, sizeof(t));		\
		}								\
	}
ALL_TYPES(DO)

void pfi_atomic_do(unsigned int datatype, unsigned int op, void *target, const void *operand, const void *compare,
		   void *old, size_t count)
{
	switch (datatype) {
#define X(number, type, kind) case number: do_##number(op, target, operand, compare, old, count); break;
	ALL_TYPES(X)
#undef X
	default:
		break;
	}
}
