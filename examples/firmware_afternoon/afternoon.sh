#!/bin/sh
# Exports the C library, compiles the firmware on it and has the suite judge it: ./afternoon.sh [FOLDER [CASE...]]
# CFLAGS goes to the compiler: CFLAGS=-DBHM_PERIOD=400 ./afternoon.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-afternoon}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- pack.handshake.bhm pack.handshake.crm-cut pack.handshake.crm-late \
    pack.identification.brm pack.configuration.bcp pack.configuration.bro
mkdir -p "$work"
cd "$work"
swapproto export c --profile gbt27930-2015 --out generated
# shellcheck disable=SC2086 -- several flags
${CC:-cc} -Wall -Wextra -Werror -Igenerated -I"$here/../firmware_shim" ${CFLAGS:-} \
    -o device "$here/device.c" "$here/../firmware_shim/shim.c" generated/*.c
cases=
for case; do cases="$cases --case $case"; done
# Each case begins with a fresh device, as after power came back.
# shellcheck disable=SC2086 -- several options
exec swapproto certify --iut-pack exec:./device $cases --out report --reset reopen
