# SPDX-License-Identifier: GPL-2.0
"""The one exception that ends the harness with a plain line instead of a traceback."""


class Failure(Exception):
    """Something that the user should read; `status` is the exit status."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status
