# SPDX-License-Identifier: GPL-2.0
"""Makes the guest, boots it with the card attached, and runs tests and the main job in it."""
