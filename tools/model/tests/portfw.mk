# SPDX-License-Identifier: GPL-2.0
# Test of the switch ports' firmware over a real link, linked with libpnic-card.a.
TESTS_CARD += test_portfw
