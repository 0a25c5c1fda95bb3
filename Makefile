# SPDX-License-Identifier: GPL-2.0
#
# The one entry to the project: `make help` lists what can be asked for.
#
# Everything that is built goes below build/:
#   build/host/<room>    compiled by this machine, for this machine
#   build/guest/<room>   compiled in the guest root, for the guest
#   build/kmod-<kernel>  the module for the kernel of KDIR

MAKEFLAGS += --no-print-directory
.SUFFIXES:
.DEFAULT_GOAL := all

DESTDIR	?=
prefix	?= /usr/local
KDIR	?= /lib/modules/$(shell uname -r)/build
V	?= 0

TOP	:= $(CURDIR)
B	:= $(TOP)/build
PNIC_VM	:= $(TOP)/tools/vm/pnic-vm

export DESTDIR prefix V

# --- rooms -------------------------------------------------------------------------------------
# A room's Makefile gets O (where its objects go), BUILD (the tree of all rooms beside it) and
# TESTDIR (where its KTAP test programs go). A room comes after those that it links with.

HOST_ROOMS	:= libpnic libpnic/ofi tools/model tools/job tools/pnic tools/perf libpnic/nccl
HOST_TESTS	:= driver/lane driver/tests libpnic libpnic/ofi tools/model tools/job tools/pnic tools/perf libpnic/nccl tools/vm \
		   Documentation selftests/host selftests/bench
GUEST_ROOMS	:= libpnic libpnic/ofi tools/job tools/pnic tools/perf libpnic/nccl
GUEST_TESTS	:= selftests libpnic/nccl
# Run in the guest's root, without a guest.
NATIVE_TESTS	:= libpnic/ofi
INSTALLED	:= libpnic libpnic/ofi tools/model tools/job tools/pnic tools/perf libpnic/nccl

# $(call rooms,host|guest,target,rooms)
# `+`, as make does not see a $(MAKE) that comes out of a variable.
define rooms
	+@set -e; for room in $(3); do \
		$(MAKE) -C $$room O=$(B)/$(1)/$$room BUILD=$(B)/$(1) TESTDIR=$(B)/$(1)/tests $(2); \
	done
endef

# --- the module --------------------------------------------------------------------------------
# kbuild writes beside its sources, so it is given a directory of links to them.

KVER	:= $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null)
# Not to be set from outside: links are made and pruned below it.
override FARM := $(B)/kmod-$(KVER)
KBUILD	= $(MAKE) -C $(KDIR) M=$(FARM)

define farm
	@case '$(FARM)' in '$(B)'/?*) ;; *) echo "'$(FARM)' is not below build/" >&2; exit 1;; esac
	@mkdir -p $(FARM)
	@cp -rsf $(TOP)/Kbuild $(TOP)/driver $(TOP)/uapi $(FARM)/
	@find $(FARM) -xtype l -delete
endef

# --- for people --------------------------------------------------------------------------------

.PHONY: all rooms modules modules_install install run test check fuzz soak soak-mpi coverage netlink mpich check-mpi bench-lanes bench-lib bench-nccl clean help

all: rooms
ifneq ($(KVER),)
all: modules
else
	@echo "No kernel headers in $(KDIR): pnic.ko is not built (KDIR=... says where they are)."
endif

rooms:
	$(call rooms,host,all,$(HOST_ROOMS))

modules:
	@test -n "$(KVER)" || { echo "no kernel headers in $(KDIR)" >&2; exit 1; }
	$(farm)
	+$(KBUILD) modules

modules_install: modules
	+$(KBUILD) INSTALL_MOD_PATH=$(DESTDIR) modules_install

install: rooms
	$(call rooms,host,install,$(INSTALLED))

# What `make run` can be told, with pnic-vm's defaults when it is not.
export KILL NICS INPUT SEED CPUS PACE STEPS SMALL IOMMU

ifneq ($(filter run,$(MAKECMDGOALS)),)
ifneq ($(INPUT),)
# Here and not in the recipe, for one line and the right status.
input := '$(subst ','\'',$(INPUT))'
ifneq ($(shell test -f $(input) && test -r $(input) && test -s $(input) && echo good),good)
$(error INPUT=$(INPUT): no such file, or an empty one)
endif
endif
endif

run:
	@$(PNIC_VM) run

test:
	@$(PNIC_VM) test

check:
	@$(PNIC_VM) check

netlink:
	@$(PNIC_VM) netlink

export COUNT DURATION KERNEL KERNELS PROGRAMS ROUNDS MORE TARGETS PROCESSES MPIS

fuzz:
	@$(PNIC_VM) fuzz

soak:
	@$(PNIC_VM) soak

soak-mpi:
	@$(PNIC_VM) soak-mpi

mpich:
	@$(PNIC_VM) mpich

check-mpi:
	@$(PNIC_VM) bench mpi_check

coverage:
	@$(PNIC_VM) coverage

bench-lanes:
	@$(PNIC_VM) bench lanes

bench-lib:
	@$(PNIC_VM) bench lib

bench-mpi:
	@$(PNIC_VM) bench mpi

bench-nccl:
	@$(PNIC_VM) bench nccl

clean:
	rm -rf $(B)

