# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
# shellcheck shell=sh
#
# In the guest: what tests of the provider have in common, and the two MPIs over it. Sourced.

here=@SHARE@
export FI_PROVIDER_PATH=$here/libpnic/ofi FI_LOG_PROV=pnic
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 TMPDIR=/tmp HOME=/tmp
ulimit -l unlimited
ip link set lo up
cd /tmp || exit 1

# openmpi RANKS PROGRAM ...: messages and collectives over pnic; OPTIONS replaces what says so. Ranks yield
# while they wait, unless YIELD is 0. At most LIMIT seconds;
# each rank by way of WRAPPER
cm="--mca pml cm --mca mtl ofi --mca mtl_ofi_provider_include"
windows="--mca pml ob1 --mca btl self,ofi --mca btl_ofi_mode 2 --mca btl_ofi_provider_include pnic --mca osc rdma"
openmpi() {
	ranks=$1
	program=$2
	shift 2
	yield="--mca mpi_yield_when_idle 1"
	[ "${YIELD:-1}" = 1 ] || yield=
	# shellcheck disable=SC2086
	timeout $((${LIMIT:-400} * ${PNIC_SLOW:-1})) mpirun.openmpi --oversubscribe $yield ${OPTIONS:-$cm pnic} -n "$ranks" \
		$WRAPPER "$here/mpi/openmpi/$program" "$@"
}

# mpich RANKS PROGRAM ...: the same. Ranks of one machine have shared memory otherwise
mpich() {
	ranks=$1
	program=$2
	shift 2
	MPIR_CVAR_NOLOCAL=1 FI_PROVIDER="${PROVIDER:-pnic}" timeout $((${LIMIT:-400} * ${PNIC_SLOW:-1})) "$here/mpich/bin/mpiexec" -n "$ranks" \
		$WRAPPER "$here/mpi/mpich/$program" "$@"
}

# cards COUNTER: of all cards together, such as payload_tx (bytes over the links; ranks on one card need none) or wqes
# (descriptors that the cards have carried out)
cards() {
	"$here/tools/pnic/pnic" -j stat show | tr ',' '\n' | sed -n 's/.*"'"$1"'": *\([0-9]*\).*/\1/p' |
		awk '{ n += $1 } END { print n + 0 }'
}

# report STATUS NAME: a line of KTAP, with what "out" has if it failed
number=0
failed=0
report() {
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number $2"
	else
		sed 's/^/# /' out | grep -v '^# ok' | tail -n 30
		echo "not ok $number $2"
		failed=1
	fi
}
