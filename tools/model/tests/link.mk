# SPDX-License-Identifier: GPL-2.0
# Tests of the clock and the link layer, each linked with libpnic-card.a.
TESTS_LINK := test_sim test_rng test_fec test_link test_link_maps test_link_faults test_link_rate test_link_train test_link_standby test_link_standby_bad test_link_test test_optics test_fieldtrace test_link_chaos
