# SPDX-License-Identifier: GPL-2.0
# Tests of the NIC engine, each linked with libpnic-card.a.
TESTS_CARD += test_card test_card_cmd test_card_xfer test_card_ops test_card_fabric test_card_fuzz test_card_rate test_card_train