help:
	@echo 'Running it (these set up everything that is missing):'
	@echo '  make run                the main job: an all-reduce over a link that loses lanes'
	@echo '  make test               all tests; with PNIC_BUDGET=3300 (seconds) some on a debug kernel, too'
	@echo '  make check              the static checks, and the selftests on stock and debug kernels'
	@echo '  make fuzz               fuzz the kernel interfaces and all parsers (DURATION=600 SEED=1)'
	@echo '  make soak               kills, unplugs, card deaths, lane faults at once (DURATION=600 SEED=1)'
	@echo '  make soak-mpi           verified MPI traffic while lanes die (DURATION=1800 SEED=1 MPIS="openmpi mpich")'
	@echo '  make check-mpi          all collectives by Open MPI and MPICH, 1 byte to 4 MiB, verified'
	@echo '  make mpich              MPICH over libfabric, built once for the two above and for make test'
	@echo '  make coverage           which lines the tests reach, of driver, library and tools'
	@echo '  make netlink            the files that are generated from the netlink spec'
	@echo '  make bench-lanes        what the lanes promise, in figures (COUNT=10000 SEED=1)'
	@echo '  make bench-lib          the library against libfabric, UCX and MPI, natively'
	@echo '  make bench-mpi          Open MPI and MPICH over pnic against tcp and shared memory, in the guest'
	@echo '  make bench-nccl         the NCCL plugin: each version, and faults under it (COUNT=100 SEED=1)'
	@echo
	@echo 'What `make run` can be told:'
	@echo '  KILL=60                 how many lanes die on the way'
	@echo '  NICS=2                  cards in the guest, up to 8; from 3 on they meet in a switch'
	@echo '  INPUT=path              all-reduce the bytes of this file'
	@echo '  SEED=1                  which lanes die, and what the model draws'
	@echo '  CPUS=2                  processors of the guest'
	@echo '  PACE=0                  real seconds for one of the simulated link clock; 0: no pacing'
	@echo '  STEPS=6                 training steps'
	@echo '  SMALL=1                 1/64 of the gradients'
	@echo '  IOMMU=1                 the cards behind an IOMMU (slow to register memory)'
	@echo
	@echo 'For this machine (needs no guest):'
	@echo '  make                    library, tools, and the module if there are kernel headers'
	@echo '  make modules            the module, for the kernel of KDIR'
	@echo '  make modules_install    install it, below DESTDIR'
	@echo '  make install            library, header, pkg-config file and tools, below DESTDIR/prefix'
	@echo '  make clean              remove build/'
	@echo
	@echo 'KDIR=$(KDIR)'
	@echo 'prefix=$(prefix) DESTDIR=$(DESTDIR)  V=1 shows commands'
	@echo
	@echo 'A shell in the guest: tools/vm/pnic-vm boot --nics 2; in its root: tools/vm/pnic-vm chroot'

# --- for pnic-vm -------------------------------------------------------------------------------

.PHONY: build-host build-guest build-guest-rooms build-guest-module check-w1 check-clang check-sparse check-analyzer

build-host: rooms
	$(call rooms,host,tests,$(HOST_TESTS))

# These run in the guest root, where KDIR is that of the guest's kernel. For another kernel than
# the stock one the module alone is built; guest/modules/pnic.ko is the stock one's.
build-guest-rooms: build-guest-module
	@ln -sf $(KVER)/pnic.ko $(B)/guest/modules/pnic.ko
	@ln -sf $(KVER)/pnic_movebuf.ko $(B)/guest/modules/pnic_movebuf.ko
	$(call rooms,guest,all,$(GUEST_ROOMS))

build-guest: build-guest-rooms
	$(call rooms,guest,tests,$(GUEST_TESTS))
	$(call rooms,guest,native guest,$(NATIVE_TESTS))

build-guest-module: override FARM := $(B)/guest/kmod-$(KVER)
build-guest-module:
	$(farm)
	+$(KBUILD) PNIC_TEST_MODULES=m modules
	@install -D -m 644 $(FARM)/pnic.ko $(B)/guest/modules/$(KVER)/pnic.ko
	@install -D -m 644 $(FARM)/driver/tests/guest/pnic_movebuf.ko $(B)/guest/modules/$(KVER)/pnic_movebuf.ko

check-w1: override FARM := $(B)/guest/check-w1-$(KVER)
check-w1:
	@rm -rf $(FARM)
	$(farm)
	+$(KBUILD) W=1 KCFLAGS=-Werror modules

# The headers are those of a kernel that gcc made; the module does not mind. They name their compiler, which only a
# variable of the command line overrules.
check-clang: override FARM := $(B)/guest/check-clang
check-clang:
	@rm -rf $(FARM)
	$(farm)
	+$(KBUILD) W=1 LLVM=1 CC=$(TOP)/tools/vm/kernel/clang KCFLAGS=-Werror modules

# As kbuild's checker, so that it gets the compiler's flags.
check-analyzer: override FARM := $(B)/guest/check-analyzer
check-analyzer:
	@rm -rf $(FARM)
	$(farm)
	+$(KBUILD) LLVM=1 CC=$(TOP)/tools/vm/kernel/clang C=2 CHECK='$(TOP)/tools/vm/kernel/clang --analyze -o /dev/null -Xclang -analyzer-disable-checker=deadcode.DeadStores' \
		CHECKFLAGS= modules

check-sparse: override FARM := $(B)/guest/check-sparse
check-sparse:
	@rm -rf $(FARM)
	$(farm)
	+$(KBUILD) C=2 CF='-D__CHECK_ENDIAN__ -Wsparse-error' modules
